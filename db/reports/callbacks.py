"""Callbacks that were due, and how many were done by then (S-42)."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from db.models import Callback, Ticket
from db.reports.periods import in_region, period, within
from db.rows import Row, fetch
from domain.satisfaction import CallbackKind, CallbackState
from domain.spans import Span


def due(connection: Connection, span: Span) -> list[Row]:
    """``period``, ``due`` and ``in_time``. Visits are no callbacks: nobody waits for them."""
    query = (
        select(
            period(Callback.due_at, span),
            func.count().label("due"),
            func.count().filter(Callback.done_at <= Callback.due_at).label("in_time"),
        )
        .join(Ticket, Ticket.id == Callback.ticket_id)
        .where(
            within(Callback.due_at, span),
            Callback.state != CallbackState.CANCELLED.value,
            Callback.kind != CallbackKind.FOLLOW_UP_VISIT.value,
            in_region(span),
        )
        .group_by("period")
    )
    return fetch(connection, query)
