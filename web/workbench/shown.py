"""What the workbench's pages about tickets and calls have in common: who reads, and what was typed into a form."""

from __future__ import annotations

from fastapi import Request

from clock import utc_now
from web.workbench.desk import Reader
from web.workbench.door import StaffMember
from web.workbench.typed import Typed


def reader_of(member: StaffMember) -> Reader:
    """The member of staff as a reader of pages."""
    return Reader(member.actor, member.name, member.language, member.time_zone)


async def read_form(request: Request, member: StaffMember) -> Typed:
    """The form that the door has read and found to be ours."""
    return Typed.of(await request.form(), zone=member.time_zone, now=utc_now())
