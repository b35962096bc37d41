"""Improvement actions: decided, spoken of when due, ended; afterwards the affected customers are asked again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, func, insert, select, update
from sqlalchemy.orm import aliased

from db import outbox, surveys
from db.models import ImprovementAction as Action
from db.models import RootCause, RootCauseEvidence, Staff, Ticket
from db.rows import Row, fetch, fetch_one
from domain.access import MAY_IMPROVE, require_role
from domain.exceptions import IllegalTransitionError, InvalidInputError, NotFoundError
from domain.improvement import (
    ActionNotice,
    ActionState,
    NewAction,
    Outcome,
    is_overdue,
    next_notice_at,
    require_due_ahead,
)
from domain.messages import Medium, MessageKind
from domain.people import Actor
from domain.standard import Standard

_Responsible, _Decider, _Ender = aliased(Staff), aliased(Staff), aliased(Staff)


@dataclass(frozen=True, slots=True)
class ActionStep:
    """What a sweep did about one action: whom it told, or how many customers are asked again."""

    action_id: int
    step: str  # due_soon | overdue | asked_again
    count: int


def _actions() -> Select[Any]:
    return (
        select(
            Action.__table__,
            RootCause.problem,
            _Responsible.name.label("responsible_name"),
            _Responsible.language.label("responsible_language"),
            _Decider.name.label("decider_name"),
            _Decider.language.label("decider_language"),
            _Ender.name.label("ender_name"),
        )
        .join(RootCause, RootCause.id == Action.root_cause_id)
        .join(_Responsible, _Responsible.id == Action.responsible_id)
        .join(_Decider, _Decider.id == Action.decided_by)
        .outerjoin(_Ender, _Ender.id == Action.ended_by)
    )


def add(
    connection: Connection, root_cause_id: int, action: NewAction, actor: Actor, *, standard: Standard, now: datetime
) -> int:
    """Decide on an action and tell whoever is responsible; returns its id.

    Raises NotPermittedError; InvalidInputError when the deadline or the person cannot be.
    """
    require_role(actor, MAY_IMPROVE, "deciding on improvement actions")
    zone = standard.organisation.time_zone
    require_due_ahead(action.due_on, today=now.astimezone(ZoneInfo(zone)).date())
    known = select(Staff.id).where(Staff.id == action.responsible_id, Staff.is_active)
    if connection.execute(known).scalar_one_or_none() is None:
        raise InvalidInputError("responsible_id", "is no active member of staff")
    values = action.model_dump(mode="json") | {
        "due_on": action.due_on,
        "product_model": action.product_model or None,
        "region": action.region or None,
        "root_cause_id": root_cause_id,
        "decided_by": actor.id,
        "decided_at": now,
        "next_step_at": next_notice_at(action.due_on, standard.improvement, time_zone=zone, after=now),
    }
    action_id = int(connection.execute(insert(Action).values(**values).returning(Action.id)).scalar_one())
    if action.responsible_id != actor.id:
        row = get(connection, action_id)
        _tell(connection, row, ActionNotice.GIVEN, {row["responsible_id"]: row["responsible_language"]}, now=now)
    return action_id


def get(connection: Connection, action_id: int) -> Row:
    """An action with its people and the problem it is about. Raises NotFoundError."""
    row = fetch_one(connection, _actions().where(Action.id == action_id))
    if row is None:
        raise NotFoundError(f"no improvement action has the id {action_id}; see 'aftercare action list'")
    return row


def list_of(connection: Connection, root_cause_id: int) -> list[Row]:
    """The actions that follow from a root cause, oldest first."""
    return fetch(connection, _actions().where(Action.root_cause_id == root_cause_id).order_by(Action.id))


def list_open(connection: Connection) -> list[Row]:
    """The open actions, the one due first on top."""
    query = _actions().where(Action.state == ActionState.OPEN.value).order_by(Action.due_on, Action.id)
    return fetch(connection, query)


def list_ended(connection: Connection, *, limit: int) -> list[Row]:
    """The actions that ended last."""
    query = _actions().where(Action.ended_at.is_not(None)).order_by(Action.ended_at.desc(), Action.id).limit(limit)
    return fetch(connection, query)


def end(
    connection: Connection,
    action_id: int,
    state: ActionState,
    outcome: Outcome,
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
) -> None:
    """Say that an action is done, or why it was dropped; by whoever is responsible, or decides on such.

    Raises NotFoundError, NotPermittedError, or IllegalTransitionError when it has ended already.
    """
    row = fetch_one(connection, select(Action.__table__).where(Action.id == action_id).with_for_update())
    if row is None:
        raise NotFoundError(f"no improvement action has the id {action_id}")
    if actor.id != row["responsible_id"]:
        require_role(actor, MAY_IMPROVE, "ending an improvement action")
    if row["state"] != ActionState.OPEN:
        raise IllegalTransitionError(f"the action has ended already: it is {row['state']}")
    asks_at = now + standard.improvement.ask_again_after if state is ActionState.DONE else None
    connection.execute(
        update(Action)
        .where(Action.id == action_id)
        .values(
            state=state.value,
            ended_at=now,
            ended_by=actor.id,
            outcome=outcome.note,
            told_customers=outcome.told_customers,
            next_step_at=asks_at,
        )
    )


def take_steps(connection: Connection, *, standard: Standard, now: datetime, limit: int = 50) -> list[ActionStep]:
    """Remind of up to ``limit`` actions that are due, or ask the customers of those that were done; each step once."""
    claimed = (
        select(Action.id)
        .where(Action.next_step_at <= now)
        .order_by(Action.next_step_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.execute(claimed).scalars())
    rows = fetch(connection, _actions().where(Action.id.in_(ids)).order_by(Action.id)) if ids else []
    return [_step(connection, row, standard, now=now) for row in rows]


def _step(connection: Connection, row: Row, standard: Standard, *, now: datetime) -> ActionStep:
    zone = standard.organisation.time_zone
    if row["state"] == ActionState.DONE:
        next_step_at, step = None, "asked_again"
        count = surveys.ask_again(connection, row["id"], _affected(connection, row), standard=standard, now=now)
    else:
        readers = {row["responsible_id"]: row["responsible_language"]}
        notice = ActionNotice.DUE_SOON
        if is_overdue(row["due_on"], time_zone=zone, now=now):
            notice = ActionNotice.OVERDUE
            readers[row["decided_by"]] = row["decider_language"]
        next_step_at, step = (
            next_notice_at(row["due_on"], standard.improvement, time_zone=zone, after=now),
            notice.value,
        )
        count = _tell(connection, row, notice, readers, now=now)
    connection.execute(update(Action).where(Action.id == row["id"]).values(next_step_at=next_step_at))
    return ActionStep(row["id"], step, count)


def _affected(connection: Connection, row: Row) -> list[int]:
    """The tickets that the action's root cause rests on: of each customer the last one."""
    query = (
        select(func.max(Ticket.id))
        .join(RootCauseEvidence, RootCauseEvidence.ticket_id == Ticket.id)
        .where(RootCauseEvidence.root_cause_id == row["root_cause_id"])
        .group_by(Ticket.customer_id)
    )
    return list(connection.execute(query).scalars())


def _tell(connection: Connection, row: Row, notice: ActionNotice, readers: dict[int, str], *, now: datetime) -> int:
    context = {
        "notice": notice.value,
        "action_id": row["id"],
        "measure": row["measure"],
        "department": row["department"],
        "due_on": row["due_on"].isoformat(),
        "expected_effect": row["expected_effect"],
    }
    return outbox.queue(
        connection,
        [
            outbox.NewMessage(
                dedupe_key=f"action:{row['id']}:{notice.value}:{now.date().isoformat()}:staff{staff_id}",
                kind=MessageKind.STAFF_IMPROVEMENT_ACTION,
                medium=Medium.EMAIL,
                language=language,
                context=context,
                staff_id=staff_id,
            )
            for staff_id, language in readers.items()
        ],
        now=now,
    )
