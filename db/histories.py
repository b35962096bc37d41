"""Read-only queries over a whole history, as a replay reports it: promises, breaches, waiting, load, messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, Connection, func, select

from db.models import Message, SlaClock, Staff, Ticket, TicketEvent
from db.rows import fetch
from domain.lifecycle import CommandName, TicketState
from domain.sla import ClockKind
from domain.workload import Turn

_OF_CUSTOMERS = (ClockKind.RESPONSE.value, ClockKind.RESOLUTION.value)


def count(connection: Connection, table: Any) -> int:
    """How many rows a table has."""
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def breaches_by_week(connection: Connection, time_zone: str) -> dict[str, dict[str, int]]:
    """Breaches per ISO week in a zone and per priority."""
    week = func.to_char(func.timezone(time_zone, SlaClock.breached_at), 'IYYY-"W"IW')
    query = (
        select(week, Ticket.priority, func.count())
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .where(SlaClock.breached_at.is_not(None))
        .group_by(week, Ticket.priority)
        .order_by(week, Ticket.priority)
    )
    weeks: dict[str, dict[str, int]] = {}
    for label, priority, count in connection.execute(query):
        weeks.setdefault(label, {})[priority] = count
    return weeks


def promises(connection: Connection) -> dict[str, dict[str, dict[str, int]]]:
    """Per kind of clock and priority: promises ``made`` to customers, and those of them that were ``broken``."""
    query = (
        select(SlaClock.kind, Ticket.priority, func.count(), func.count(SlaClock.breached_at))
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .where(SlaClock.kind.in_(_OF_CUSTOMERS))
        .group_by(SlaClock.kind, Ticket.priority)
        .order_by(SlaClock.kind, Ticket.priority)
    )
    found: dict[str, dict[str, dict[str, int]]] = {kind: {} for kind in _OF_CUSTOMERS}
    for kind, priority, made, broken in connection.execute(query):
        found[kind][priority] = {"made": made, "broken": broken}
    return found


def waiting(connection: Connection) -> dict[str, dict[str, float]]:
    """Per kind of clock the seconds by the wall clock within which half, and nine of ten, had what they waited for."""
    waited = func.extract("epoch", SlaClock.stopped_at - SlaClock.started_at)
    query = (
        select(SlaClock.kind, *(func.percentile_cont(share).within_group(waited) for share in (0.5, 0.9)))
        .where(SlaClock.kind.in_(_OF_CUSTOMERS), SlaClock.stopped_at.is_not(None))
        .group_by(SlaClock.kind)
    )
    return {kind: {"half": half, "most": most} for kind, half, most in connection.execute(query)}


def turns(connection: Connection) -> Iterator[Turn]:
    """Every event as ``domain.workload`` wants it."""
    query = select(
        TicketEvent.ticket_id,
        TicketEvent.at,
        TicketEvent.to_state,
        TicketEvent.payload["assignee_id"].astext.cast(BigInteger),
    ).order_by(TicketEvent.ticket_id, TicketEvent.seq)
    for ticket_id, at, state, given_to in connection.execute(query):
        yield Turn(ticket_id, at, TicketState(state), given_to)


def load(connection: Connection) -> list[dict[str, Any]]:
    """Per engineer: the tickets they did something for, and the commands they gave; who did most comes first."""
    given = (
        select(
            TicketEvent.actor_id,
            func.count().label("commands"),
            func.count(TicketEvent.ticket_id.distinct()).label("tickets"),
        )
        .where(TicketEvent.actor_role == "engineer", TicketEvent.kind.in_([name.value for name in CommandName]))
        .group_by(TicketEvent.actor_id)
        .subquery()
    )
    query = (
        select(Staff.id, Staff.name, given.c.commands, given.c.tickets)
        .join(given, given.c.actor_id == Staff.id)
        .order_by(given.c.tickets.desc(), Staff.id)
    )
    return fetch(connection, query)


def messages_to(connection: Connection) -> dict[str, int]:
    """How many messages were queued for customers and for staff."""
    customers, staff = connection.execute(select(func.count(Message.customer_id), func.count(Message.staff_id))).one()
    return {"customers": customers, "staff": staff}


def messages_by_kind(connection: Connection) -> dict[str, int]:
    """How many messages of each kind were queued, the most frequent first."""
    query = select(Message.kind, func.count()).group_by(Message.kind).order_by(func.count().desc())
    return dict(connection.execute(query).tuples().all())
