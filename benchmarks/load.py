"""The load generator: a process of its own with as many clients as it is told, each with one connection that stays open.

Plain sockets and the least parsing that HTTP/1.1 allows, so that on a small machine it takes little from the servers;
what it took itself is reported with the figures.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

_CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
_COOKIE = re.compile(rb"set-cookie: (csrftoken=\w+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Client:
    """One keep-alive connection."""

    host: str
    port: int
    _socket: socket.socket | None = field(default=None, init=False)

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes, bytes]:
        """Status, head and body of the answer."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
        sent = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{lines}{length}\r\n".encode() + body
        try:
            return self._exchange(sent)
        except (ConnectionError, EOFError):
            self._socket = None  # a kept connection may be closed by the server at any time between two requests
            return self._exchange(sent)

    def _exchange(self, sent: bytes) -> tuple[int, bytes, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection((self.host, self.port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(sent)
        answer = b""
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        head, body = answer[:end], answer[end + 4 :]
        found = _LENGTH.search(head)
        if found is None:
            raise ValueError(f"an answer without a length: {head!r}")
        while len(body) < int(found[1]):
            body += self._more()
        if b"connection: close" in head.lower():
            self._socket.close()
            self._socket = None
        return int(head[9:12]), head, body

    def _more(self) -> bytes:
        assert self._socket is not None
        if not (got := self._socket.recv(65536)):
            raise EOFError
        return got


def read_page(client: Client, plan: dict[str, Any], number: int) -> None:
    """A page that must be there and be the right one."""
    paths = plan["paths"]
    status, _, body = client.ask("GET", paths[number % len(paths)], {"Accept-Language": "en"})
    if status != 200 or plan["mark"].encode() not in body:
        raise ValueError(f"{status}: {body[:400]!r}")


def create_by_api(client: Client, plan: dict[str, Any], number: int) -> None:
    """A ticket of a new customer by Aftercare's API."""
    name = f"{plan['round']}x{number}"
    customer = {"name": f"Reader {name}", "email": f"r{name}@example.com", "language": "en", "region": "east"}
    report = {"channel": "web", "description": f"The air conditioner {name} does not cool."}
    headers = {"Authorization": f"Bearer {plan['key']}", "Content-Type": "application/json", "Idempotency-Key": name}
    status, _, body = client.ask(
        "POST", plan["path"], headers, json.dumps({"customer": customer, "report": report}).encode()
    )
    if status != 201:
        raise ValueError(f"{status}: {body[:400]!r}")


def create_by_form(client: Client, plan: dict[str, Any], number: int) -> None:
    """A ticket of a new submitter by django-helpdesk's public form; its token is fetched once by each client."""
    known = _TOKENS.get(id(client))
    if known is None:
        _, head, body = client.ask("GET", plan["path"], {})
        cookie, token = _COOKIE.search(head), _CSRF.search(body)
        if cookie is None or token is None:
            raise ValueError(f"no CSRF token: {head!r}")
        known = _TOKENS[id(client)] = (cookie[1].decode(), token[1].decode())
    name = f"{plan['round']}x{number}"
    form = {
        "csrfmiddlewaretoken": known[1],
        "queue": plan["queue"],
        "title": f"The air conditioner {name}",
        "body": f"The air conditioner {name} does not cool.",
        "priority": "3",
        "submitter_email": f"r{name}@example.com",
    }
    headers = {"Cookie": known[0], "Content-Type": "application/x-www-form-urlencoded"}
    status, head, body = client.ask("POST", plan["path"], headers, urlencode(form).encode())
    if status != 302 or b"/view/?ticket=" not in head:
        raise ValueError(f"{status}: {body[:400]!r}")


_TOKENS: dict[int, tuple[str, str]] = {}
_WORK = {"page": read_page, "api": create_by_api, "form": create_by_form}


@dataclass
class Measured:
    """What one round of load found; times in seconds."""

    times: list[float]
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.times) / self.seconds

    def at(self, share: float) -> float:
        """The time within which this share of the answers came, in milliseconds."""
        return sorted(self.times)[min(len(self.times) - 1, int(share * len(self.times)))] * 1000


def run(plan: dict[str, Any]) -> Measured:
    """Load a server from a process of its own as ``plan`` says. Raises RuntimeError when an answer was wrong."""
    command = [sys.executable, "-m", "benchmarks.load"]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, cwd=root, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Measured(**json.loads(done.stdout))


def _work(plan: dict[str, Any]) -> Measured:
    numbers = count()
    start = time.perf_counter() + plan["warm_up"]
    end = start + plan["seconds"]

    def one_client(_: int) -> list[float]:
        client = Client("127.0.0.1", plan["port"])
        times: list[float] = []
        while (began := time.perf_counter()) < end:
            _WORK[plan["work"]](client, plan, next(numbers))
            if start <= began and (done := time.perf_counter()) <= end:
                times.append(done - began)
        return times

    used = time.process_time()
    with ThreadPoolExecutor(plan["clients"]) as pool:
        times = [seconds for client in pool.map(one_client, range(plan["clients"])) for seconds in client]
    share = (time.process_time() - used) / (plan["warm_up"] + plan["seconds"])
    return Measured(times, plan["seconds"], share)


if __name__ == "__main__":
    measured = _work(json.loads(sys.stdin.read()))
    print(json.dumps(vars(measured)))
