"""The first page of the workbench: my tickets by what is due first, and those that nobody has taken yet."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from clock import utc_now
from db import worklists
from db.session import transaction
from domain.access import MAY_TAKE_TICKETS
from web.workbench.door import Member
from web.workbench.frame import show

router = APIRouter(prefix="/work")
_MOST = 100


@router.get("")
def my_tickets(member: Member) -> Response:
    """What is due first stands on top; what is over its time says so in words."""
    now = utc_now()
    with transaction() as connection:
        mine = worklists.of_member(connection, member.id, limit=_MOST)
        free = worklists.unassigned(connection, limit=_MOST) if member.role in MAY_TAKE_TICKETS else []
    return show(member, "mine", now=now, mine=mine, free=free)
