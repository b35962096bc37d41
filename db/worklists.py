"""What is to be done at the workbench, the promise due first on top (S-10, S-12)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from db.models import Customer, SlaClock, Staff, Ticket
from db.rows import Row, fetch


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
        select(
            Ticket.id,
            Ticket.number,
            Ticket.subject,
            Ticket.state,
            Ticket.priority,
            Ticket.is_safety_risk,
            Ticket.opened_at,
            Ticket.assignee_id,
            Customer.name.label("customer_name"),
            Staff.name.label("assignee_name"),
            first.c.due_at,
            first.c.due_kind,
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Staff, Staff.id == Ticket.assignee_id)
        .outerjoin(first, first.c.due_at.is_not(None))
        .where(*conditions)
        .order_by(first.c.due_at.nulls_last(), Ticket.priority, Ticket.id)
        .limit(limit)
    )


def of_member(connection: Connection, staff_id: int, *, limit: int) -> list[Row]:
    """The open tickets of a member of staff."""
    return fetch(connection, listed(Ticket.assignee_id == staff_id, Ticket.closed_at.is_(None), limit=limit))


def unassigned(connection: Connection, *, limit: int) -> list[Row]:
    """Open tickets that nobody has taken yet (S-12)."""
    return fetch(connection, listed(Ticket.assignee_id.is_(None), Ticket.closed_at.is_(None), limit=limit))
