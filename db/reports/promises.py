"""Promises decided in a span, by priority, category, region, and the team that had the ticket (S-61)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, case, func, or_, select, true
from sqlalchemy import cast as sql_cast

from db.models import SlaClock, Staff, Team, Ticket, TicketEvent
from db.reports.periods import in_region, parts, period, total, within
from db.rows import Row, fetch
from domain.lifecycle import CommandName, TicketState
from domain.sla import ClockKind
from domain.spans import Span

IS_JUDGED = SlaClock.kind.in_([ClockKind.RESPONSE.value, ClockKind.RESOLUTION.value])
_HANDED_OVER = TicketEvent.kind.in_([CommandName.ASSIGN.value, CommandName.ESCALATE_TIER.value])


def judged(connection: Connection, span: Span) -> list[Row]:
    """``period``, ``kind`` of clock, ``part``, ``word``, and how many were ``met`` and ``missed``.

    Broken when it breached, whatever came later; kept when its clock stopped unbroken, unless by a cancellation. Teams
    are told of the reported period and the one before; earlier ones are asked for their sums only.
    """
    decided_at = func.coalesce(SlaClock.breached_at, SlaClock.stopped_at)
    is_kept = SlaClock.breached_at.is_(None) & (Ticket.state != TicketState.CANCELLED.value)
    promise = (
        select(
            period(decided_at, span),
            SlaClock.kind,
            SlaClock.breached_at.is_(None).label("is_met"),
            Ticket.priority,
            Ticket.category,
            Ticket.region,
            case((decided_at >= span.before, holder(decided_at)), else_=0).label("holder_id"),
        )
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .where(IS_JUDGED, in_region(span))
        .where(or_(within(SlaClock.breached_at, span), is_kept & within(SlaClock.stopped_at, span)))
        .subquery()
    )
    # Counted before it is split into parts: many promises are alike.
    alike = select(*promise.c, func.count().label("promises")).group_by(*promise.c).subquery()
    of = parts(priority=alike.c.priority, category=alike.c.category, region=alike.c.region, team=Team.name)
    query = (
        select(
            alike.c.period,
            alike.c.kind,
            of.c.part,
            of.c.word,
            total(case((alike.c.is_met, alike.c.promises), else_=0)).label("met"),
            total(case((alike.c.is_met, 0), else_=alike.c.promises)).label("missed"),
        )
        .select_from(alike)
        .outerjoin(Staff, Staff.id == alike.c.holder_id)
        .outerjoin(Team, Team.id == Staff.team_id)
        .join(of, true())
        .group_by(alike.c.period, alike.c.kind, of.c.part, of.c.word)
    )
    return fetch(connection, query)


def holder(moment: Any) -> ColumnElement[int]:
    """Who had the ticket at a moment, 0 for nobody: whom the next hand-over took it from, else who has it now.

    A ticket climbs because a promise broke, so a climb of the same moment is the next hand-over already.
    """
    climbs = TicketEvent.kind == CommandName.ESCALATE_TIER.value
    next_hand_over = (
        select(func.coalesce(sql_cast(TicketEvent.facts["from"].astext, BigInteger), 0))
        .where(TicketEvent.ticket_id == Ticket.id, _HANDED_OVER)
        .where(or_(TicketEvent.at > moment, (TicketEvent.at == moment) & climbs))
        .order_by(TicketEvent.seq)
        .limit(1)
        .correlate(Ticket, SlaClock)
        .scalar_subquery()
    )
    return func.coalesce(next_hand_over, Ticket.assignee_id, 0)
