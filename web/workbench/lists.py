"""The lists of the workbench: my tickets by what is due first, those that nobody has taken yet, and the search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from clock import utc_now
from db import worklists
from db.rows import Row
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_CONTACT, MAY_TAKE_TICKETS
from domain.contact import mask_phone, normalise_phone, shown_name
from domain.exceptions import InvalidInputError
from domain.tickets import ticket_id
from web.workbench.door import Member, StaffMember
from web.workbench.frame import show, show_part

router = APIRouter(prefix="/workbench")
_MOST, _MOST_FOUND = 50, 30
_LONGEST_QUESTION = 100


@router.get("")
def my_tickets(member: Member) -> Response:
    """What is due first stands on top; what is over its time says so in words."""
    return show(member, "mine", now=utc_now(), **_mine(member))


@router.get("/mine.html")
def my_tickets_alone(request: Request, member: Member) -> Response:
    """The lists without their frame."""
    return show_part(request, member, "mine_lists", now=utc_now(), **_mine(member))


@router.get("/search")
def show_search(member: Member) -> Response:
    """The question."""
    return show(member, "search", now=utc_now(), asked="", found=None)


@router.post("/search")
def search(member: Member, asked: Annotated[str, Form()] = "") -> Response:
    """Tickets by number, phone, name or serial number. A form, so that no phone number gets into an address."""
    asked = "".join(character for character in asked if character.isprintable())[:_LONGEST_QUESTION].strip()
    found = _found(member, asked) if asked else None
    return show(member, "search", now=utc_now(), asked=asked, found=found)


def _mine(member: StaffMember) -> dict[str, Any]:
    with transaction() as connection:
        mine = worklists.of_member(connection, member.id, limit=_MOST)
        free = worklists.unassigned(connection, limit=_MOST) if member.role in MAY_TAKE_TICKETS else []
    return {"mine": _shown(mine, member), "free": _shown(free, member)}


def _shown(rows: Sequence[Row], member: StaffMember) -> list[Row]:
    """Tickets as the member may see their customers (S-02, S-71)."""
    serves = member.role in MAY_READ_CONTACT
    return [
        row | {"phone": mask_phone(row["phone"]), "customer_name": shown_name(row, to_servers=serves)} for row in rows
    ]


def _found(member: StaffMember, asked: str) -> list[Row]:
    phone = None
    if member.role in MAY_READ_CONTACT:
        try:
            phone = normalise_phone(asked, region=get_standard().organisation.default_phone_region)
        except InvalidInputError:
            phone = None
    try:
        number = ticket_id(asked)
    except InvalidInputError:
        number = None
    text = asked.encode("utf-8", "ignore").decode()
    with transaction() as connection:
        rows = worklists.found(connection, ticket_id=number, phone=phone, serial=text, name=text, limit=_MOST_FOUND)
    serves = member.role in MAY_READ_CONTACT
    # A name that is not to be shown is not confirmed either: it finds nothing.
    told = [row for row in rows if serves or not row["wants_anonymity"] or row["id"] == number]
    return _shown(told, member)
