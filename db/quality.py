"""Quality scores: the sample drawn by lot, what each inspector has yet to score, and what they scored (S-56)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select
from sqlalchemy import case as case_when
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from db import occurrences
from db.held import hold
from db.models import QualityCase, QualitySample, QualityScore, Staff, Ticket, TicketEvent
from db.rows import Row, fetch, fetch_one
from domain.access import MAY_READ_SCORES, MAY_SCORE, require_role
from domain.exceptions import IllegalTransitionError, NotFoundError
from domain.lifecycle import CommandName, TicketState
from domain.people import STAFF_ROLES, Actor
from domain.quality import Criterion, Grade, Marked, Result, draw, result_of
from domain.quality_policies import QualityPolicy
from domain.spans import Span

SCORED = "quality_scored"
_NO_WORK = (SCORED, CommandName.ADD_NOTE.value)


def draw_sample(
    connection: Connection, week: Span, actor: Actor, *, seed: int, policy: QualityPolicy, now: datetime
) -> int:
    """Draw from the tickets closed in a week that is over; returns how many. A week is drawn once, whatever it gave.

    Raises NotPermittedError, IllegalTransitionError for a week that is not over or drawn already, and NotFoundError
    when nothing was closed in it.
    """
    require_role(actor, MAY_SCORE, "drawing tickets to be scored")
    if week.until > now:
        raise IllegalTransitionError(f"the week {week.label} is not over")
    population = _population(connection, week)
    if not population:
        raise NotFoundError(f"no ticket was closed in {week.label}")
    values = {
        "week": week.label,
        "seed": seed,
        "per_person": policy.per_person,
        "scored_twice": policy.scored_twice,
        "population": population,
        "drawn_at": now,
        "drawn_by": actor.id,
    }
    sample_id = connection.execute(
        insert(QualitySample).values(**values).on_conflict_do_nothing().returning(QualitySample.id)
    ).scalar_one_or_none()
    if sample_id is None:
        raise IllegalTransitionError(f"the week {week.label} was drawn already")
    drawn = draw(population, seed=seed, per_person=policy.per_person, scored_twice=policy.scored_twice)
    rows = [
        {"ticket_id": one.ticket_id, "assessed_id": one.assessed_id, "needs_two": one.needs_two, "sample_id": sample_id}
        for one in drawn
    ]
    connection.execute(insert(QualityCase), rows)
    return len(rows)


def _population(connection: Connection, week: Span) -> dict[int, list[int]]:
    """The tickets closed in the week and not reopened since, by who had them at the end."""
    query = (
        select(Ticket.assignee_id, func.array_agg(Ticket.id))
        .where(
            Ticket.closed_at >= week.since,
            Ticket.closed_at < week.until,
            Ticket.erased_at.is_(None),
            Ticket.state == TicketState.CLOSED.value,
        )
        .group_by(Ticket.assignee_id)
    )
    return {person: sorted(tickets) for person, tickets in connection.execute(query)}


def record(
    connection: Connection,
    case_id: int,
    actor: Actor,
    marked: Mapping[Criterion, Marked],
    *,
    policy: QualityPolicy,
    now: datetime,
) -> None:
    """Keep what an inspector says of a case, in the ticket's history too, which does not say how it was scored.

    Raises NotPermittedError, NotFoundError, or IllegalTransitionError when the inspector does not have to score it.
    """
    require_role(actor, MAY_SCORE, "scoring tickets")
    held = hold(connection, case(connection, case_id)["ticket_id"])
    if fetch_one(connection, _due(actor.id).where(QualityCase.id == case_id)) is None:
        raise IllegalTransitionError("this ticket is scored already, or you worked on it yourself")
    marks = {name: one.mark for name, one in marked.items()}
    result = result_of(marks, weights=policy.weights, borders=policy.grades)
    values = {
        "case_id": case_id,
        "inspector_id": actor.id,
        "marks": marks,
        "comments": {name: one.comment for name, one in marked.items() if one.comment},
        "percent": result.percent,
        "grade": result.grade.value,
        "scored_at": now,
    }
    score_id = connection.execute(insert(QualityScore).values(**values).returning(QualityScore.id)).scalar_one()
    occurrences.record(held, SCORED, actor, now=now, facts={"score_id": score_id})


def samples(connection: Connection, *, limit: int) -> list[Row]:
    """What was drawn, newest week first: from how many tickets, how many of them, scores there are and needed."""
    each = func.jsonb_each(QualitySample.population).table_valued("key", "value")
    size = select(func.sum(func.jsonb_array_length(each.c.value))).scalar_subquery()
    cases = QualityCase.sample_id == QualitySample.id
    scores = select(func.count(QualityScore.id)).join(QualityCase, QualityCase.id == QualityScore.case_id).where(cases)
    query = (
        select(
            QualitySample.week,
            QualitySample.seed,
            QualitySample.drawn_at,
            Staff.name.label("drawn_by"),
            size.label("tickets"),
            select(func.count()).where(cases).scalar_subquery().label("drawn"),
            select(func.sum(_NEEDED)).where(cases).scalar_subquery().label("needed"),
            scores.scalar_subquery().label("scored"),
        )
        .join(Staff, Staff.id == QualitySample.drawn_by)
        .order_by(QualitySample.week.desc())
        .limit(limit)
    )
    return fetch(connection, query)


def due(connection: Connection, inspector_id: int | None) -> list[Row]:
    """The cases that an inspector has to score, in the order in which they were drawn."""
    return fetch(connection, _due(inspector_id).order_by(QualityCase.id))


def case(connection: Connection, case_id: int) -> Row:
    """One case. Raises NotFoundError."""
    row = fetch_one(connection, _CASES.where(QualityCase.id == case_id))
    if row is None:
        raise NotFoundError(f"no drawn ticket has the id {case_id}")
    return row


_NEEDED = case_when((QualityCase.needs_two, 2), else_=1)
_CASES = (
    select(
        QualityCase.id,
        QualityCase.ticket_id,
        QualityCase.needs_two,
        QualitySample.week,
        Ticket.number,
        Staff.name.label("assessed_name"),
    )
    .join(QualitySample, QualitySample.id == QualityCase.sample_id)
    .join(Ticket, Ticket.id == QualityCase.ticket_id)
    .join(Staff, Staff.id == QualityCase.assessed_id)
)


def _due(inspector_id: int | None) -> Select[Any]:
    """Not enough scores yet, none of this inspector's, and nothing of the ticket was their work."""
    of_case = QualityScore.case_id == QualityCase.id
    worked = exists().where(
        TicketEvent.ticket_id == QualityCase.ticket_id,
        TicketEvent.actor_id == inspector_id,
        TicketEvent.actor_role.in_([role.value for role in STAFF_ROLES]),
        TicketEvent.kind.not_in(_NO_WORK),
    )
    return _CASES.where(
        select(func.count()).where(of_case).scalar_subquery() < _NEEDED,
        ~exists().where(of_case, QualityScore.inspector_id == inspector_id),
        QualityCase.assessed_id != inspector_id,
        ~worked,
        Ticket.erased_at.is_(None),
    )


_Inspector = aliased(Staff)


def scores(connection: Connection, reader: Actor, *, ticket_id: int | None = None, limit: int = 50) -> list[Row]:
    """The newest scores that a reader may see: who leads all of them, everybody those they gave or were given."""
    query = (
        select(
            QualityScore.__table__,
            Ticket.number,
            Staff.name.label("assessed_name"),
            _Inspector.name.label("inspector_name"),
        )
        .join(QualityCase, QualityCase.id == QualityScore.case_id)
        .join(Ticket, Ticket.id == QualityCase.ticket_id)
        .join(Staff, Staff.id == QualityCase.assessed_id)
        .join(_Inspector, _Inspector.id == QualityScore.inspector_id)
        .order_by(QualityScore.id.desc())
        .limit(limit)
    )
    if reader.role not in MAY_READ_SCORES:
        query = query.where((QualityCase.assessed_id == reader.id) | (QualityScore.inspector_id == reader.id))
    if ticket_id is not None:
        query = query.where(QualityCase.ticket_id == ticket_id)
    # The database keeps no order of names.
    in_order = [(row, row["marks"]) for row in fetch(connection, query)]
    return [row | {"marks": {name: marks[name] for name in Criterion if name in marks}} for row, marks in in_order]


def pairs(connection: Connection, *, since: datetime) -> list[tuple[Result, Result]]:
    """What the two inspectors said of each ticket that was scored twice, the second time after ``since``."""
    first, second = aliased(QualityScore), aliased(QualityScore)
    query = (
        select(first.percent, first.grade, second.percent, second.grade)
        .join(second, (second.case_id == first.case_id) & (second.id > first.id))
        .where(second.scored_at >= since)
    )
    return [
        (Result(percent, Grade(grade)), Result(other_percent, Grade(other_grade)))
        for percent, grade, other_percent, other_grade in connection.execute(query)
    ]
