"""What is to be done at the workbench, the promise due first on top (S-10, S-12); and the search."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, func, select, tuple_, union
from sqlalchemy.orm import aliased

from db.models import Customer, SlaClock, Staff, Ticket
from db.rows import Row, fetch

_SHOWN = (
    Ticket.id,
    Ticket.number,
    Ticket.subject,
    Ticket.state,
    Ticket.priority,
    Ticket.is_safety_risk,
    Ticket.opened_at,
    Ticket.assignee_id,
    Customer.name.label("customer_name"),
    Customer.wants_anonymity,
    Customer.phone,
    Staff.name.label("assignee_name"),
)


def listed(*conditions: ColumnElement[bool], limit: int) -> Select[Any]:
    """Tickets with their customer, assignee and the running promise that is due first; those without one come last."""
    first = (
        select(SlaClock.due_at, SlaClock.kind.label("due_kind"))
        .where(
            SlaClock.ticket_id == Ticket.id,
            SlaClock.round == Ticket.round,
            SlaClock.stopped_at.is_(None),
            SlaClock.due_at.is_not(None),
        )
        .order_by(SlaClock.due_at)
        .limit(1)
        .lateral("first")
    )
    return (
        select(*_SHOWN, first.c.due_at, first.c.due_kind)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Staff, Staff.id == Ticket.assignee_id)
        .outerjoin(first, first.c.due_at.is_not(None))
        .where(*conditions)
        .order_by(first.c.due_at.nulls_last(), Ticket.priority, Ticket.id)
        .limit(limit)
    )


# From the promises to their tickets, along the index of those that run: what is asked costs what is due, not what is
# open. A ticket whose other promise runs out earlier stands where that one does.
_Earlier = aliased(SlaClock)
_DUE = (
    select(*_SHOWN, SlaClock.due_at, SlaClock.kind.label("due_kind"))
    .join(Ticket, (Ticket.id == SlaClock.ticket_id) & (Ticket.round == SlaClock.round))
    .join(Customer, Customer.id == Ticket.customer_id)
    .outerjoin(Staff, Staff.id == Ticket.assignee_id)
    .where(
        SlaClock.stopped_at.is_(None),
        SlaClock.due_at > bindparam("after"),
        SlaClock.due_at <= bindparam("until"),
        Ticket.closed_at.is_(None),
        ~exists().where(
            _Earlier.ticket_id == SlaClock.ticket_id,
            _Earlier.round == SlaClock.round,
            _Earlier.stopped_at.is_(None),
            tuple_(_Earlier.due_at, _Earlier.id) < tuple_(SlaClock.due_at, SlaClock.id),
        ),
    )
    .order_by(SlaClock.due_at, Ticket.priority, Ticket.id)
    .limit(bindparam("most"))
)
_EVER = datetime.min.replace(tzinfo=UTC)


def of_member(connection: Connection, staff_id: int, *, limit: int) -> list[Row]:
    """The open tickets of a member of staff."""
    return fetch(connection, listed(Ticket.assignee_id == staff_id, Ticket.closed_at.is_(None), limit=limit))


def unassigned(connection: Connection, *, limit: int, opened_until: datetime | None = None) -> list[Row]:
    """Open tickets that nobody has taken yet (S-12); only those that came until a moment, if it is given."""
    nobodys: list[ColumnElement[bool]] = [Ticket.assignee_id.is_(None), Ticket.closed_at.is_(None)]
    if opened_until is not None:
        nobodys.append(Ticket.opened_at <= opened_until)
    return fetch(connection, listed(*nobodys, limit=limit))


def due(connection: Connection, *, until: datetime, limit: int, after: datetime = _EVER) -> list[Row]:
    """Open tickets whose next promise is due by then, the first on top; and not before ``after``, if it is given."""
    return fetch(connection, _DUE, until=until, after=after, most=limit)


def found(
    connection: Connection, *, ticket_id: int | None, phone: str | None, serial: str, name: str, limit: int
) -> list[Row]:
    """Tickets with this number, serial number, or customer: by phone, or by how the name begins; open ones first."""
    whose = select(Customer.id).where(func.lower(Customer.name).startswith(name.lower(), autoescape=True))
    known = [
        Ticket.customer_id.in_(whose.order_by(Customer.id.desc()).limit(limit)),
        func.lower(Ticket.serial_number) == serial.lower(),
    ]
    if ticket_id is not None:
        known.append(Ticket.id == ticket_id)
    if phone is not None:
        known.append(Ticket.customer_id.in_(select(Customer.id).where(Customer.phone == phone)))
    # First which, each by its own index; then what is shown of them.
    ids = union(*(select(Ticket.id).where(way).order_by(Ticket.id.desc()).limit(limit) for way in known))
    query = listed(Ticket.id.in_(ids.scalar_subquery()), limit=limit)
    return fetch(connection, query.order_by(None).order_by(Ticket.closed_at.is_not(None), Ticket.id.desc()))
