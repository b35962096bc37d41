"""The load generator: a process of its own with as many clients at once as it is told.

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
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

_FORM_KEY = re.compile(rb'name="form_key" value="(\w+)"')
_CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
_COOKIE = re.compile(rb"set-cookie: (csrftoken=\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Client:
    """Somebody who asks, each time over a connection of its own: kept ones would all hang on one worker process."""

    host: str
    port: int
    timeout: float = 60

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes, bytes]:
        """Status, head and body of the answer."""
        said = {"Host": f"{self.host}:{self.port}", "Connection": "close", **headers}
        if method == "POST":
            said["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        with socket.create_connection((self.host, self.port), timeout=self.timeout) as connection:
            connection.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
            answer = b""
            while got := connection.recv(65536):
                answer += got
        head, _, content = answer.partition(b"\r\n\r\n")
        return int(head[9:12]), head, content


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


def report(client: Client, plan: dict[str, Any], number: int) -> None:
    """A report of somebody new by Aftercare's public form: the form is opened, filled and sent."""
    name = f"{plan['round']}x{number}"
    asking = {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", "Accept-Language": "en"}
    _, _, body = client.ask("GET", plan["path"], asking)
    form = {
        "form_key": _found(_FORM_KEY, body),
        "step": "send",
        "description": f"The air conditioner {name} does not cool.",
        "impact": "core_use_lost",
        "danger": "no",
        "name": f"Reader {name}",
        "email": f"r{name}@example.com",
        "language": "en",
    }
    _send(client, plan["path"], asking, form, leads_to=b"/report/sent/")


def report_to_django(client: Client, plan: dict[str, Any], number: int) -> None:
    """The same by django-helpdesk's public form."""
    name = f"{plan['round']}x{number}"
    _, head, body = client.ask("GET", plan["path"], {})
    form = {
        "csrfmiddlewaretoken": _found(_CSRF, body),
        "queue": str(plan["queue"]),
        "title": f"The air conditioner {name}",
        "body": f"The air conditioner {name} does not cool.",
        "priority": "3",
        "submitter_email": f"r{name}@example.com",
    }
    _send(client, plan["path"], {"Cookie": _found(_COOKIE, head)}, form, leads_to=b"/view/?ticket=")


def _found(pattern: re.Pattern[bytes], text: bytes) -> str:
    found = pattern.search(text)
    if found is None:
        raise ValueError(f"no {pattern.pattern!r} in {text[:400]!r}")
    return found[1].decode()


def _send(client: Client, path: str, headers: dict[str, str], form: dict[str, str], *, leads_to: bytes) -> None:
    """A form as a browser sends one that may hold files; it must lead on to the page of the new ticket."""
    parts = (f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in form.items())
    headers = {**headers, "Content-Type": "multipart/form-data; boundary=x"}
    status, head, body = client.ask("POST", path, headers, ("".join(parts) + "--x--\r\n").encode())
    if status not in {302, 303} or leads_to not in head:
        raise ValueError(f"{status}: {body[:4000]!r}")


_WORK = {"page": read_page, "api": create_by_api, "report": report, "report_to_django": report_to_django}


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
