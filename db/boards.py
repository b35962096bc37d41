"""What a supervisor sees at a glance, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from db import messages, staff, worklists
from db.models import Callback, Customer, Staff, Ticket
from db.rows import Row, fetch
from domain.access import MAY_TAKE_TICKETS
from domain.message_care import Shelf
from domain.satisfaction import CallbackState

_MOST = 25


@dataclass(frozen=True)
class Board:
    """Lists with the most urgent first, at most 25 rows each."""

    late: list[Row]
    near: list[Row]
    calls: list[Row]
    untaken: list[Row]
    unclear: list[Row]
    people: list[Row]


def read(connection: Connection, *, now: datetime, near: timedelta, taken_within: timedelta) -> Board:
    """``near``: how long before its time a promise counts as nearly broken; ``taken_within``: the promise of S-12."""
    rows = worklists.due(connection, until=now, limit=_MOST)
    soon = worklists.due(connection, until=now + near, after=now, limit=_MOST)
    people = [row for row in staff.list_all(connection) if row["is_active"] and row["role"] in MAY_TAKE_TICKETS]
    return Board(
        rows,
        soon,
        fetch(connection, _CALLS.where(Callback.due_at <= now)),
        worklists.unassigned(connection, limit=_MOST, opened_until=now - taken_within),
        messages.on_shelf(connection, Shelf.NEEDS_A_PERSON, limit=_MOST),
        sorted(people, key=lambda row: (-row["load"], row["id"])),
    )


_CALLS = (
    select(
        Callback.id,
        Callback.kind,
        Callback.due_at,
        Ticket.number,
        Ticket.subject,
        Customer.name.label("customer_name"),
        Staff.name.label("assignee_name"),
    )
    .join(Ticket, Ticket.id == Callback.ticket_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .outerjoin(Staff, Staff.id == Callback.assigned_to)
    .where(Callback.state == CallbackState.OPEN.value)
    .order_by(Callback.due_at)
    .limit(_MOST)
)
