"""Each request as seen from outside: one span, which names the route and never the address that was asked for.

Addresses hold signed links; who can read a trace could open them.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import tracing
from web.api.description import PREFIX

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds, or with each page.
_UNSEEN = ("/health", "/metrics", "/static/")


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

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # Other systems may go on with their own traces; visitors of public pages may not.
        caused_by = Headers(scope=scope).get("traceparent") if scope["path"].startswith(PREFIX) else None
        with tracing.span(method, {"http.request.method": method}, kind="server", caused_by=caused_by):
            try:
                await self._app(scope, receive, send_and_note)
            finally:
                route = route_of(scope)
                answered = {"http.route": route, "http.response.status_code": status}
                tracing.describe(answered, name=f"{method} {route}" if route else method)


def route_of(scope: Scope) -> str | None:
    """The template of the address that was asked for, as far as one of ours fits; known after the request."""
    route = scope.get("route")
    return f"{scope.get('root_path', '')}{route.path}" if route is not None else None
