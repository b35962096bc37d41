"""The vendors' server as a process of its own, and what a test says to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Vendors:
    """A running server of both vendors."""

    url: str
    http: httpx.Client

    def state(self, vendor: str) -> dict[str, dict[str, Any]]:
        """What became of each mark at ``twilio`` or ``sendgrid``: stored, ids, statuses, to."""
        return dict(self.http.get("/control/state").json()[vendor])

    def stored(self, vendor: str) -> dict[str, int]:
        """How often the vendor has each mark."""
        return {mark: entry["stored"] for mark, entry in self.state(vendor).items()}

    def messages(self, vendor: str) -> list[dict[str, Any]]:
        """Everything the vendor was given."""
        return list(self.http.get("/control/messages").json()[vendor])

    def counts(self) -> dict[str, Any]:
        """How many requests, faults and callbacks there were."""
        return dict(self.http.get("/control/counts").json())

    def requests(self, target: str) -> int:
        """How many requests a target (``twilio.send``…) had."""
        return int(self.counts()["requests"].get(target, 0))

    def violations(self) -> list[str]:
        """How requests broke the vendors' specifications; always empty without ``validate``."""
        return list(self.http.get("/control/violations").json())

    def public_key(self) -> str:
        """The key with which SendGrid's events are verified."""
        return str(self.http.get("/control/public_key").json()["key"])

    def fault(self, target: str, kind: str, times: int = 1, **more: Any) -> None:
        """Let the next requests to a target go wrong."""
        self._checked(self.http.post("/control/faults", json={"target": target, "kind": kind, "times": times, **more}))

    def chances(self, **targets: dict[str, float]) -> None:
        """Let requests go wrong by chance: ``twilio_send={"429": 0.1}``."""
        named = {target.replace("_", ".", 1): kinds for target, kinds in targets.items()}
        self._checked(self.http.patch("/control/faults", json=named))

    def knobs(self, **values: Any) -> None:
        """Turn knobs (``tests/vendors/place.py``)."""
        self._checked(self.http.patch("/control/knobs", json=values))

    def inbound(self, sender: str, body: str) -> str:
        """Somebody sends us an SMS; returns its sid."""
        return str(self._checked(self.http.post("/control/inbound", json={"from": sender, "body": body})).json()["sid"])

    def events(self, *events: dict[str, Any]) -> None:
        """Let SendGrid tell of events."""
        self._checked(self.http.post("/control/events", json=list(events)))

    def callbacks(self, at_least: int) -> list[dict[str, Any]]:
        """The callbacks that were kept, when there are as many as wanted."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            kept = list(self.http.get("/control/callbacks").json())
            if len(kept) >= at_least:
                return kept
            time.sleep(0.02)
        raise AssertionError(f"fewer than {at_least} callbacks: {kept}")

    def reset(self) -> None:
        """Forget everything; the knobs as at the start."""
        self._checked(self.http.delete("/control"))

    @staticmethod
    def _checked(answer: httpx.Response) -> httpx.Response:
        answer.raise_for_status()
        return answer


def start(log: Path, *options: str, port: int | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """Start the server; returns the process and its address when it answers."""
    port = port or free_port()
    command = [sys.executable, "-m", "tests.vendors.server", "--port", str(port), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{url}/control/counts", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return process, url
    process.kill()
    raise AssertionError(f"the vendors' server does not answer: {log.read_text('utf-8')}")


@pytest.fixture(scope="session")
def vendor_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this session; it checks requests where the vendors' OpenAPI is at hand."""
    log = tmp_path_factory.mktemp("vendors") / "server.log"
    folder = os.environ.get("AFTERCARE_SHARED")
    validated = bool(folder) and (Path(folder or "") / "specs").is_dir()
    process, url = start(log, *(["--validate"] if validated else []))
    yield url
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def vendors(vendor_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    """Both vendors, empty; whatever a test asked of them must have been what they specify."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")  # the SDKs obey a proxy of the environment
    with httpx.Client(base_url=vendor_server, trust_env=False) as http:
        vendors = Vendors(vendor_server, http)
        vendors.reset()
        yield vendors
        broken = vendors.violations()
    assert broken == []
