"""Root causes: the record of the whys, and the tickets and answers that it rests on (S-53)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from db.models import (
    ImprovementAction,
    RootCauseEvidence,
    Staff,
    Survey,
    SurveyAnswer,
    Ticket,
)
from db.models import RootCause as Record
from db.rows import Row, fetch, fetch_one
from domain.exceptions import InvalidInputError, NotFoundError
from domain.improvement import RootCause, Stage
from domain.tickets import Category, ticket_number

# The last answer of a ticket, as it was when somebody drew a conclusion from it.
_LAST_ANSWER = (
    select(SurveyAnswer.survey_id)
    .join(Survey, Survey.id == SurveyAnswer.survey_id)
    .where(Survey.ticket_id == Ticket.id)
    .order_by(SurveyAnswer.answered_at.desc())
    .limit(1)
    .scalar_subquery()
)
_SAID = (
    SurveyAnswer.overall,
    SurveyAnswer.comment,
    SurveyAnswer.most_wanted,
    SurveyAnswer.answered_at,
)


@dataclass(frozen=True, slots=True)
class LowScores:
    """Which unhappy customers a cause is looked for: everything that is named must be so."""

    since: datetime
    until: datetime
    at_most: int
    category: Category | None = None
    region: str = ""
    stage: Stage | None = None


def add(connection: Connection, cause: RootCause, ticket_ids: Sequence[int], *, written_by: int, now: datetime) -> int:
    """Keep a root cause with its tickets and their last answers; returns its id.

    Raises InvalidInputError that names the tickets that do not exist.
    """
    wanted = sorted(set(ticket_ids))
    known = fetch(connection, select(Ticket.id, _LAST_ANSWER.label("survey_id")).where(Ticket.id.in_(wanted)))
    missing = sorted(set(wanted) - {row["id"] for row in known})
    if missing or not wanted:
        raise InvalidInputError("tickets", ", ".join(map(ticket_number, missing)) or "name at least one")
    values = cause.model_dump() | {"whys": list(cause.whys), "written_by": written_by, "written_at": now}
    cause_id = connection.execute(insert(Record).values(**values).returning(Record.id)).scalar_one()
    evidence = [{"root_cause_id": cause_id, "ticket_id": row["id"], "survey_id": row["survey_id"]} for row in known]
    connection.execute(insert(RootCauseEvidence), evidence)
    return int(cause_id)


def get(connection: Connection, cause_id: int) -> Row:
    """A root cause with who wrote it. Raises NotFoundError."""
    row = fetch_one(connection, _causes().where(Record.id == cause_id))
    if row is None:
        raise NotFoundError(f"no root cause has the id {cause_id}")
    return row


def list_newest(connection: Connection, *, limit: int) -> list[Row]:
    """The newest root causes, each with how many tickets it rests on and how many actions follow from it."""
    return fetch(connection, _causes().order_by(Record.id.desc()).limit(limit))


def _causes() -> Select[Any]:
    def number(table: Any) -> Any:
        return select(func.count()).where(table.root_cause_id == Record.id).scalar_subquery()

    return select(
        Record.__table__,
        Staff.name.label("writer_name"),
        number(RootCauseEvidence).label("tickets"),
        number(ImprovementAction).label("actions"),
    ).join(Staff, Staff.id == Record.written_by)


def evidence_of(connection: Connection, cause_id: int) -> list[Row]:
    """The tickets that a root cause rests on, with what their customers had said by then."""
    query = (
        select(Ticket.number, Ticket.subject, Ticket.category, Ticket.region, *_SAID)
        .join(RootCauseEvidence, RootCauseEvidence.ticket_id == Ticket.id)
        .outerjoin(SurveyAnswer, SurveyAnswer.survey_id == RootCauseEvidence.survey_id)
        .where(RootCauseEvidence.root_cause_id == cause_id)
        .order_by(Ticket.id)
    )
    return fetch(connection, query)


def find_low_scores(connection: Connection, wanted: LowScores, *, limit: int) -> list[Row]:
    """The tickets of unhappy customers of some days, with what they said; the newest answer first."""
    score = SurveyAnswer.__table__.c[wanted.stage.value if wanted.stage else "overall"]
    query = (
        select(Ticket.number, Ticket.subject, Ticket.category, Ticket.region, *_SAID)
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .where(
            SurveyAnswer.answered_at >= wanted.since,
            SurveyAnswer.answered_at < wanted.until,
            score <= wanted.at_most,
            Ticket.erased_at.is_(None),
        )
        .order_by(SurveyAnswer.answered_at.desc())
        .limit(limit)
    )
    if wanted.category:
        query = query.where(Ticket.category == wanted.category.value)
    if wanted.region:
        query = query.where(Ticket.region == wanted.region)
    return fetch(connection, query)
