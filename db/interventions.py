"""What operations decide from the control room, done in the same transaction as the event that keeps the reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from db import clocks, events, fates, follow_ups, messages, occurrences, staff
from db.commands import apply_to
from db.held import HeldTicket, hold
from db.models import PendingEvent, Ticket
from domain.commands import Assign, Close, Command
from domain.exceptions import DomainError, IllegalTransitionError
from domain.interventions import INTERVENTION, MessageStep, TicketStep
from domain.lifecycle import COMMANDS, CommandName
from domain.people import SYSTEM, Actor, Tier
from domain.standard import Standard

_SOURCE = "operations"


def advance(
    connection: Connection,
    ticket_id: int,
    step: TicketStep,
    *,
    reason: str,
    to_staff: int | None,
    standard: Standard,
    now: datetime,
) -> str:
    """Take one step with a ticket by hand; returns in words what was done.

    Raises NotFoundError, IllegalTransitionError, InvalidInputError or NobodyEligibleError; then nothing is written.
    """
    held = hold(connection, ticket_id)
    if step is TicketStep.REPAIR:
        done = _repair(held, standard)
    elif step is TicketStep.FOLLOW_UP:
        done = _hasten(held, now=now)
    else:
        done = ", ".join(
            f"{command.name.value}: {apply_to(held, command, SYSTEM, standard=standard, now=now).state.value}"
            for command in _commands(held, step, to_staff, reason, standard, now=now)
        )
    _note(held, step.value, reason, now=now)
    return done


def hand_over(
    connection: Connection,
    ticket_id: int,
    from_staff: int,
    *,
    reason: str,
    to_staff: int | None,
    standard: Standard,
    now: datetime,
) -> bool:
    """Give a ticket to somebody else; False when it is not this person's any more, or its work is done.

    Raises what ``advance`` raises.
    """
    held = hold(connection, ticket_id)
    can_move = held.row["state"] in COMMANDS[CommandName.ASSIGN].sources
    if held.row["assignee_id"] != from_staff or not can_move:
        return False
    for command in _commands(held, TicketStep.ASSIGN, to_staff, reason, standard, now=now):
        apply_to(held, command, SYSTEM, standard=standard, now=now)
    _note(held, TicketStep.ASSIGN.value, reason, now=now)
    return True


_OPEN_OF = (
    select(Ticket.id, Ticket.number)
    .where(Ticket.assignee_id == bindparam("person"), Ticket.closed_at.is_(None))
    .order_by(Ticket.id)
)


def open_tickets_of(connection: Connection, staff_id: int) -> list[tuple[int, str]]:
    """Id and number of each open ticket that somebody has."""
    return [(row.id, row.number) for row in connection.execute(_OPEN_OF, {"person": staff_id})]


def decide_message(
    connection: Connection,
    message_id: int,
    step: MessageStep,
    actor: Actor = SYSTEM,
    *,
    reason: str = "",
    now: datetime,
) -> None:
    """Send a message again, or take back one that waits; kept with the message, and in its ticket's history.

    Raises NotFoundError, or IllegalTransitionError, which says why it cannot be done.
    """
    message = messages.get(connection, message_id)
    # The ticket before the message: everybody locks in this order.
    held = hold(connection, message["ticket_id"]) if message["ticket_id"] is not None else None
    if step is MessageStep.RESEND:
        is_done = messages.resend(connection, message_id, now=now)
        possible = "only what is over and did not arrive is sent again, unless its words were erased"
    else:
        is_done = messages.cancel(connection, message_id, now=now)
        possible = "only what waits can be taken back"
    if not is_done:
        raise IllegalTransitionError(f"message {message_id} is {message['state']}; {possible}")
    fates.note(connection, [(message_id, message["attempts"], _SOURCE, step.value, reason or None)], now=now)
    if held is not None:
        _note(held, step.value, reason, actor, now=now, message_id=message_id)


def _commands(
    held: HeldTicket, step: TicketStep, to_staff: int | None, reason: str, standard: Standard, *, now: datetime
) -> Sequence[Command]:
    ticket = held.row
    match step:
        case TicketStep.CLOSE:
            return [Close()]
        case TicketStep.ASSIGN if to_staff is not None:
            staff.get(held.connection, to_staff)
            return [Assign(assignee_id=to_staff, reason=reason)]
        case TicketStep.ASSIGN:
            return [follow_ups.assignment(held.connection, ticket, Tier(ticket["tier"]), standard, now=now)]
        case TicketStep.CLIMB_TIER if steps := follow_ups.climb(held.connection, ticket, standard, now=now):
            return steps
    raise IllegalTransitionError("the ticket is with technical support already; there is no higher tier")


def _hasten(held: HeldTicket, *, now: datetime) -> str:
    """What waits for a later try is due now; the flow ``ticket_lifecycle`` does it within a second."""
    waiting = update(PendingEvent).where(PendingEvent.ticket_id == held.id, PendingEvent.due_at > now)
    hastened = held.connection.execute(waiting.values(due_at=now)).rowcount
    return f"{hastened} follow-ups are due now" if hastened else "no follow-up waits for a later time"


def _repair(held: HeldTicket, standard: Standard) -> str:
    """Reckon deadlines and alarms anew from what the clocks recorded. Raises DomainError for an altered history."""
    flaw = events.flaw_of(held.connection, held.row)
    if flaw is not None:
        raise DomainError(f"{held.number}: {flaw}; its history is evidence now: see 'db check' in docs/operations.md")
    mended: list[dict[str, Any]] = []
    for row in held.clocks:
        kept = {"rungs_raised": row["rungs_raised"], "breached_at": row["breached_at"]}
        columns = clocks.moving_columns(clocks.to_clock(row), row["calendar"], held.promised_by(standard), **kept)
        if any(row[name] != value for name, value in columns.items()):
            mended.append({"id": row["id"], **columns})
            row.update(columns)
    clocks.write(held.connection, mended)
    return f"history is sound, {len(mended)} of {len(held.clocks)} clocks mended"


def _note(held: HeldTicket, what: str, reason: str, actor: Actor = SYSTEM, *, now: datetime, **facts: int) -> None:
    occurrences.record(held, INTERVENTION, actor, now=now, facts={"did": what, "reason": reason, **facts})
