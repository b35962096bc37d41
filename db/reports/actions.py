"""The improvement actions that were open at the end of a span, the one due first on top (S-54, S-61)."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select

from db.models import ImprovementAction as Action
from db.rows import Row, fetch
from domain.spans import Span


def open_at_end(connection: Connection, span: Span) -> list[Row]:
    """Each with its deadline, ISO 8601, and whether that was over by then; of a region, also those that name none."""
    query = (
        select(Action.id, Action.measure, Action.department, Action.due_on)
        .where(Action.decided_at < span.until, or_(Action.ended_at.is_(None), Action.ended_at >= span.until))
        .order_by(Action.due_on, Action.id)
    )
    if span.region is not None:
        query = query.where(or_(Action.region.is_(None), Action.region == span.region))
    ended_on = span.until.date()
    return [
        row | {"due_on": row["due_on"].isoformat(), "is_overdue": row["due_on"] < ended_on}
        for row in fetch(connection, query)
    ]
