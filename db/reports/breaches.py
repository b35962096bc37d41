"""Broken promises, with what the event log knows of their course: the signs that ``domain.breaches`` judges by."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Select, case, func, select, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from db.models import SlaClock, Staff, Team, Ticket, TicketEvent
from db.reports.periods import in_region, period, within
from db.reports.promises import IS_JUDGED, holder
from db.rows import Row, fetch
from domain.breaches import BrokenPromise
from domain.escalation import AlarmKind
from domain.field_work import PartUse
from domain.lifecycle import CommandName
from domain.sla import ClockKind
from domain.spans import Span

MOST_CASES = 20
_SIGNS = [field.name for field in fields(BrokenPromise)]


def signs(connection: Connection, span: Span) -> list[Row]:
    """``period``, the fields of a BrokenPromise, and how many ``promises`` broke under these signs."""
    broken = _broken(span).subquery()
    by = [broken.c.period, *(broken.c[name] for name in _SIGNS)]
    return fetch(connection, select(*by, func.count().label("promises")).group_by(*by))


def worst(connection: Connection, span: Span) -> list[Row]:
    """The broken promises of the reported period with their signs, the most urgent first, then the oldest."""
    names = (
        Ticket.number.label("ticket_number"),
        Ticket.priority,
        SlaClock.breached_at.label("due_at"),
        Staff.name.label("assignee_name"),
        Team.name.label("team_name"),
    )
    query = _broken(span).add_columns(*names).where(SlaClock.breached_at >= span.since)
    return fetch(connection, query.order_by(Ticket.priority, SlaClock.breached_at, SlaClock.id).limit(MOST_CASES))


def _broken(span: Span) -> Select[Any]:
    course = _course()
    return (
        select(
            period(SlaClock.breached_at, span),
            SlaClock.kind.label("clock"),
            func.coalesce(course.c.raised_seq < course.c.breach_seq, False).label("was_raised"),
            (Staff.id.is_not(None)).label("is_assigned"),
            _broke_before(ClockKind.ASSIGNMENT).label("is_assigned_late"),
            _broke_before(ClockKind.RESPONSE).label("is_contacted_late"),
            *(course.c[name] for name in ("waited_for_part", "has_delay")),
            ((SlaClock.round > 1) | course.c.was_not_fixed).label("came_back"),
            *(course.c[name] for name in ("was_refused", "changed_hands", "waited_for_customer")),
        )
        .select_from(SlaClock)
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .outerjoin(Staff, Staff.id == holder(SlaClock.breached_at))
        .outerjoin(Team, Team.id == Staff.team_id)
        .join(course, true())
        .where(IS_JUDGED, within(SlaClock.breached_at, span, since=span.before), in_region(span))
    )


def _course() -> LateralFromClause:
    """What happened on the ticket between the start of a clock and its breach."""
    event = TicketEvent
    is_before = (event.at >= SlaClock.started_at) & (event.at < SlaClock.breached_at)
    of_clock = func.jsonb_build_object("clock", SlaClock.kind, "round", SlaClock.round)
    is_breach = (event.kind == AlarmKind.BREACH.value) & event.facts.contains(of_clock)
    is_raise = (event.kind == CommandName.CHANGE_PRIORITY.value) & (event.at >= SlaClock.breached_at)
    awaited = {"parts": [{"use": PartUse.AWAITED.value}]}

    def happened(*kinds: CommandName) -> Any:
        return is_before & event.kind.in_([kind.value for kind in kinds])

    # The first assignment of the first round is no change of hands.
    assignments = func.count().filter(happened(CommandName.ASSIGN))
    return (
        select(
            func.min(event.seq).filter(is_raise).label("raised_seq"),
            func.min(event.seq).filter(is_breach).label("breach_seq"),
            _any(happened(CommandName.LOG_STEP) & event.payload.contains(awaited)).label("waited_for_part"),
            _any(happened(CommandName.REPORT_DELAY)).label("has_delay"),
            _any(happened(CommandName.REPORT_NOT_FIXED)).label("was_not_fixed"),
            _any(happened(CommandName.OBJECT_TO_PLAN)).label("was_refused"),
            (assignments > case((SlaClock.round == 1, 1), else_=0)).label("changed_hands"),
            _any(happened(CommandName.ASK_CUSTOMER, CommandName.PROPOSE_PLAN)).label("waited_for_customer"),
        )
        .where(event.ticket_id == SlaClock.ticket_id)
        .correlate(SlaClock)
        .lateral("course")
    )


def _any(condition: Any) -> Any:
    return func.coalesce(func.bool_or(condition), False)


def _broke_before(kind: ClockKind) -> Any:
    """An earlier promise of the same round had been broken when this one broke."""
    earlier = aliased(SlaClock)
    return (
        select(earlier.id)
        .where(earlier.ticket_id == SlaClock.ticket_id, earlier.round == SlaClock.round, earlier.kind == kind.value)
        .where(earlier.breached_at < SlaClock.breached_at)
        .correlate(SlaClock)
        .exists()
    )
