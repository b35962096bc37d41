"""A new ticket, its first event and what is to be done after it, written in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.sql.dml import ReturningInsert

from db import events
from db.models import PendingEvent, Ticket, TicketEvent

_NEXT = select(func.nextval(func.pg_get_serial_sequence("tickets", "id")))


def write(connection: Connection, ticket: Mapping[str, Any], opened: events.NewEvent) -> tuple[int, int]:
    """Write it; returns the ids of ticket and event. The number comes first, because the event's digest covers it."""
    ticket_id = connection.execute(_NEXT).scalar_one()
    (event,) = events.chained_rows(ticket_id, 0, events.GENESIS, [opened])
    ticket = {**ticket, "id": ticket_id, "event_count": event["seq"], "event_digest": event["digest"]}
    values = {f"ticket_{name}": value for name, value in ticket.items()}
    values |= {f"event_{name}": value for name, value in event.items()}
    return ticket_id, connection.execute(_statement(tuple(ticket), tuple(event)), values).scalar_one()


@cache
def _statement(ticket: tuple[str, ...], event: tuple[str, ...]) -> ReturningInsert[tuple[int]]:
    opened = insert(Ticket).values({name: bindparam(f"ticket_{name}") for name in ticket}).returning(Ticket.id)
    happened = (
        insert(TicketEvent)
        .values({name: bindparam(f"event_{name}") for name in event})
        .returning(TicketEvent.id, TicketEvent.ticket_id, TicketEvent.kind, TicketEvent.at)
        .cte("happened")
    )
    return (
        insert(PendingEvent)
        .from_select(["event_id", "ticket_id", "kind", "due_at"], select(happened))
        .add_cte(opened.cte("opened"))
        .returning(PendingEvent.event_id)
    )
