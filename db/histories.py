"""Read-only queries over a whole history, as a replay reports it: counts, breaches by week, load per person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from db.models import Message, SlaClock, Staff, Ticket, TicketEvent
from domain.lifecycle import CommandName


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


def load(connection: Connection) -> list[dict[str, Any]]:
    """Per person: commands given, and tickets held at the end."""
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
        select(Staff.name, given.c.commands, given.c.tickets)
        .join(given, given.c.actor_id == Staff.id)
        .order_by(given.c.tickets.desc())
    )
    return [
        {"name": name, "commands": commands, "tickets": tickets}
        for name, commands, tickets in connection.execute(query)
    ]


def messages_by_kind(connection: Connection) -> dict[str, int]:
    """How many messages of each kind were queued, the most frequent first."""
    query = select(Message.kind, func.count()).group_by(Message.kind).order_by(func.count().desc())
    return dict(connection.execute(query).tuples().all())
