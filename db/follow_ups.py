"""What Aftercare itself does after an event: acknowledge, assign, climb a tier (S-05, S-12, S-13); each exactly once.

The event's row in ``pending_events`` is taken away and the steps are applied in one transaction:
a kill at any line leaves either everything or nothing done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.orm import aliased

import tracing
from db import staff
from db.commands import apply_to
from db.held import HeldTicket, hold
from db.models import PendingEvent, Ticket, TicketEvent
from db.rows import fetch_one
from domain.assignment import STARTING_TIER, Need, choose_assignee, is_eligible, next_tier
from domain.commands import Acknowledge, Assign, Close, Command, EscalateTier
from domain.escalation import AlarmKind
from domain.exceptions import NobodyEligibleError
from domain.lifecycle import COMMANDS, STATES, CommandName, TicketState
from domain.people import SYSTEM, Tier
from domain.standard import Standard
from domain.tickets import Priority


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """What was done after one event. ``problem``: it could not be done yet, and why; ``is_last``: no other was due."""

    ticket_number: str
    event: str
    done: tuple[str, ...]
    problem: str | None = None
    is_last: bool = False


def find_due(connection: Connection, *, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Tickets (id, number) with events to follow up, oldest first; nothing is claimed."""
    query = (
        select(PendingEvent.ticket_id, Ticket.number)
        .join(Ticket, Ticket.id == PendingEvent.ticket_id)
        .where(PendingEvent.due_at <= now)
        .group_by(PendingEvent.ticket_id, Ticket.number)
        .order_by(PendingEvent.ticket_id)
        .limit(limit)
    )
    return [(row.ticket_id, row.number) for row in connection.execute(query)]


_OF_TICKET = (PendingEvent.ticket_id == bindparam("ticket"), PendingEvent.due_at <= bindparam("now"))
_FIRST = (
    select(PendingEvent.event_id)
    .where(*_OF_TICKET)
    .order_by(PendingEvent.event_id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_OTHER = aliased(PendingEvent)
_TAKE = (
    delete(PendingEvent)
    .where(PendingEvent.event_id == _FIRST.scalar_subquery())
    .returning(
        PendingEvent.event_id,
        PendingEvent.kind,
        PendingEvent.attempts,
        select(TicketEvent.traceparent)
        .where(TicketEvent.id == PendingEvent.event_id)
        .scalar_subquery()
        .label("traceparent"),
        ~select(_OTHER.event_id)
        .where(_OTHER.ticket_id == bindparam("ticket"), _OTHER.due_at <= bindparam("now"))
        .where(_OTHER.event_id != PendingEvent.event_id)
        .exists()
        .label("is_last"),
    )
)


def carry_out_next(connection: Connection, ticket_id: int, *, standard: Standard, now: datetime) -> FollowedUp | None:
    """Follow up the ticket's oldest due event; None when there is none or another process has it."""
    pending = fetch_one(connection, _TAKE, ticket=ticket_id, now=now)
    if pending is None:
        return None
    held = hold(connection, ticket_id)
    done: list[str] = []
    says = {tracing.TICKET: held.number, tracing.EVENT: pending["kind"]}
    try:
        with tracing.span("follow up", says, caused_by=pending["traceparent"]):
            for command in _steps(connection, pending["kind"], held.row, standard, now=now):
                apply_to(held, command, SYSTEM, standard=standard, now=now)
                done.append(command.name.value)
    except NobodyEligibleError as error:
        # What went before stands: customers hear at once that we have their report, whoever is there (S-05).
        _postpone(connection, held, pending, str(error), standard, now=now)
        return FollowedUp(held.number, pending["kind"], tuple(done), str(error), pending["is_last"])
    return FollowedUp(held.number, pending["kind"], tuple(done), is_last=pending["is_last"])


def close_unanswered(connection: Connection, ticket_id: int, *, standard: Standard, now: datetime) -> bool:
    """Close a completed ticket whose customer did not answer in time (S-40); False when they just did."""
    held = hold(connection, ticket_id)
    if held.row["close_due_at"] is None or held.row["close_due_at"] > now:
        return False
    apply_to(held, Close(), SYSTEM, standard=standard, now=now)
    return True


def _steps(
    connection: Connection, kind: str, ticket: Mapping[str, Any], standard: Standard, *, now: datetime
) -> Iterator[Command]:
    """The commands that follow an event, one by one; none when the ticket has moved on meanwhile."""
    state = TicketState(ticket["state"])
    if STATES[state].is_over:
        return
    match kind:
        case "opened":
            if state is TicketState.NEW:
                yield Acknowledge()
            if ticket["assignee_id"] is None:
                yield assignment(connection, ticket, STARTING_TIER, standard, now=now)
        case CommandName.CHANGE_PRIORITY | CommandName.REOPEN:
            if state in COMMANDS[CommandName.ASSIGN].sources and not _assignee_fits(connection, ticket, standard):
                yield assignment(connection, ticket, Tier(ticket["tier"]), standard, now=now)
        case AlarmKind.BREACH:
            if state in COMMANDS[CommandName.ESCALATE_TIER].sources:
                yield from climb(connection, ticket, standard, now=now)


def assignment(
    connection: Connection, ticket: Mapping[str, Any], tier: Tier, standard: Standard, *, now: datetime
) -> Assign:
    """The command that gives a ticket to whom the rules choose, never to its present assignee (S-12).

    Raises NobodyEligibleError.
    """
    need = _need(ticket, tier)
    choice = choose_assignee(staff.candidates(connection, standard), need, now=now, except_for=ticket["assignee_id"])
    return Assign(assignee_id=choice.candidate.id, reason=choice.reason)


def climb(
    connection: Connection, ticket: Mapping[str, Any], standard: Standard, *, now: datetime
) -> tuple[EscalateTier, ...]:
    """The command that lets a ticket climb a tier, or none at the top (S-13). Raises NobodyEligibleError."""
    tier = next_tier(Tier(ticket["tier"]))
    if tier is None:
        return ()
    choice = choose_assignee(
        staff.candidates(connection, standard), _need(ticket, tier), now=now, except_for=ticket["assignee_id"]
    )
    return (EscalateTier(assignee_id=choice.candidate.id, reason=choice.reason),)


def _assignee_fits(connection: Connection, ticket: Mapping[str, Any], standard: Standard) -> bool:
    """Whether the present assignee may keep the ticket at its present priority (S-12)."""
    if ticket["assignee_id"] is None:
        return False
    need = _need(ticket, Tier(ticket["tier"]))
    return any(c.id == ticket["assignee_id"] and is_eligible(c, need) for c in staff.candidates(connection, standard))


def _need(ticket: Mapping[str, Any], tier: Tier) -> Need:
    return Need(Priority(ticket["priority"]), tier, ticket["region"], ticket["product_model"])


def _postpone(
    connection: Connection,
    held: HeldTicket,
    pending: Mapping[str, Any],
    problem: str,
    standard: Standard,
    *,
    now: datetime,
) -> None:
    row = {
        "event_id": pending["event_id"],
        "ticket_id": held.id,
        "kind": pending["kind"],
        "due_at": now + standard.follow_up.retry_after,
        "attempts": pending["attempts"] + 1,
        "problem": problem,
    }
    connection.execute(insert(PendingEvent), row)
