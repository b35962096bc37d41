"""The door of the API: who asks, how often, how much and in which form is settled before anything else is read."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import datetime

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clock import utc_now
from db import api_keys
from db.session import transaction
from domain.api_keys import Caller, KeyRefusedError, prefix_of, require_scope
from domain.api_keys import Scope as KeyScope
from domain.exceptions import DomainError
from domain.pictures import LARGEST
from domain.rate_limit import Bucket, take
from web.api.description import PREFIX
from web.api.problems import of_error, problem

MOST_BYTES = 64_000
# A photo of 10 MB and what a form writes around it.
MOST_UPLOADED = LARGEST + 64_000
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_UPLOADS = re.compile(rf"{PREFIX}/tickets/[^/]+/attachments")


class Door:
    """Lets through what comes with a valid key, seldom enough, small enough, and as JSON; else answers itself."""

    def __init__(self, app: ASGIApp, *, per_minute: int, open_paths: Collection[str]) -> None:
        self._app = app
        self._per_minute = per_minute
        self._open_paths = tuple(open_paths)
        self._buckets: dict[int, Bucket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        refusal = await self._refusal(request, now=utc_now())
        body = b""
        if refusal is None and request.method not in _READING:
            is_upload = _is_upload(request)
            try:
                found = await _body(request, MOST_UPLOADED if is_upload else MOST_BYTES)
            except ClientDisconnect:
                return
            if found is None:
                refusal = problem("photo-too-large" if is_upload else "too-large")
            body = found or b""
        if refusal is None:
            await self._app(scope, _again(body, receive), send)
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, request: Request, *, now: datetime) -> Response | None:
        try:
            caller = await run_in_threadpool(_recognise, request, now)
            if (wait := self._wait(caller.key_id, now)) is not None:
                detail = f"this key has used up its requests; try again in {wait} seconds"
                return problem("too-many", detail, headers={"Retry-After": str(wait)})
            require_scope(caller.scopes, KeyScope.READ if request.method in _READING else KeyScope.WRITE)
        except DomainError as error:
            return of_error(error)
        except (OperationalError, PoolTimeoutError):
            return problem("unavailable")
        request.state.caller = caller
        if request.method != "POST":
            return None
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not media_type and not _has_body(request):
            return None  # some commands need no word
        if _is_upload(request):
            return None if media_type == "multipart/form-data" else problem("not-a-form")
        return None if media_type == "application/json" else problem("not-json")

    def _wait(self, key_id: int, now: datetime) -> int | None:
        """For how many seconds the key must wait; None: not at all."""
        self._buckets[key_id], wait = take(self._buckets.get(key_id), per_minute=self._per_minute, now=now)
        return None if wait is None else max(1, math.ceil(wait.total_seconds()))


def _recognise(request: Request, now: datetime) -> Caller:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or prefix_of(key.strip()) is None:
        raise KeyRefusedError("send a key: Authorization: Bearer ac_...")
    with transaction() as connection:
        return api_keys.recognise(connection, key.strip(), now=now)


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0").strip() != "0"


def _is_upload(request: Request) -> bool:
    """Whether this is the one address that takes a photo."""
    return _UPLOADS.fullmatch(request.scope["path"]) is not None


async def _body(request: Request, most: int) -> bytes | None:
    """The body, or None when it is too large: nobody reads it to its end."""
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > most:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Hands on the body that was read already."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again
