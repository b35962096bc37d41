"""What every answer tells the browser: load nothing from elsewhere, run no scripts, tell nobody the address."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
# For the few pages that have a script of our own.
WITH_SCRIPT = f"{_POLICY}; script-src 'self'"
# The pages load nothing from anywhere else and cannot be framed; links must not leak through referrers.
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# An e-mail shown in the mailbox brings its own inlined styles; it can do nothing but open links in new tabs.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


def headers_for(path: str) -> Mapping[str, str]:
    """The headers of an answer that does not set them itself."""
    if path.startswith("/mailbox/message/"):
        return _HEADERS | {"Content-Security-Policy": _MAIL_POLICY}
    if path.startswith("/mailbox"):
        return _HEADERS | {"Content-Security-Policy": _POLICY + "; frame-src 'self'"}
    return _HEADERS


class Headers:
    """Adds them to every answer of the application behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in headers_for(scope["path"]).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
