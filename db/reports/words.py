"""The most frequent words of what customers would have better, in the reported period and the one before (S-52)."""

from __future__ import annotations

from sqlalchemy import Connection, select

from db import surveys
from db.models import Survey, SurveyAnswer, Ticket
from db.reports.periods import in_region, period, within
from db.rows import fetch
from domain.quality_policies import FeedbackPolicy
from domain.satisfaction import WISHES, wishes_of
from domain.spans import PERIODS, Span
from domain.words import Frequency, frequent

_MOST = 12


def frequent_wishes(connection: Connection, span: Span, policy: FeedbackPolicy) -> list[Frequency]:
    """The words and phrases that the most answers have."""
    query = (
        select(period(SurveyAnswer.answered_at, span), *(getattr(SurveyAnswer, name) for name in WISHES))
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .where(within(SurveyAnswer.answered_at, span, since=span.before), in_region(span))
        .where(surveys.OF_COMPLETION)
    )
    texts: dict[int, list[str]] = {}
    for row in fetch(connection, query):
        texts.setdefault(row["period"], []).append(wishes_of(row))
    return frequent(texts.get(PERIODS - 1, ()), texts.get(PERIODS - 2, ()), policy, most=_MOST)
