"""A new ticket, its first event, its clocks and what is to be done after it, written in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select
from sqlalchemy.sql.dml import ReturningInsert

from db import events
from db.models import PendingEvent, SlaClock, Ticket, TicketEvent

_NEXT = select(func.nextval(func.pg_get_serial_sequence("tickets", "id")))


def write(
    connection: Connection, ticket: Mapping[str, Any], opened: events.NewEvent, clocks: Sequence[Mapping[str, Any]]
) -> tuple[int, int]:
    """Write it; returns the ids of ticket and event. The number comes first, because the event's digest covers it."""
    ticket_id = connection.execute(_NEXT).scalar_one()
    (event,) = events.chained_rows(ticket_id, 0, events.GENESIS, [opened])
    ticket = {**ticket, "id": ticket_id, "event_count": event["seq"], "event_digest": event["digest"]}
    records = {"ticket": ticket, "event": event}
    records |= {f"clock{place}": {"ticket_id": ticket_id, **clock} for place, clock in enumerate(clocks)}
    values = {f"{record}_{name}": value for record, columns in records.items() for name, value in columns.items()}
    statement = _statement(tuple(ticket), tuple(event), tuple(records["clock0"]), len(clocks))
    return ticket_id, connection.execute(statement, values).scalar_one()


@cache
def _statement(
    ticket: tuple[str, ...], event: tuple[str, ...], clock: tuple[str, ...], clocks: int
) -> ReturningInsert[tuple[int]]:
    opened = insert(Ticket).values(_bound("ticket", ticket)).returning(Ticket.id)
    happened = (
        insert(TicketEvent)
        .values(_bound("event", event))
        .returning(TicketEvent.id, TicketEvent.ticket_id, TicketEvent.kind, TicketEvent.at)
        .cte("happened")
    )
    # One insert of several rows would be compiled anew each time: SQLAlchemy does not keep those.
    started = [insert(SlaClock).values(_bound(f"clock{place}", clock)).cte(f"clock{place}") for place in range(clocks)]
    return (
        insert(PendingEvent)
        .from_select(["event_id", "ticket_id", "kind", "due_at"], select(happened))
        .add_cte(opened.cte("opened"), *started)
        .returning(PendingEvent.event_id)
    )


def _bound(record: str, columns: tuple[str, ...]) -> dict[str, BindParameter[Any]]:
    return {name: bindparam(f"{record}_{name}") for name in columns}
