"""Read-only queries behind the digest: what happened in a week and the one before it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, literal, select

from db.models import Callback, SlaClock, Staff, Survey, SurveyAnswer, Team, Ticket, TicketEvent
from db.rows import fetch
from domain.digest import DigestRows, Week
from domain.lifecycle import CommandName
from domain.people import Role
from domain.satisfaction import CallbackKind, CallbackState
from domain.sla import ClockKind

_FINISHING = (CommandName.COMPLETE, CommandName.CONFIRM_COMPLETION, CommandName.CLOSE, CommandName.CANCEL)


def digest_rows(connection: Connection, week: Week) -> DigestRows:
    """The rows of the digest; costs what happened in the two weeks, not the history."""
    return DigestRows(
        opened=_opened(connection, week),
        finished=_finished(connection, week),
        promises=_promises(connection, week),
        asked=fetch(connection, select(Survey.sent_at.label("at")).where(_within(Survey.sent_at, week))),
        answers=_answers(connection, week),
        callbacks=_callbacks(connection, week),
        open_now=_open_at(connection, week.until),
        open_before=_open_at(connection, week.since),
    )


def managers(connection: Connection) -> list[dict[str, Any]]:
    """Active managers (id, language), who get the digest."""
    query = select(Staff.id, Staff.language).where(Staff.is_active, Staff.role == Role.MANAGER.value)
    return fetch(connection, query)


def _within(column: Any, week: Week) -> Any:
    return (column >= week.before) & (column < week.until)


def _stopped(kind: ClockKind) -> Any:
    return (
        select(SlaClock.stopped_at)
        .where(SlaClock.ticket_id == Ticket.id, SlaClock.round == 1, SlaClock.kind == kind.value)
        .scalar_subquery()
    )


def _opened(connection: Connection, week: Week) -> list[dict[str, Any]]:
    columns = (
        Ticket.id,
        Ticket.state,
        Ticket.opened_at,
        Ticket.channel,
        Ticket.category,
        Ticket.priority,
        Ticket.region,
    )
    query = select(
        *columns,
        _stopped(ClockKind.RESPONSE).label("responded_at"),
        _stopped(ClockKind.RESOLUTION).label("completed_at"),
    )
    return fetch(connection, query.where(_within(Ticket.opened_at, week)))


def _finished(connection: Connection, week: Week) -> list[dict[str, Any]]:
    query = select(TicketEvent.kind, TicketEvent.at).where(
        _within(TicketEvent.at, week), TicketEvent.kind.in_([kind.value for kind in _FINISHING])
    )
    return fetch(connection, query)


def _promises(connection: Connection, week: Week) -> list[dict[str, Any]]:
    """Promises decided in the two weeks: broken when they breached, kept when the clock stopped unbroken."""
    columns = (
        SlaClock.kind,
        Ticket.priority,
        Ticket.number.label("ticket_number"),
        Staff.name.label("assignee_name"),
        Team.name.label("team_name"),
    )
    judged = SlaClock.kind.in_([ClockKind.RESPONSE.value, ClockKind.RESOLUTION.value])
    people = (
        select(*columns, SlaClock.breached_at.label("at"), literal(False).label("met"))
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .outerjoin(Staff, Staff.id == Ticket.assignee_id)
        .outerjoin(Team, Team.id == Staff.team_id)
    )
    broken = people.where(judged, _within(SlaClock.breached_at, week))
    kept = (
        select(*columns, SlaClock.stopped_at.label("at"), literal(True).label("met"))
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .outerjoin(Staff, Staff.id == Ticket.assignee_id)
        .outerjoin(Team, Team.id == Staff.team_id)
        .where(judged, SlaClock.breached_at.is_(None), _within(SlaClock.stopped_at, week), Ticket.state != "cancelled")
    )
    return fetch(connection, broken.union_all(kept))


def _answers(connection: Connection, week: Week) -> list[dict[str, Any]]:
    query = (
        select(
            SurveyAnswer.answered_at.label("at"),
            SurveyAnswer.efficiency,
            SurveyAnswer.attitude,
            SurveyAnswer.solution,
            SurveyAnswer.overall,
            SurveyAnswer.comment,
            Ticket.number.label("ticket_number"),
            Callback.reason,
            Callback.state.label("callback_state"),
            case((Callback.done_at.is_not(None), Callback.done_at <= Callback.due_at)).label("in_time"),
        )
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .outerjoin(Callback, (Callback.survey_id == Survey.id) & (Callback.kind == CallbackKind.LOW_SCORE.value))
        .where(_within(SurveyAnswer.answered_at, week))
    )
    return fetch(connection, query)


def _callbacks(connection: Connection, week: Week) -> list[dict[str, Any]]:
    in_time = func.coalesce(Callback.done_at <= Callback.due_at, False)
    query = select(Callback.due_at.label("at"), in_time.label("in_time")).where(
        _within(Callback.due_at, week),
        Callback.state != CallbackState.CANCELLED.value,
        Callback.kind != CallbackKind.FOLLOW_UP_VISIT.value,
    )
    return fetch(connection, query)


def _open_at(connection: Connection, moment: datetime) -> int:
    query = select(func.count()).where(
        Ticket.opened_at < moment, (Ticket.closed_at.is_(None)) | (Ticket.closed_at >= moment)
    )
    return connection.execute(query.select_from(Ticket)).scalar_one()
