"""This file reads the progress tracking sheet (S-60): a row per ticket as it stands, without holding them all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, select, true
from sqlalchemy.orm import aliased

from db import surveys
from db.models import Callback, Customer, Plan, SlaClock, Staff, Survey, SurveyAnswer, Team, Ticket, TicketEvent
from db.rows import Row
from domain.lifecycle import CommandName
from domain.satisfaction import CallbackKind
from domain.sla import ClockKind

_AT_A_TIME = 2000


def count(connection: Connection, *, since: datetime, until: datetime) -> int:
    """How many tickets were opened from ``since`` on and before ``until``."""
    query = select(func.count()).select_from(Ticket).where(Ticket.opened_at >= since, Ticket.opened_at < until)
    return connection.execute(query).scalar_one()


def rows(connection: Connection, *, since: datetime, until: datetime, region: str | None = None) -> Iterator[Row]:
    """Tickets opened from ``since`` on and before ``until``, oldest first, by the names of the sheet's columns.

    Promises are those of a ticket's present round, the answer is that to its latest completion. ``customer_name`` is
    None where anonymity is wished (S-71). ``region``: only its tickets.
    """
    query = _QUERY.where(Ticket.opened_at >= since, Ticket.opened_at < until).order_by(Ticket.opened_at, Ticket.id)
    if region is not None:
        query = query.where(Ticket.region == region)
    streamed = connection.execution_options(stream_results=True, yield_per=_AT_A_TIME).execute(query)
    yield from map(dict, streamed.mappings())


def _sheet() -> Select[Any]:
    response, resolution = aliased(SlaClock), aliased(SlaClock)
    step = (
        select(TicketEvent.payload["step"].astext.label("step"), TicketEvent.at)
        .where(TicketEvent.ticket_id == Ticket.id, TicketEvent.kind == CommandName.LOG_STEP.value)
        .order_by(TicketEvent.seq.desc())
        .limit(1)
        .lateral("step")
    )
    query = (
        select(
            Ticket.number,
            Ticket.opened_at,
            Ticket.channel,
            Ticket.region,
            case((~Customer.wants_anonymity, Customer.name)).label("customer_name"),
            Customer.tier.label("customer_tier"),
            Ticket.product_model,
            Ticket.serial_number,
            Ticket.subject,
            Ticket.category,
            Ticket.priority,
            Ticket.state,
            Staff.name.label("assignee_name"),
            Team.name.label("team_name"),
            Ticket.tier,
            response.due_at.label("respond_by"),
            response.stopped_at.label("responded_at"),
            _is_kept(response).label("response_kept"),
            Plan.deadline_at.label("plan_deadline"),
            step.c.step.label("last_step"),
            step.c.at.label("last_step_at"),
            Ticket.expected_at,
            resolution.due_at.label("resolve_by"),
            Ticket.completed_at,
            _is_kept(resolution).label("resolution_kept"),
            (Ticket.round - 1).label("times_reopened"),
            Ticket.closed_at,
            SurveyAnswer.overall,
            SurveyAnswer.comment,
            Callback.reason.label("cause"),
            Callback.state.label("callback_state"),
        )
        .select_from(Ticket)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Staff, Staff.id == Ticket.assignee_id)
        .outerjoin(Team, Team.id == Staff.team_id)
    )
    for clock, kind in ((response, ClockKind.RESPONSE), (resolution, ClockKind.RESOLUTION)):
        of_ticket = and_(clock.ticket_id == Ticket.id, clock.round == Ticket.round, clock.kind == kind.value)
        query = query.outerjoin(clock, of_ticket)
    survey = and_(
        Survey.ticket_id == Ticket.id,
        Survey.completion_no == Ticket.completion_no,
        surveys.OF_COMPLETION,
    )
    callback = and_(Callback.survey_id == Survey.id, Callback.kind == CallbackKind.LOW_SCORE.value)
    return (
        query.outerjoin(Plan, and_(Plan.ticket_id == Ticket.id, Plan.revision == Ticket.plan_revision))
        .outerjoin(step, true())
        .outerjoin(Survey, survey)
        .outerjoin(SurveyAnswer, SurveyAnswer.survey_id == Survey.id)
        .outerjoin(Callback, callback)
    )


def _is_kept(clock: Any) -> Any:
    """False once it breached, True when it stopped before, None as long as both can happen."""
    return case((clock.breached_at.is_not(None), False), (clock.stopped_at.is_not(None), True))


_QUERY = _sheet()
