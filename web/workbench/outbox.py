"""The outbox at the workbench: which messages are owed, failed or unclear, why, and what to do about each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import RedirectResponse, Response

from clock import utc_now
from db import fates, interventions, messages
from db.session import transaction
from domain.access import MAY_READ_CONTACT, MAY_READ_OUTBOX
from domain.commands import LARGEST_ID
from domain.contact import mask_address, shown_name
from domain.delivery import MessageState
from domain.exceptions import IllegalTransitionError, InvalidInputError
from domain.interventions import MessageStep
from domain.message_care import MAY_BE_RESENT, Shelf, advise
from domain.messages import MESSAGES, Medium, MessageKind
from domain.tickets import ticket_id
from web.workbench.door import StaffMember, require
from web.workbench.frame import show
from web.workbench.telling import known_word

router = APIRouter(prefix="/workbench/messages")
Carer = Annotated[StaffMember, Depends(require(*MAY_READ_OUTBOX))]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
_MOST = 50


@router.get("")
def show_outbox(member: Carer, shelf: str = "", ticket: str = "", before: str = "") -> Response:
    """A part of the outbox, the newest first: without a word what needs a person, of a ticket all its messages."""
    ticket, fault, wanted = ticket.strip()[:40], "", None
    if ticket:
        try:
            wanted = ticket_id(ticket.upper())
        except InvalidInputError:
            fault = "no_ticket"
    chosen = Shelf(shelf) if shelf in set(Shelf) else Shelf.ALL if ticket else Shelf.NEEDS_A_PERSON
    rows = []
    if not fault:
        place = min(int(before), LARGEST_ID) if before.isdecimal() and len(before) < 20 else None
        with transaction() as connection:
            rows = messages.on_shelf(connection, chosen, limit=_MOST + 1, before=place, ticket_id=wanted)
    return show(
        member,
        "messages",
        now=utc_now(),
        status=422 if fault else 200,
        rows=[told(row, member) for row in rows[:_MOST]],
        before=rows[_MOST - 1]["id"] if len(rows) > _MOST else None,
        shelf=chosen.value,
        shelves=[shelf.value for shelf in Shelf],
        ticket=ticket,
        fault=fault,
    )


@router.get("/{message_id}")
def show_message(member: Carer, message_id: Id, done: str = "") -> Response:
    """One message: its words without their links, and everything that was learnt of its fate."""
    return _page(member, message_id, done=bool(done))


@router.post("/{message_id}/resend")
def resend(member: Carer, message_id: Id) -> Response:
    """Send it again, because a person decided that it may come twice; a second tap changes nothing."""
    try:
        with transaction() as connection:
            if messages.get(connection, message_id)["state"] != MessageState.QUEUED:
                interventions.decide_message(connection, message_id, MessageStep.RESEND, member.actor, now=utc_now())
    except IllegalTransitionError:
        return _page(member, message_id, is_refused=True)
    return RedirectResponse(f"/workbench/messages/{message_id}?done=1", status_code=303)


def _page(member: StaffMember, message_id: int, *, done: bool = False, is_refused: bool = False) -> Response:
    with transaction() as connection:
        row = messages.get(connection, message_id)
        story = fates.story(connection, message_id)
    return show(
        member,
        "message",
        now=utc_now(),
        status=409 if is_refused else 200,
        message=told(row, member) | {"body": _without_links(row["body"] or "")},
        story=story,
        may_resend=row["state"] in MAY_BE_RESENT,
        done=done,
        is_refused=is_refused,
    )


def told(row: Mapping[str, Any], member: StaffMember) -> dict[str, Any]:
    """A message as the reader may see it: its recipient masked, why it is as it is, and what to do."""
    code, audience = row["error_code"], MESSAGES[MessageKind(row["kind"])].audience
    return dict(row) | {
        "recipient": shown_name(row, "recipient_name", to_servers=member.role in MAY_READ_CONTACT),
        "address": mask_address(row["address"] or row["phone" if row["medium"] == Medium.SMS else "email"]),
        "why": known_word(member.language, code, "why") if code else "",
        "advice": advise(MessageState(row["state"]), code, audience).value,
    }


def _without_links(words: str) -> str:
    """What was said, but not what opens the customer's own pages."""
    return re.sub(r"https?://\S+", "…", words)
