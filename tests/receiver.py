"""Another system that is told of events: a real HTTP server that checks signatures and goes wrong on order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from clock import utc_now


@dataclass
class Receiver:
    """What was posted, and what the next requests are answered with.

    ``orders``: a status, a status with headers, or ``hang``, ``drip``, ``drop``, ``late`` (taken, but the answer is
    lost) or ``garbage``; without an order 204. ``tolerance``: how far the clock of who signs may be off, in seconds.
    """

    orders: deque[Any] = field(default_factory=deque)
    secrets: list[str] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    forged: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    tolerance: float = 300
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where events are posted."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def places(self) -> list[tuple[str, int]]:
        """Ticket and place of what was taken, in the order in which it came; each once."""
        seen = dict.fromkeys((told["data"]["ticket"], told["data"]["seq"]) for told in self.taken)
        return list(seen)

    def is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        """Whether one of the secrets has signed it, as standardwebhooks.com describes, and not long ago."""
        if abs(utc_now().timestamp() - int(headers["webhook-timestamp"])) > self.tolerance:
            return False
        content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
        good = {
            base64.b64encode(
                hmac.new(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256).digest()
            ).decode()
            for secret in self.secrets
        }
        return any(sent.removeprefix("v1,") in good for sent in headers["webhook-signature"].split(" "))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_GET(self) -> None:
        self.receiver.asked.append(f"GET {self.path}")
        self._answer(200, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver = self.receiver
        with receiver.lock:
            receiver.asked.append(f"POST {self.path}")
            order = receiver.orders.popleft() if receiver.orders else 204
            if receiver.secrets and not receiver.is_signed(headers, body):
                receiver.forged.append(headers)
                order = 401
            is_taken = order == "late" or (isinstance(order, int) and order < 300)
            if is_taken:
                receiver.taken.append(json.loads(body) | {"id": headers.get("webhook-id"), "headers": headers})
        match order:
            case "hang":
                receiver.over.wait(60)
            case "drip":
                self._drip()
            case "garbage":
                self.wfile.write(b"\x00\xff nonsense\r\n\r\n")
            case "drop" | "late":
                pass
            case int():
                self._answer(order, {})
                return
            case (int() as status, dict() as extra):
                self._answer(status, extra)
                return
        self.close_connection = True

    def _answer(self, status: int, extra: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def _drip(self) -> None:
        try:
            for letter in b"HTTP/1.1 200 OK\r\n" + b"x" * 600:
                self.wfile.write(bytes([letter]))
                self.wfile.flush()
                if self.receiver.over.wait(0.1):
                    return
        except OSError:
            return

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def receiving(receiver: Receiver | None = None) -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = receiver or Receiver()
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    server = _Server(("127.0.0.1", receiver.port), handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
