"""This file reads the answers of a span for their analysis: scores, words, and what they are about (S-52)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from db import surveys
from db.models import Customer, Survey, SurveyAnswer, Ticket
from db.rows import fetch
from domain.spans import Span


def answers(connection: Connection, span: Span) -> list[dict[str, Any]]:
    """Every answer of the span's region in its period and the one before, with ticket and customer.

    ``is_returning``: the customer had a ticket before this one. Costs what was answered, not the history.
    """
    earlier = aliased(Ticket)
    is_returning = (
        select(earlier.id)
        .where(earlier.customer_id == Ticket.customer_id, earlier.opened_at < Ticket.opened_at)
        .exists()
    )
    query = (
        select(
            *(column for column in SurveyAnswer.__table__.c if column.name != "survey_id"),
            Ticket.number.label("ticket_number"),
            Ticket.category,
            Ticket.product_model,
            Customer.name.label("customer_name"),
            Customer.tier.label("customer_tier"),
            Customer.wants_anonymity,
            is_returning.label("is_returning"),
        )
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(surveys.OF_COMPLETION, SurveyAnswer.answered_at >= span.before, SurveyAnswer.answered_at < span.until)
    )
    if span.region is not None:
        query = query.where(Ticket.region == span.region)
    return fetch(connection, query.order_by(SurveyAnswer.answered_at))
