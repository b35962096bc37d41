"""What both vendors share: knobs, faults, latency, and the ways in which an answer can fail to arrive."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from clock import utc_now
from tests.vendors.faults import Fault, Faults


@dataclass
class Knobs:
    """What may be set at the start and changed at any time."""

    latency_ms: float = 0.0
    hang_s: float = 60.0
    lag_s: float = 0.0  # how long a new message is missing from lists and logs
    step_ms: float = 20.0  # between one status and the next
    late_ms: float = 50.0  # a callback leaves at a random moment within
    twice: float = 0.0  # the chance that a callback is posted again
    lost: float = 0.0  # the chance that a callback is never posted
    retry_ms: float = 200.0  # between two tries of a callback that was not taken
    batch_ms: float = 50.0  # how long SendGrid collects events
    deliver_to: str | None = None  # where callbacks go; without it they are kept to be read
    public_url: str = "https://aftercare.example"  # under which address Twilio believes it calls us
    edits: list[str] = field(default_factory=list)  # what Twilio does to a text: smart, shorten, footer
    logs_bought: bool = True  # whether SendGrid's account has Email Logs

    def change(self, values: dict[str, Any]) -> None:
        """Set some of them. Raises ValueError for one that does not exist."""
        known = {one.name for one in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no knob {name}; there are {', '.join(sorted(known))}")
            setattr(self, name, value)


class Place:
    """The building in which both vendors live."""

    def __init__(self, seed: int, knobs: Knobs) -> None:
        self.knobs = knobs
        self.faults = Faults(seed)
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()

    async def answer(self, target: str, perform: Callable[[], Response]) -> Response:
        """Do what is asked, unless a fault comes before or after; the answer takes the latency."""
        self.counts[target] += 1
        # What is stored is stored in the middle, as at a real vendor: a caller who dies may be on either side of it.
        await self._pass_time()
        fault = self.faults.draw(target)
        if fault is None:
            answer = perform()
            await self._pass_time()
            return answer
        return self._go_wrong(target, fault, perform)

    async def _pass_time(self) -> None:
        if self.knobs.latency_ms:
            await asyncio.sleep(self.knobs.latency_ms / 2000)

    def _go_wrong(self, target: str, fault: Fault, perform: Callable[[], Response]) -> Response:
        if fault.kind.endswith("_after"):
            stored = perform()
            return stored if stored.status_code >= 400 else self._answer_lost(fault, stored)
        match fault.kind:
            case "refuse":
                return Response(fault.body, fault.status, media_type="application/json")
            case "502_html":
                return HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", 502)
            case "503_before":
                return twilio_error(503, 20503, "Service unavailable")
            case "drop_before":
                return Dropped()
            case "hang_before":
                return Hung(self.knobs.hang_s)
        return _too_many(fault.wait) if target.startswith("sendgrid") else twilio_error(429, 20429, "Too Many Requests")

    def _answer_lost(self, fault: Fault, stored: Response) -> Response:
        match fault.kind:
            case "503_after":
                return twilio_error(503, 20503, "Service unavailable")
            case "hang_after":
                return Hung(self.knobs.hang_s)
            case "garbled_after":
                return HTMLResponse("<html>", stored.status_code)
            case "empty_after":
                return JSONResponse({}, stored.status_code)
        return Dropped()


class Dropped(Response):
    """No answer: the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        receive.__self__.transport.abort()  # type: ignore[attr-defined]  # the server's, behind its callable
        while (await receive())["type"] != "http.disconnect":
            pass


class Hung(Dropped):
    """No answer for a long time, then the connection is closed."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            await super().__call__(scope, receive, send)


def twilio_error(status: int, code: int, message: str) -> JSONResponse:
    """An error as Twilio writes it."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status)


def sendgrid_error(status: int, message: str, blamed: str | None = None) -> JSONResponse:
    """An error as SendGrid writes it."""
    return JSONResponse({"errors": [{"message": message, "field": blamed, "help": None}]}, status)


def _too_many(wait: int) -> JSONResponse:
    answer = sendgrid_error(429, "too many requests")
    answer.headers["X-RateLimit-Limit"] = "600"
    answer.headers["X-RateLimit-Remaining"] = "0"
    answer.headers["X-RateLimit-Reset"] = str(int(utc_now().timestamp()) + wait)
    return answer


async def read_json(request: Request) -> Any:
    """The body as JSON; None when it is none."""
    try:
        return json.loads(await request.body())
    except ValueError:
        return None
