"""What customers said before and after an improvement action, in the scope that it names (S-55)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from db import surveys
from db.models import RootCauseEvidence, Survey, SurveyAnswer, Ticket
from db.rows import fetch

# How often each score was given.
Counts = dict[int, int]


@dataclass(frozen=True, slots=True)
class Effect:
    """How often each score was given: before and after, and by month (its first day, local), oldest first.

    ``asked_again``: of those who were asked again and answered, how often each pair of earlier and later score came.
    """

    before: Counts
    after: Counts
    months: list[tuple[datetime, Counts]]
    asked: int
    asked_again: list[tuple[int, int, int]]


def read(
    connection: Connection, action: Mapping[str, Any], *, over: timedelta, time_zone: str, now: datetime
) -> Effect:
    """Read it for an action that is done.

    An answer counts as ``after`` when the work it is about was completed after the change. Who is asked again was
    unhappy before, and is counted apart.
    """
    done_at = action["ended_at"]
    score = SurveyAnswer.__table__.c[action["stage"] or "overall"]
    is_after = func.coalesce(Ticket.completed_at, SurveyAnswer.answered_at) >= done_at
    month = func.date_trunc("month", func.timezone(time_zone, SurveyAnswer.answered_at))
    query = (
        select(is_after.label("is_after"), month.label("month"), score.label("score"), func.count().label("number"))
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .where(
            SurveyAnswer.answered_at >= done_at - over,
            SurveyAnswer.answered_at < min(now, done_at + over),
            surveys.OF_COMPLETION,
            score.is_not(None),
        )
        .group_by(is_after, month, score)
        .order_by(month)
    )
    for name in ("category", "region"):
        if action[name]:
            query = query.where(Ticket.__table__.c[name] == action[name])
    if action["product_model"]:
        query = query.where(func.lower(Ticket.product_model) == action["product_model"].lower())
    before, after = Counter[int](), Counter[int]()
    months: dict[datetime, Counter[int]] = {}
    for row in fetch(connection, query):
        (after if row["is_after"] else before)[row["score"]] += row["number"]
        months.setdefault(row["month"], Counter())[row["score"]] += row["number"]
    asked, again = _asked_again(connection, action["id"], action["root_cause_id"])
    return Effect(dict(before), dict(after), [(at, dict(counts)) for at, counts in months.items()], asked, again)


def _asked_again(connection: Connection, action_id: int, root_cause_id: int) -> tuple[int, list[tuple[int, int, int]]]:
    """How many were asked again; and earlier overall score, later one, and how often that came."""
    asked = connection.execute(
        select(func.count()).where(Survey.action_id == action_id, Survey.sent_at.is_not(None))
    ).scalar_one()
    earlier, later = SurveyAnswer.__table__.alias("earlier"), SurveyAnswer.__table__.alias("later")
    query = (
        select(earlier.c.overall, later.c.overall, func.count())
        .select_from(Survey)
        .join(later, later.c.survey_id == Survey.id)
        .join(RootCauseEvidence, RootCauseEvidence.ticket_id == Survey.ticket_id)
        .join(earlier, earlier.c.survey_id == RootCauseEvidence.survey_id)
        .where(Survey.action_id == action_id, RootCauseEvidence.root_cause_id == root_cause_id)
        .group_by(earlier.c.overall, later.c.overall)
    )
    return asked, [(was, now_is, number) for was, now_is, number in connection.execute(query).tuples()]
