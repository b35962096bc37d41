"""What the workbench's pages about tickets and calls have in common: the reader, the form, the frame."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from clock import utc_now
from templates.environment import rendered
from templates.languages import languages, word
from web.language import house
from web.workbench.desk import Reader
from web.workbench.door import StaffMember
from web.workbench.typed import Typed


def reader_of(member: StaffMember) -> Reader:
    return Reader(member.actor, member.name, member.language, member.time_zone)


async def read_form(request: Request, member: StaffMember) -> Typed:
    form = await request.form(max_files=8, max_fields=200)
    return Typed.of(form, zone=member.time_zone, now=utc_now())


def show_page(
    _request: Request, member: StaffMember, name: str, *, now: datetime, status: int = 200, **context: Any
) -> HTMLResponse:
    frame = house(member.language) | {
        "language": member.language,
        "time_zone": member.time_zone,
        "now": now,
        "csrf": "x",
    }
    names = {tag: word(tag, "language", "name") for tag in languages()}
    html = rendered(f"layouts/{name}.html", {**frame, "names": names, **context}, autoescape=True)
    return HTMLResponse(html, status)
