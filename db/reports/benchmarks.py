"""The published benchmarks: contacted in 24 hours, completed in 3 working days (S-61).

A ticket counts in the period in which that time ended, so that each counts once and none whose time still runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, DateTime, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from db.models import SlaClock, Ticket
from db.reports.periods import in_region
from db.rows import Row, fetch
from domain.lifecycle import TicketState
from domain.sla import ClockKind
from domain.spans import Span
from domain.standard import Standard

_WORKING_DAY = timedelta(hours=9)
_DAY = timedelta(days=1)
_MOMENT = DateTime(timezone=True)


def answered(connection: Connection, span: Span, standard: Standard) -> Row:
    """Of the reported period: ``tickets``, and how many were contacted ``in_time``."""
    limit = standard.benchmarks.answered_within
    is_asked = (Ticket.opened_at >= span.since - limit) & (Ticket.opened_at < span.until - limit)
    return _count(connection, ClockKind.RESPONSE, span, is_asked, SlaClock.stopped_at - Ticket.opened_at <= limit)


def informed(connection: Connection, span: Span, standard: Standard) -> Row:
    """Of the reported period: ``tickets``, and how many were completed ``in_time``, by the office's hours."""
    limit = standard.benchmarks.informed_within_working_days * _WORKING_DAY
    calendars = [standard.calendar(name) for name in standard.calendars]
    office = next((calendar for calendar in calendars if not calendar.always_open), calendars[0])
    first = span.since
    while office.between(first, span.since) < limit:
        first -= _DAY
    # A working day more than is asked about, so that what was completed after its time has used more than that.
    periods = list(office.periods(first, office.add(span.until, _WORKING_DAY)))
    hours = func.unnest(*(cast(list(moments), ARRAY(_MOMENT)) for moments in zip(*periods, strict=True)))
    columns = (column("opens", _MOMENT), column("closes", _MOMENT))
    open_hours = hours.table_valued(*columns, name="open_hours").render_derived()

    def worked(end: Any) -> ColumnElement[timedelta]:
        used = func.least(open_hours.c.closes, end) - func.greatest(open_hours.c.opens, Ticket.opened_at)
        is_used = (open_hours.c.closes > Ticket.opened_at) & (open_hours.c.opens < end)
        total = func.coalesce(func.sum(used), literal(timedelta(0)))
        return select(total).where(is_used).correlate(Ticket, SlaClock).scalar_subquery()

    has_ended = (worked(literal(span.since, _MOMENT)) < limit) & (worked(literal(span.until, _MOMENT)) >= limit)
    is_asked = (Ticket.opened_at >= first) & (Ticket.opened_at < span.until) & has_ended
    is_in_time = SlaClock.stopped_at.is_not(None) & (worked(SlaClock.stopped_at) <= limit)
    return _count(connection, ClockKind.RESOLUTION, span, is_asked, is_in_time)


def _count(
    connection: Connection, kind: ClockKind, span: Span, is_asked: ColumnElement[bool], in_time: ColumnElement[bool]
) -> Row:
    """Tickets that were not cancelled, and of how many the first clock of this kind stopped in time."""
    first_clock = (SlaClock.ticket_id == Ticket.id) & (SlaClock.round == 1) & (SlaClock.kind == kind.value)
    query = (
        select(func.count().label("tickets"), func.count().filter(in_time).label("in_time"))
        .select_from(Ticket)
        .outerjoin(SlaClock, first_clock)
        .where(Ticket.state != TicketState.CANCELLED.value, is_asked, in_region(span))
    )
    return fetch(connection, query)[0]
