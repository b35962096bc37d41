"""Each request as seen from outside: its id, one line in the log, one span; all name the route, never the address.

Addresses hold signed links; whoever reads logs or traces could open them.
"""

from __future__ import annotations

import logging
import secrets
import time

from fastapi import Request
from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import logs
import tracing
from domain.exceptions import InvalidInputError
from domain.tickets import ticket_id, ticket_number
from web.api.description import PREFIX

_log = logging.getLogger(logs.OURS)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds, or with each page.
_UNSEEN = ("/health", "/metrics", "/static/")
HEADER = "X-Request-Id"
# FastAPI's own spans and logs hold the address and what an exception says; a variable of its own would export them.
NO_OTHER_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
_KEPT = "request_id"


class Access:
    """Records every request of the application behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http" or scope["path"].startswith(_UNSEEN):
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        status = 500  # what an error that rises through here is answered with
        request_id = secrets.token_hex(4)  # short enough for the telephone
        scope.setdefault("state", {})[_KEPT] = request_id
        began = time.monotonic()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        # Other systems may go on with their own traces; visitors of public pages may not.
        caused_by = Headers(scope=scope).get("traceparent") if scope["path"].startswith(PREFIX) else None
        says = {"http.request.method": method, "aftercare.request_id": request_id}
        with (
            logs.within(request_id=request_id),
            tracing.span(method, says, kind="server", caused_by=caused_by),
        ):
            try:
                await self._app(scope, receive, send_and_note)
            except Exception as error:
                error.add_note(f"request {request_id}")  # stands with the traceback in the server's log
                raise
            finally:
                route = _route(scope)
                answered = {"http.route": route, "http.response.status_code": status}
                tracing.describe(answered, name=f"{method} {route}" if route else method)
                ms = round((time.monotonic() - began) * 1000)
                facts = {"method": method, "route": route, "status": status, "ms": ms, "ticket": _ticket(scope)}
                _log.info("request", extra=facts)


def request_id(request: Request) -> str | None:
    """The id by which the log knows a request; its answer bears it too."""
    known: str | None = request.scope.get("state", {}).get(_KEPT)
    return known


def _ticket(scope: Scope) -> str | None:
    try:
        return ticket_number(ticket_id(scope["path_params"]["number"]))
    except (KeyError, InvalidInputError):
        return None


def _route(scope: Scope) -> str | None:
    """The template of the address that was asked for, as far as one of ours fits; known after the request."""
    route = scope.get("route")
    return f"{scope.get('root_path', '')}{route.path}" if route is not None else None
