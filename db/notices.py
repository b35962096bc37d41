"""This file turns an occasion into the messages it owes: to the customer, the assignee, a supervisor, a manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from db.outbox import NewMessage
from domain.contact import shown_name
from domain.messages import UNNAMED, Medium, MessageKind, choose_medium
from domain.sla import ClockKind
from domain.tickets import Priority


def iso(moment: datetime | None) -> str | None:
    """A moment as a message's context keeps it."""
    return moment.astimezone(UTC).isoformat() if moment is not None else None


def ticket_context(ticket: Mapping[str, Any], clocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the words of every message about this ticket may use."""
    due = {clock["kind"]: clock["due_at"] for clock in clocks}
    return {
        "ticket_number": ticket["number"],
        "customer_name": ticket["customer_name"],
        "subject": ticket["subject"],
        "category": ticket["category"],
        "priority": ticket["priority"],
        "respond_by": iso(due.get(ClockKind.RESPONSE)),
        "resolve_by": iso(due.get(ClockKind.RESOLUTION)),
        "assignee_name": ticket["assignee_name"],
    }


def to_customer(ticket: Mapping[str, Any], kind: MessageKind, occasion: str, context: Mapping[str, Any]) -> NewMessage:
    """A message to the ticket's customer, in their language and by their medium (S-02)."""
    medium = choose_medium(
        preferred=Medium(ticket["preferred_medium"]), phone=ticket["customer_phone"], email=ticket["customer_email"]
    )
    return NewMessage(
        dedupe_key=f"{ticket['number']}:{occasion}:{kind.value}:customer",
        kind=kind,
        medium=medium,
        language=ticket["customer_language"],
        context=context,
        ticket_id=ticket["id"],
        customer_id=ticket["customer_id"],
        is_urgent=_is_urgent(ticket),
    )


def to_staff(
    ticket: Mapping[str, Any],
    staff_id: int,
    language: str,
    kind: MessageKind,
    occasion: str,
    context: Mapping[str, Any],
) -> NewMessage:
    """A message about the ticket to a member of staff, by e-mail."""
    if kind in UNNAMED:
        context = {**context, "customer_name": shown_name(ticket, to_servers=False)}
    return NewMessage(
        dedupe_key=f"{ticket['number']}:{occasion}:{kind.value}:staff{staff_id}",
        kind=kind,
        medium=Medium.EMAIL,
        language=language,
        context=context,
        ticket_id=ticket["id"],
        staff_id=staff_id,
        is_urgent=_is_urgent(ticket),
    )


def _is_urgent(ticket: Mapping[str, Any]) -> bool:
    """S-11: what is P1 waits behind nothing that is not."""
    return bool(ticket["priority"] == Priority.P1)
