"""Internal reviews of cases: those that are proposed, and those that were held (S-44)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, insert, or_, select

from db import commands, occurrences
from db.held import HeldTicket, hold
from db.models import CaseReview, SlaClock, Staff, Survey, SurveyAnswer, Ticket, TicketEvent
from db.rows import Row, fetch, fetch_one
from domain.access import MAY_REVIEW, require_role
from domain.lifecycle import CommandName
from domain.people import Actor, Tier
from domain.reviews import Review, ReviewReason, reasons_for
from domain.sla import ClockKind
from domain.standard import Standard
from domain.tickets import Priority

REVIEWED = "case_reviewed"
_PROMISES = (ClockKind.RESPONSE.value, ClockKind.RESOLUTION.value)
_BACK = (CommandName.REOPEN.value, CommandName.REPORT_NOT_FIXED.value)
_WAS_LATE = exists().where(
    SlaClock.ticket_id == Ticket.id, SlaClock.kind.in_(_PROMISES), SlaClock.breached_at.is_not(None)
)
_CAME_BACK = (
    select(func.count())
    .where(TicketEvent.ticket_id == Ticket.id, TicketEvent.kind.in_(_BACK))
    .correlate(Ticket)
    .scalar_subquery()
)
_LOWEST = (
    select(func.min(SurveyAnswer.overall))
    .join(Survey, Survey.id == SurveyAnswer.survey_id)
    .where(Survey.ticket_id == Ticket.id)
    .correlate(Ticket)
    .scalar_subquery()
)
_CASES = select(
    Ticket.id,
    Ticket.number,
    Ticket.subject,
    Ticket.priority,
    Ticket.tier,
    Ticket.closed_at,
    _WAS_LATE.label("was_late"),
    _CAME_BACK.label("came_back"),
    _LOWEST.label("lowest_score"),
)


def proposed(connection: Connection, standard: Standard, *, now: datetime, limit: int) -> list[Row]:
    """Cases closed lately that a rule proposes and nobody has reviewed, each with its reasons; the newest first."""
    query = (
        _CASES.where(
            Ticket.closed_at >= now - standard.reviews.within,
            Ticket.erased_at.is_(None),
            or_(_WAS_LATE, Ticket.tier == Tier.TECHNICAL_SUPPORT.value, _CAME_BACK >= 2),
            ~exists().where(CaseReview.ticket_id == Ticket.id),
        )
        .order_by(Ticket.closed_at.desc())
        .limit(20 * limit)
    )
    cases = [row | {"reasons": _reasons(row, standard)} for row in fetch(connection, query)]
    return [row for row in cases if row["reasons"]][:limit]


def _reasons(row: Row, standard: Standard) -> list[ReviewReason]:
    facts = {name: row[name] for name in ("tier", "was_late", "came_back", "lowest_score")}
    return reasons_for(priority=Priority(row["priority"]), low_score=standard.callback.low_score, **facts)


def keep(
    connection: Connection, ticket_id: int, actor: Actor, review: Review, *, key: str, standard: Standard, now: datetime
) -> None:
    """Keep a review, in the ticket's history too; the same ``key`` keeps it once.

    Raises NotPermittedError or NotFoundError.
    """
    require_role(actor, MAY_REVIEW, "reviewing cases")
    held = hold(connection, ticket_id)
    if commands.find_by_key(connection, key) is not None:
        return
    values = review.model_dump() | {"ticket_id": ticket_id, "reasons": _why(held, standard)}
    review_id = connection.execute(
        insert(CaseReview).values(**values, recorded_by=actor.id, recorded_at=now).returning(CaseReview.id)
    ).scalar_one()
    occurrences.record(held, REVIEWED, actor, now=now, facts={"review_id": review_id}, idempotency_key=key)


def _why(held: HeldTicket, standard: Standard) -> list[str]:
    case = fetch_one(held.connection, _CASES.where(Ticket.id == held.id))
    reasons = _reasons(case, standard) if case else []
    return [reason.value for reason in reasons or [ReviewReason.BY_HAND]]


_HELD: Select[Any] = (
    select(CaseReview.__table__, Ticket.number, Ticket.subject, Staff.name.label("recorded_by_name"))
    .join(Ticket, Ticket.id == CaseReview.ticket_id)
    .join(Staff, Staff.id == CaseReview.recorded_by)
    .order_by(CaseReview.id.desc())
    .limit(bindparam("most"))
)
_OF_TICKET = _HELD.where(CaseReview.ticket_id == bindparam("ticket"))


def held_reviews(connection: Connection, *, limit: int) -> list[Row]:
    """The newest reviews with ticket and recorder."""
    return fetch(connection, _HELD, most=limit)


def of_ticket(connection: Connection, ticket_id: int) -> list[Row]:
    """The reviews of a ticket, the newest first."""
    return fetch(connection, _OF_TICKET, ticket=ticket_id, most=20)
