"""Promises decided in a span, by priority, category, region, and the team that had the ticket (S-61)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, func, or_, select, true
from sqlalchemy import cast as sql_cast

from db.models import SlaClock, Staff, Team, Ticket, TicketEvent
from db.reports.periods import in_region, parts, period, within
from db.rows import Row, fetch
from domain.lifecycle import CommandName, TicketState
from domain.sla import ClockKind
from domain.spans import Span

IS_JUDGED = SlaClock.kind.in_([ClockKind.RESPONSE.value, ClockKind.RESOLUTION.value])
_HANDED_OVER = TicketEvent.kind.in_([CommandName.ASSIGN.value, CommandName.ESCALATE_TIER.value])


def judged(connection: Connection, span: Span) -> list[Row]:
    """``period``, ``kind`` of clock, ``part``, ``word``, and how many were ``met`` and ``missed``.

    Broken when it breached, whatever came later; kept when its clock stopped unbroken, unless by a cancellation.
    """
    decided_at = func.coalesce(SlaClock.breached_at, SlaClock.stopped_at)
    is_kept = SlaClock.breached_at.is_(None) & (Ticket.state != TicketState.CANCELLED.value)
    promise = (
        select(
            period(decided_at, span),
            SlaClock.kind,
            SlaClock.breached_at,
            Ticket.priority,
            Ticket.category,
            Ticket.region,
            Team.name.label("team"),
        )
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .outerjoin(Staff, Staff.id == holder(decided_at))
        .outerjoin(Team, Team.id == Staff.team_id)
        .where(IS_JUDGED, in_region(span))
        .where(or_(within(SlaClock.breached_at, span), is_kept & within(SlaClock.stopped_at, span)))
        .subquery()
    )
    of = parts(priority=promise.c.priority, category=promise.c.category, region=promise.c.region, team=promise.c.team)
    is_met = promise.c.breached_at.is_(None)
    query = (
        select(
            promise.c.period,
            promise.c.kind,
            of.c.part,
            of.c.word,
            func.count().filter(is_met).label("met"),
            func.count().filter(~is_met).label("missed"),
        )
        .join(of, true())
        .group_by(promise.c.period, promise.c.kind, of.c.part, of.c.word)
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
