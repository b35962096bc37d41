"""The gate before every page: which host is asked, how often one address asks, how much it sends, what it guesses.

Everything is counted in memory, by process: the limits protect the machine, they are no accounts of visitors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channels.registry import WEBHOOKS
from clock import utc_now
from domain.links import PATHS
from domain.pictures import LARGEST, MOST_PHOTOS
from domain.rate_limit import Buckets, client_address
from settings import Settings
from web import problems
from web.api.description import PREFIX
from web.api.problems import problem

# A form that is urlencoded takes nine bytes for a Chinese character.
MOST_BYTES = 200_000
# With photos, beside what is typed; and a signature that was drawn.
_UPLOADS = {"/report": MOST_PHOTOS * LARGEST + 1_000_000, "/workbench/": MOST_PHOTOS * LARGEST + 1_000_000}
_DRAWN = {"/sign-off/": 2_000_000}
# They count for themselves: by key, by signature.
_OWN_LIMITS = (f"{PREFIX}/", WEBHOOKS)
_UNCOUNTED = ("/static/", "/health")
_LINKS = (*(f"/{path}/" for path in PATHS.values()), "/report/sent/")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_STAFF, _STAFF_TIMES = "/workbench", 5
_FORMS_PER_MINUTE = 30


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, as far as the gate must know it."""

    path: str
    who: str
    headers: Headers


class Limits:
    """Lets through what comes to our host, seldom enough and small enough; else answers in the reader's language."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        # A proxy may ask by the machine's own name; no page of somebody else's can have it.
        own = urlsplit(settings.public_url).hostname
        self._hosts = {own.lower(), *_LOOPBACK} if own else set()
        self._proxies = settings.proxies
        self._requests = Buckets(per_minute=settings.page_requests_per_minute)
        self._staff = Buckets(per_minute=settings.page_requests_per_minute * _STAFF_TIMES)
        self._forms = Buckets(per_minute=min(_FORMS_PER_MINUTE, settings.page_requests_per_minute))
        self._failures = Buckets(per_minute=settings.failed_links_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        request, now = Request(scope), utc_now()
        asked = _Asked(scope["path"], self._who(request), request.headers)
        refusal = self._refusal(request, asked, now)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        most = _most_bytes(asked)
        if most is None:
            await self._watched(scope, receive, send, asked, now)
            return
        said = asked.headers.get("content-length", "")
        if said.isdecimal() and int(said[:20]) > most:
            await problems.too_large_page(request)(scope, receive, send)
            return
        await self._measured(scope, receive, send, asked, now, most)

    def _who(self, request: Request) -> str:
        peer = request.client.host if request.client else ""
        return client_address(peer, ", ".join(request.headers.getlist("x-forwarded-for")), proxies=self._proxies)

    def _refusal(self, request: Request, asked: _Asked, now: datetime) -> Response | None:
        # Vendors sign the address that we told them; whatever the host says, nothing else is believed.
        if asked.path == "/health" or asked.path.startswith(WEBHOOKS):
            return None
        if self._hosts and _host_of(asked.headers.get("host", "")) not in self._hosts:
            return problems.not_found_page(request, status=421)
        is_api = asked.path.startswith(f"{PREFIX}/")
        if asked.path.startswith((*_LINKS, f"{PREFIX}/")) and (wait := self._failures.wait(asked.who, now=now)):
            return _too_many(request, wait, is_api=is_api)
        if asked.path.startswith((*_OWN_LIMITS, *_UNCOUNTED)):
            return None
        is_form = request.method == "POST" and asked.path == "/report"
        is_staff = asked.path.startswith(_STAFF)
        buckets = self._forms if is_form else self._staff if is_staff else self._requests
        wait = buckets.take(asked.who, now=now)
        return None if wait is None else _too_many(request, wait, is_api=False)

    async def _watched(self, scope: Scope, receive: Receive, send: Send, asked: _Asked, now: datetime) -> None:
        """Pass the request on, and count it if it came with a link or key that was never given out."""

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_unknown_key = message["status"] == 401 and asked.path.startswith(f"{PREFIX}/")
                if is_unknown_key or scope["state"].get(problems.GUESSED):
                    self._failures.take(asked.who, now=now)
            await send(message)

        await self._app(scope, receive, send_and_count)

    async def _measured(
        self, scope: Scope, receive: Receive, send: Send, asked: _Asked, now: datetime, most: int
    ) -> None:
        """Pass the request on, and stop reading it where it grows too large, whatever length it promised."""
        read, is_too_large, has_answered = 0, False, False

        async def receive_so_much() -> Message:
            nonlocal read, is_too_large
            if is_too_large:
                return {"type": "http.disconnect"}
            message = await receive()
            read += len(message.get("body", b""))
            is_too_large = read > most
            return {"type": "http.disconnect"} if is_too_large else message

        async def send_if_small(message: Message) -> None:
            nonlocal has_answered
            if not is_too_large or has_answered:
                has_answered = True
                await send(message)

        try:
            await self._watched(scope, receive_so_much, send_if_small, asked, now)
        except ClientDisconnect:
            if not is_too_large:
                return
        if is_too_large and not has_answered:
            await problems.too_large_page(Request(scope))(scope, receive, send)


def _most_bytes(asked: _Asked) -> int | None:
    if asked.path.startswith(_OWN_LIMITS):
        return None
    if asked.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return next((most for path, most in _UPLOADS.items() if asked.path.startswith(path)), MOST_BYTES)
    return next((most for path, most in _DRAWN.items() if asked.path.startswith(path)), MOST_BYTES)


def _host_of(header: str) -> str:
    """The name in a Host header, without its port."""
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def _too_many(request: Request, wait: timedelta, *, is_api: bool) -> Response:
    seconds = max(1, math.ceil(wait.total_seconds()))
    if is_api:
        detail = f"too many requests with keys that are not valid; try again in {seconds} seconds"
        return problem("too-many", detail, headers={"Retry-After": str(seconds)})
    return problems.too_many_page(request, seconds=seconds)
