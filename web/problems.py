"""The kind no: pages that say in the reader's language what did not work and how to go on."""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from db.session import cause
from domain.exceptions import DomainError, ErasedError, InvalidInputError, NotFoundError
from domain.faults import Fault, fault_of
from domain.links import LinkError, LinkExpiredError
from domain.pictures import LARGEST
from templates.render import WordsError, render_page
from web.access import HEADER, request_id
from web.headers import headers_for
from web.language import house, page_language

_log = logging.getLogger("uvicorn.error")

# What the forms ask for, as a problem page names it: ticked or pressed, or written.
_CHOSEN = frozenset({"answer", "option", "signature"})
_WRITTEN = frozenset({"reason", "reply", "signed_by"})


# Noted with a request whose link was never given out, so that guessing can be counted.
GUESSED = "guessed"


def problem_page(request: Request, error: DomainError) -> HTMLResponse:
    """A rule or a link said no: what happened and the way on."""
    if isinstance(error, LinkError):
        request.scope.setdefault("state", {})[GUESSED] = not isinstance(error, LinkExpiredError)
        return _bare(request, "link_expired", status=410)
    if isinstance(error, NotFoundError):
        return not_found_page(request)
    if isinstance(error, ErasedError):
        return _bare(request, "erased", status=410)
    if not isinstance(error, InvalidInputError):
        return _bare(request, "problem", status=409, field=None)
    fault = fault_in(error)
    field = error.field if error.field in _CHOSEN | _WRITTEN else "answer"
    return _bare(request, "problem", status=422, field=field, fault=fault.kind, most=fault.most)


def not_found_page(request: Request, *, status: int = 404) -> HTMLResponse:
    """No such page."""
    return _bare(request, "not_found", status=status)


def note_outage(error: OperationalError | PoolTimeoutError) -> None:
    """Say in the server's log why readers are asked to come again: only the database knows."""
    _log.error("the database does not serve: %s", cause(error) if isinstance(error, OperationalError) else error)


def unavailable_page(request: Request) -> HTMLResponse:
    """The database does not answer: nothing was stored, try again."""
    return _bare(request, "unavailable", status=503)


def too_many_page(request: Request, *, seconds: int) -> HTMLResponse:
    """This address has asked too often: when to come again."""
    # Whole minutes, rounded up: whoever comes when they were told to is let in.
    page = _bare(request, "too_many", status=429, wait=timedelta(minutes=math.ceil(seconds / 60)))
    page.headers["Retry-After"] = str(seconds)
    return page


def too_large_page(request: Request) -> HTMLResponse:
    """More was sent than is read."""
    return _bare(request, "too_large", status=413, most_megabytes=LARGEST // 2**20)


def error_page(request: Request) -> Response:
    """Something is wrong with us; nothing of it is told but the id by which the log knows it."""
    known = request_id(request)
    try:
        page: Response = _bare(request, "error", status=500, request_id=known)
    except (WordsError, ValueError):
        page = PlainTextResponse("Something went wrong. 出错了。", 500)
    page.headers.update(headers_for(request.url.path))
    page.headers[HEADER] = known or ""
    return page


def fault_in(error: InvalidInputError) -> Fault:
    """What is wrong with an answer: missing, not chosen, too long (and how long it may be), or unreadable."""
    if error.field not in _WRITTEN:
        return Fault("not_chosen")
    cause = error.__cause__
    found: dict[str, Any] = dict(cause.errors()[0]) if isinstance(cause, ValidationError) else {}
    return fault_of(found, otherwise="missing")


def _bare(request: Request, name: str, *, status: int, **context: Any) -> HTMLResponse:
    language = page_language(request)
    return HTMLResponse(render_page(name, language=language, **house(language), **context), status)
