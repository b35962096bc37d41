"""What customers answered: by dimension and stage, and the lowest scores with what their callbacks brought."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Double, case, func, select
from sqlalchemy import cast as sql_cast

from db import surveys
from db.models import Callback, Survey, SurveyAnswer, Ticket
from db.reports.periods import in_region, period, within
from db.rows import Row, fetch
from domain.satisfaction import DIMENSIONS, STAGES, CallbackKind
from domain.spans import Span

MOST_CASES = 20


def asked(connection: Connection, span: Span) -> list[Row]:
    """Surveys that went out: ``period``, ``surveys``."""
    query = (
        select(period(Survey.sent_at, span), func.count().label("surveys"))
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .where(within(Survey.sent_at, span, since=span.before), in_region(span), surveys.OF_COMPLETION)
        .group_by("period")
    )
    return fetch(connection, query)


def answered(connection: Connection, span: Span, *, low_score: int) -> list[Row]:
    """``period``, ``answers``; for each dimension and stage its ``…_mean``, ``…_low`` and ``…_given``.

    A mean is of the scores that were given: a reply by SMS gives the overall one only.
    """
    scores = [score for name in (*DIMENSIONS, *STAGES) for score in _score(name, low_score)]
    query = (
        select(period(SurveyAnswer.answered_at, span), func.count().label("answers"), *scores)
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .where(within(SurveyAnswer.answered_at, span), in_region(span), surveys.OF_COMPLETION)
        .group_by("period")
    )
    return fetch(connection, query)


def _score(name: str, low_score: int) -> tuple[ColumnElement[Any], ...]:
    score = getattr(SurveyAnswer, name)
    return (
        func.avg(sql_cast(score, Double)).label(f"{name}_mean"),
        func.count().filter(score <= low_score).label(f"{name}_low"),
        func.count(score).label(f"{name}_given"),
    )


def lowest(connection: Connection, span: Span, *, low_score: int) -> list[Row]:
    """The low scores of the reported period with their callbacks, the lowest first, then the oldest."""
    query = (
        select(
            Ticket.number.label("ticket_number"),
            SurveyAnswer.overall,
            SurveyAnswer.comment,
            Callback.reason,
            Callback.state.label("callback_state"),
            case((Callback.done_at.is_not(None), Callback.done_at <= Callback.due_at)).label("in_time"),
        )
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .outerjoin(Callback, (Callback.survey_id == Survey.id) & (Callback.kind == CallbackKind.LOW_SCORE.value))
        .where(within(SurveyAnswer.answered_at, span, since=span.since), in_region(span))
        .where(SurveyAnswer.overall <= low_score, surveys.OF_COMPLETION)
        .order_by(SurveyAnswer.overall, SurveyAnswer.answered_at, SurveyAnswer.survey_id)
        .limit(MOST_CASES)
    )
    return fetch(connection, query)
