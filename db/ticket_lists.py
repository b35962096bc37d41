"""Lists of tickets by what happened to them and what they are like: what a figure of the digest has counted (S-61)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select, true

from db import surveys
from db.models import Callback, SlaClock, Staff, Survey, SurveyAnswer, Team, Ticket, TicketEvent
from db.reports.promises import holder
from db.rows import Row, fetch
from db.worklists import listed
from domain.lifecycle import CommandName, TicketState
from domain.satisfaction import CallbackKind, CallbackState
from domain.sla import ClockKind
from domain.ticket_filter import Happened, TicketFilter

_MOST_COUNTED = 1000
_EVENTS = {
    Happened.COMPLETED: (CommandName.COMPLETE,),
    Happened.CLOSED: (CommandName.CONFIRM_COMPLETION, CommandName.CLOSE),
    Happened.CANCELLED: (CommandName.CANCEL,),
}
_CLOCKS = {
    Happened.RESPONSE_KEPT: (ClockKind.RESPONSE, True),
    Happened.RESPONSE_MISSED: (ClockKind.RESPONSE, False),
    Happened.RESOLUTION_KEPT: (ClockKind.RESOLUTION, True),
    Happened.RESOLUTION_MISSED: (ClockKind.RESOLUTION, False),
}


def matching(connection: Connection, wanted: TicketFilter, *, low_score: int, limit: int) -> list[Row]:
    """Tickets that match, the newest first; ``wanted.below`` is where the page before ended."""
    conditions = [*_conditions(wanted, low_score), Ticket.id < wanted.below if wanted.below else true()]
    query = listed(*conditions, limit=limit).order_by(None).order_by(Ticket.id.desc())
    return fetch(connection, query)


def count(connection: Connection, wanted: TicketFilter, *, low_score: int) -> int | None:
    """How many tickets match, on all pages; None when they are more than a thousand."""
    query = select(Ticket.id).where(*_conditions(wanted, low_score)).limit(_MOST_COUNTED + 1)
    number = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    return number if number <= _MOST_COUNTED else None


def _conditions(wanted: TicketFilter, low_score: int) -> list[ColumnElement[bool]]:
    traits = ((Ticket.category, wanted.category), (Ticket.priority, wanted.priority), (Ticket.channel, wanted.channel))
    return [
        _happened(wanted, low_score),
        *(column == word.value for column, word in traits if word is not None),
        *([func.coalesce(Ticket.region, "") == wanted.region] if wanted.region is not None else []),
        true() if wanted.happened in _CLOCKS else _had_by(wanted.team, func.coalesce(Ticket.assignee_id, 0)),
    ]


def _happened(wanted: TicketFilter, low_score: int) -> ColumnElement[bool]:
    what = wanted.happened
    if what is Happened.OPENED:
        return _within(Ticket.opened_at, wanted)
    if what is Happened.OPEN_AT_END:
        end = wanted.until or datetime.max.replace(tzinfo=UTC)
        return (Ticket.opened_at < end) & (Ticket.closed_at.is_(None) | (Ticket.closed_at >= end))
    if what in _EVENTS:
        kinds = [kind.value for kind in _EVENTS[what]]
        return _of_ticket(TicketEvent, TicketEvent.kind.in_(kinds), _within(TicketEvent.at, wanted))
    if what in _CLOCKS:
        return _promise(wanted, *_CLOCKS[what])
    if what in (Happened.CALLBACK_DUE, Happened.CALLBACK_MISSED):
        return _callback(wanted, is_missed=what is Happened.CALLBACK_MISSED)
    if what is Happened.ASKED:
        return _of_ticket(Survey, _within(Survey.sent_at, wanted), surveys.OF_COMPLETION)
    score = SurveyAnswer.overall <= low_score if what is Happened.LOW_SCORE else true()
    answered = (SurveyAnswer.survey_id == Survey.id, _within(SurveyAnswer.answered_at, wanted), score)
    return _of_ticket(Survey, surveys.OF_COMPLETION, *answered)


def _promise(wanted: TicketFilter, kind: ClockKind, is_kept: bool) -> ColumnElement[bool]:
    """As the digest counts: broken when it breached, kept when its clock stopped unbroken and nobody cancelled.

    The team is that of who had the ticket then.
    """
    decided_at = SlaClock.stopped_at if is_kept else SlaClock.breached_at
    whose = true() if wanted.team is None else _had_by(wanted.team, holder(decided_at))
    judged = _of_ticket(
        SlaClock,
        SlaClock.kind == kind.value,
        SlaClock.breached_at.is_(None) if is_kept else true(),
        _within(decided_at, wanted),
        whose,
    )
    return judged & (Ticket.state != TicketState.CANCELLED.value) if is_kept else judged


def _had_by(team: str | None, staff_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a member of the team has the ticket; of the empty one: nobody."""
    if team is None:
        return true()
    members = select(Staff.id).join(Team, Team.id == Staff.team_id).where(Team.name == team)
    return staff_id.in_(members) if team else staff_id == 0


def _callback(wanted: TicketFilter, *, is_missed: bool) -> ColumnElement[bool]:
    in_time = func.coalesce(Callback.done_at <= Callback.due_at, False)
    return _of_ticket(
        Callback,
        _within(Callback.due_at, wanted),
        Callback.state != CallbackState.CANCELLED.value,
        Callback.kind != CallbackKind.FOLLOW_UP_VISIT.value,
        ~in_time if is_missed else true(),
    )


def _of_ticket(table: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(table.ticket_id == Ticket.id, *conditions)


def _within(column: Any, wanted: TicketFilter) -> ColumnElement[bool]:
    begins = [column >= wanted.since] if wanted.since else []
    ends = [column < wanted.until] if wanted.until else []
    return and_(column.is_not(None), *begins, *ends)
