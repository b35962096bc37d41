"""The frame of the workbench's pages: words in the reader's language, navigation, what every form needs."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from domain.access import MAY_IMPROVE, MAY_READ_OUTBOX, MAY_READ_WORDS, MAY_REVIEW
from templates.environment import rendered
from templates.languages import languages, switches, word
from web.headers import WITH_SCRIPT
from web.language import house
from web.workbench.door import StaffMember
from web.workbench.navigation import menus_for

# The one script file keeps lists up to date; everything works without it.
_HEADERS = {"Content-Security-Policy": f"{WITH_SCRIPT}; connect-src 'self'"}


def frame_of(member: StaffMember, *, now: datetime) -> dict[str, Any]:
    """What ``layouts/workbench.html`` and its pages are given."""
    return house(member.language) | {
        "language": member.language,
        "time_zone": member.time_zone,
        "now": now,
        "csrf": member.csrf,
        "member": member,
        "menus": menus_for(member.role),
        "sees_outbox": member.role in MAY_READ_OUTBOX,
        "improves": member.role in MAY_IMPROVE,
        "reviews_cases": member.role in MAY_REVIEW,
        "sees_words": member.role in MAY_READ_WORDS,
        "names": _names(),
    }


def show(member: StaffMember, name: str, *, now: datetime, status: int = 200, **context: Any) -> HTMLResponse:
    """The page ``layouts/workbench/<name>.html`` for who is signed in."""
    html = rendered(
        f"layouts/workbench/{name}.html", {**frame_of(member, now=now), "page": name, **context}, autoescape=True
    )
    return HTMLResponse(html, status, headers=_HEADERS)


def show_part(request: Request, member: StaffMember, name: str, *, now: datetime, **context: Any) -> Response:
    """A part of a page, for the page that is open already; 304 when nothing of it has changed."""
    response: Response = show(member, name, now=now, **context)
    tag = f'"{sha256(bytes(response.body)).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        response = Response(status_code=304)
    response.headers["ETag"] = tag
    return response


def show_outside(request: Request, name: str, language: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page for somebody who is not signed in; ``?lang=`` changes its language."""
    frame = house(language) | {"language": language, "member": None, "switches": switches(), "path": request.url.path}
    html = rendered(f"layouts/workbench/{name}.html", {**frame, **context}, autoescape=True)
    return HTMLResponse(html, status)


def _names() -> dict[str, str]:
    return {tag: word(tag, "language", "name") for tag in languages()}
