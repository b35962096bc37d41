"""Which of a span's periods a moment belongs to, and which tickets are asked about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Values,
    and_,
    cast,
    column,
    func,
    literal,
    true,
    values,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.models import Ticket
from domain.spans import Span


def period(moment: Any, span: Span) -> ColumnElement[int]:
    """The period's number, counted from 0, the oldest."""
    begins = cast(list(span.borders[:-1]), ARRAY(DateTime(timezone=True)))
    return (func.width_bucket(moment, begins, type_=Integer) - 1).label("period")


def within(moment: Any, span: Span, *, since: datetime | None = None) -> ColumnElement[bool]:
    """In one of the periods, or in one from ``since`` on."""
    return and_(moment >= (since or span.first), moment < span.until)


def in_region(span: Span) -> ColumnElement[bool]:
    """The ticket is of the region that is asked for."""
    return true() if span.region is None else Ticket.region == span.region


def total(counts: Any) -> ColumnElement[int]:
    """The sum of counts as a count."""
    return cast(func.sum(counts), BigInteger)


def parts(**columns: Any) -> Values:
    """A lateral table by which a row counts once in all and once per part: ``part``, and the row's ``word`` for it.

    A row without a word is counted under the empty one, so that parts add up to the whole.
    """
    rows = [("all", literal("")), *((name, func.coalesce(column, "")) for name, column in columns.items())]
    return values(column("part", Text), column("word", Text), name="parts").data(rows).lateral()
