"""The only door to a ticket's state: one command, one transaction, with its event, its notices and its clocks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

import logs
import tracing
from db import alarms, clocks, entries, events, outbox
from db.effects import EFFECTS
from db.held import HeldTicket, hold
from db.models import PendingEvent, TicketEvent
from db.notices import ticket_context, to_customer, to_staff
from db.rows import fetch_one
from db.work import Work
from domain.commands import Command
from domain.escalation import Alarm
from domain.exceptions import ErasedError, IdempotencyKeyReusedError
from domain.lifecycle import COMMANDS, STATES, CommandName, TicketState, next_state, require_permission
from domain.people import Actor
from domain.standard import Standard
from domain.tickets import Channel, Priority

_log = logging.getLogger(logs.OURS)


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a command. ``was_repeated``: the idempotency key was known, nothing was done again."""

    ticket_id: int
    number: str
    state: TicketState
    event_id: int
    was_repeated: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


def apply_command(
    connection: Connection,
    ticket_id: int,
    command: Command,
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
    idempotency_key: str | None = None,
) -> Applied:
    """Lock the ticket, check the transition, write state, event, owed messages and clocks; the caller commits.

    Raises NotFoundError, NotPermittedError, IllegalTransitionError, InvalidInputError, or
    IdempotencyKeyReusedError; then nothing of the command is written.
    """
    held = hold(connection, ticket_id)
    return apply_to(held, command, actor, standard=standard, now=now, idempotency_key=idempotency_key)


def apply_to(
    held: HeldTicket,
    command: Command,
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
    idempotency_key: str | None = None,
) -> Applied:
    """``apply_command`` on a ticket that this transaction has locked already."""
    ticket = held.row
    if idempotency_key is not None:
        known = find_by_key(held.connection, idempotency_key)
        if known is not None:
            return _repeated(known, ticket, command, idempotency_key)
    if ticket["erased_at"] is not None:
        raise ErasedError(f"the personal data of {ticket['number']} were erased; open a new ticket")
    require_permission(actor, command.name)
    old_state = TicketState(ticket["state"])
    resume_state = TicketState(ticket["resume_state"]) if ticket["resume_state"] else None
    state = next_state(old_state, command.name, resume_state=resume_state)

    work = Work(held, actor, held.promised_by(standard), held.no_earlier(now))
    with tracing.span(command.name.value, {tracing.TICKET: held.number, tracing.EVENT: command.name.value}):
        EFFECTS[command.name](work, command)
        if state is not old_state:
            work.change(**_state_columns(work, old_state, state))

        moved, late = _move_clocks(work, command, state)
        event_id = _write(work, command, state, moved, late, idempotency_key, newest=standard)
    _log.info("command", extra={"ticket": held.number, "event": command.name.value, "state": state.value})
    return Applied(held.id, held.number, state, event_id, facts=work.facts)


_BY_KEY = select(TicketEvent.__table__).where(TicketEvent.idempotency_key == bindparam("wanted"))


def find_by_key(connection: Connection, idempotency_key: str) -> dict[str, Any] | None:
    """The event that an idempotency key made, or None."""
    return fetch_one(connection, _BY_KEY, wanted=idempotency_key)


def _repeated(known: Mapping[str, Any], ticket: Mapping[str, Any], command: Command, key: str) -> Applied:
    same = (known["ticket_id"], known["kind"], known["payload"]) == (ticket["id"], command.name, command.payload())
    if not same:
        raise IdempotencyKeyReusedError(f"the idempotency key {key!r} was used for another command; use a new key")
    return Applied(ticket["id"], ticket["number"], TicketState(known["to_state"]), known["id"], True, known["facts"])


def _state_columns(work: Work, old_state: TicketState, state: TicketState) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "state": state.value,
        "resume_state": old_state.value if state is TicketState.WAITING_CUSTOMER else None,
        "closed_at": work.now if STATES[state].is_over else None,
    }
    if state is TicketState.COMPLETED:
        columns["completed_at"] = work.now
        columns["close_due_at"] = work.now + work.standard.completion.close_without_answer_after
    else:
        columns["close_due_at"] = None
        if state is not TicketState.CLOSED:
            columns["completed_at"] = None
    return columns


def _move_clocks(
    work: Work, command: Command, state: TicketState
) -> tuple[list[dict[str, Any]], list[tuple[dict[str, Any], Alarm]]]:
    """Move the clocks; returns their new columns, and the breaches that no sweep had seen before one stopped."""
    promise = None
    if command.name is CommandName.CHANGE_PRIORITY:
        promise = (Priority(work.ticket["priority"]), Channel(work.ticket["channel"]))
    late: list[tuple[dict[str, Any], Alarm]] = []
    moved = []
    for row in work.held.clocks:
        columns, breaches = clocks.move(row, command.name, state, promise=promise, standard=work.standard, now=work.now)
        late += [(dict(row), alarm) for alarm in breaches]
        if columns is not None:
            row.update(columns)
            moved.append({"id": row["id"], **columns})
    return moved, late


def _write(
    work: Work,
    command: Command,
    state: TicketState,
    moved: list[dict[str, Any]],
    late: list[tuple[dict[str, Any], Alarm]],
    idempotency_key: str | None,
    *,
    newest: Standard,
) -> int:
    """Write the event, those of breaches found late, ticket, clocks and notices; returns the command's event id."""
    ticket = work.ticket
    news = [
        events.NewEvent(
            command.name.value, work.actor, work.now, state.value, command.payload(), work.facts, idempotency_key
        )
    ]
    messages: list[outbox.NewMessage] = []
    if late:
        leads = alarms.Leads.read(work.connection, newest)
        for row, alarm in late:
            event, notices, _ = alarms.announce(
                alarm, row, ticket, work.held.clocks, leads, work.standard, now=work.now
            )
            news.append(event)
            messages += notices
    rows = events.chained_rows(ticket["id"], ticket["event_count"], ticket["event_digest"], news)
    ticket |= {"event_count": rows[-1]["seq"], "event_digest": rows[-1]["digest"]}
    messages += _notices(work, command)
    event_id = entries.write(work.connection, rows, work.changes, messages=messages, moved_clocks=moved, now=work.now)
    if COMMANDS[command.name].needs_follow_up:
        pending = {"event_id": event_id, "ticket_id": ticket["id"], "kind": command.name.value, "due_at": work.now}
        work.connection.execute(insert(PendingEvent), pending)
    return event_id


def _notices(work: Work, command: Command) -> list[outbox.NewMessage]:
    traits = COMMANDS[command.name]
    context = ticket_context(work.ticket, work.held.clocks) | work.notice_context
    occasion = f"e{work.ticket['event_count']}"
    kind = work.customer_notice if work.has_own_customer_notice else traits.tells_customer
    messages = [to_customer(work.ticket, kind, occasion, context)] if kind is not None else []
    messages += [
        replace(to_customer(work.ticket, later, occasion, context), send_after=moment)
        for later, moment in work.later_notices
    ]
    if traits.tells_assignee is not None and work.ticket["assignee_id"] not in (None, work.actor_staff_id):
        messages.append(
            to_staff(
                work.ticket,
                work.ticket["assignee_id"],
                work.ticket["assignee_language"],
                traits.tells_assignee,
                occasion,
                context,
            )
        )
    messages += [
        to_staff(work.ticket, staff_id, language, staff_kind, occasion, context | dict(extra))
        for staff_id, language, staff_kind, extra in work.staff_notices
    ]
    return messages
