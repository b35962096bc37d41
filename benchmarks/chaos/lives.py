"""The load: tickets opened and led to their end through the API, each request asked again until it has an answer."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from benchmarks.load import Client
from clock import utc_now

# One in so many is left alone, so that the watchdog has something to say.
UNATTENDED = 15
PATIENCE = 1200


@dataclass
class People:
    """Those who call the service desk. ``opened``: the number each life's ticket got; ``again``: why was asked again."""

    port: int
    key: str
    rate: float
    opened: dict[int, str] = field(default_factory=dict)
    again: Counter[str] = field(default_factory=Counter)
    lives: list[Future[None]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def come(self) -> None:
        """Begin lives at the rate until ``over``, then wait until each is at its end or was ``refused``."""
        started = time.monotonic()
        with ThreadPoolExecutor(200) as pool:
            while not self.over.wait(max(0.0, started + len(self.lives) / self.rate - time.monotonic())):
                self.lives.append(pool.submit(self._live, len(self.lives)))
        self.refused = [f"a life ended early: {error}" for life in self.lives if (error := life.exception())]

    def _live(self, number: int) -> None:
        is_attended = number % UNATTENDED != 0
        customer = {"name": f"C {number}", "email": f"c{number}@example.com", "language": "en", "region": "east"}
        report = {"channel": "app", "description": f"The fridge leaks, case {number}"}
        report["impact"] = "partial" if is_attended else "core_use_lost"
        opened = self._ask("POST", "", f"open-{number}", {"customer": customer, "report": report})
        self.opened[number] = opened["number"]
        if not is_attended:
            return
        pause, until = 1.0, time.monotonic() + PATIENCE
        while self._ask("GET", f"/{opened['number']}")["assignee"] is None:
            if time.monotonic() > until:
                raise RuntimeError(f"nobody was assigned to {opened['number']} within {PATIENCE} s")
            time.sleep(pause)
            pause = min(10.0, pause * 1.5)
        deadline = utc_now() + timedelta(days=1)
        steps: list[tuple[str, dict[str, Any]]] = [
            ("first_contact", {"summary": "called"}),
            ("propose_plan", {"kind": "repair", "steps": ["repair it"], "deadline_at": deadline.isoformat()}),
            ("agree_plan", {"agreed_by_phone_with": f"C {number}"}),
            ("log_step", {"step": "on site"}),
            ("complete", {"summary": "repaired", "tested": True}),
            ("confirm_completion", {"signed_by": f"C {number}"}),
        ]
        for name, values in steps:
            time.sleep(1)
            self._ask("POST", f"/{opened['number']}/commands/{name}", f"{name}-{number}", values)

    def _ask(self, method: str, path: str, once: str = "", body: dict[str, Any] | None = None) -> Any:
        """The answer, at last; the key ``once`` lets nothing be done twice. Raises RuntimeError for a refusal."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", "Idempotency-Key": once}
        while True:
            try:
                status, _, said = Client("127.0.0.1", self.port, timeout=10).ask(
                    method, f"/api/v1/tickets{path}", headers, json.dumps(body).encode() if body else b""
                )
                answer = json.loads(said)
            except (OSError, ValueError):  # whoever was to answer is dead
                self.again["no answer"] += 1
            else:
                if status < 400:
                    return answer
                self.again[str(status)] += 1
                if status != 503:
                    raise RuntimeError(f"{method} {path}: {status} {said[:400]!r}")
            time.sleep(0.5)
