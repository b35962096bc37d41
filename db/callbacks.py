"""Callbacks: owed with the low score, given to a supervisor on duty, escalated to the manager when late (S-42)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from db import occurrences
from db.alarms import Leads
from db.held import HeldTicket, hold
from db.models import Callback, Customer, Staff, SurveyAnswer, Ticket
from db.notices import iso
from db.rows import fetch, fetch_one
from domain.access import MAY_CALL
from domain.assignment import choose_lead
from domain.exceptions import IllegalTransitionError, NotFoundError, NotPermittedError
from domain.messages import MessageKind
from domain.people import SYSTEM, Actor, Role
from domain.satisfaction import CallbackKind, CallbackState
from domain.service_policies import FollowUpVisitPolicy
from domain.standard import Standard


@dataclass(frozen=True, slots=True)
class CallbackStep:
    """What the sweep did with one callback."""

    ticket_number: str
    kind: CallbackKind
    step: str  # assigned | escalated
    who: str
    due_at: datetime


def request(
    held: HeldTicket,
    survey_id: int,
    kind: CallbackKind,
    *,
    standard: Standard,
    now: datetime,
) -> datetime:
    """Owe the customer a call; returns by when (UTC)."""
    policy = standard.callback
    within = policy.within if kind is CallbackKind.LOW_SCORE else policy.phone_survey_within
    due_at = standard.calendar(policy.calendar).add(now, within)
    values = {"ticket_id": held.id, "survey_id": survey_id, "kind": kind.value}
    held.connection.execute(insert(Callback).values(**values, due_at=due_at, next_action_at=now))
    return due_at


def schedule_visit(
    connection: Connection, ticket_id: int, survey_id: int, *, policy: FollowUpVisitPolicy, now: datetime
) -> None:
    """Owe a visit or call some days after completion; it is given to somebody and announced a while before (S-43)."""
    due_at = now + policy.after
    values = {"ticket_id": ticket_id, "survey_id": survey_id, "kind": CallbackKind.FOLLOW_UP_VISIT.value}
    connection.execute(
        insert(Callback).values(**values, due_at=due_at, next_action_at=due_at - policy.announced_before)
    )


def escalate_due(connection: Connection, *, standard: Standard, now: datetime, limit: int = 200) -> list[CallbackStep]:
    """Give new callbacks to a supervisor on duty and tell the manager of late ones; each step once."""
    due = fetch(
        connection,
        select(Callback.__table__)
        .join(Ticket, Ticket.id == Callback.ticket_id)
        .where(Callback.next_action_at <= now)
        .order_by(Callback.next_action_at)
        .limit(limit)
        .with_for_update(of=[Callback, Ticket], skip_locked=True),
    )
    if not due:
        return []
    leads = Leads.read(connection, standard)
    return [step for row in due for step in _act(connection, row, leads, standard, now=now)]


def _act(
    connection: Connection, callback: dict[str, Any], leads: Leads, standard: Standard, *, now: datetime
) -> list[CallbackStep]:
    held = hold(connection, callback["ticket_id"])
    steps = []
    if callback["assigned_to"] is None:
        steps += _tell(held, callback, leads, Role.SUPERVISOR, now=now)
    if callback["due_at"] <= now:
        steps += _tell(held, callback, leads, Role.MANAGER, now=now)
    # Nobody to tell: look again later, rather than forget it.
    next_action_at: datetime | None
    retry = now + standard.follow_up.retry_after
    if callback["assigned_to"] is None:
        next_action_at = retry
    elif callback["due_at"] > now:
        next_action_at = callback["due_at"]
    else:
        next_action_at = None if callback["escalated_at"] is not None else retry
    connection.execute(
        update(Callback)
        .where(Callback.id == callback["id"])
        .values(
            assigned_to=callback["assigned_to"],
            escalated_at=callback["escalated_at"],
            next_action_at=next_action_at,
        )
    )
    return steps


def _tell(held: HeldTicket, callback: dict[str, Any], leads: Leads, role: Role, *, now: datetime) -> list[CallbackStep]:
    """Tell a supervisor (who gets the callback) or a manager (who hears that it is late)."""
    if role is Role.MANAGER and callback["escalated_at"] is not None:
        return []
    lead = choose_lead(leads.people, role, region=held.row["region"], now=now)
    if lead is None:
        return []
    is_late = role is Role.MANAGER
    if is_late:
        callback["escalated_at"] = now
    else:
        callback["assigned_to"] = lead.id
    supervisor = next((p.name for p in leads.people if p.id == callback["assigned_to"]), None)
    overall, comment = _answer(held.connection, callback["survey_id"])
    step = "escalated" if is_late else "assigned"
    is_announced = callback["kind"] == CallbackKind.FOLLOW_UP_VISIT and not is_late
    occurrences.record(
        held,
        f"callback_{step}",
        SYSTEM,
        now=now,
        facts={"callback_id": callback["id"], "kind": callback["kind"], "told": lead.id},
        tells_staff=[
            (
                lead.id,
                lead.language,
                MessageKind.STAFF_CALLBACK_OVERDUE if is_late else MessageKind.STAFF_CALLBACK_DUE,
            )
        ],
        context={
            "call_by": iso(callback["due_at"]),
            "callback_kind": callback["kind"],
            "overall": overall,
            "comment": comment,
            "supervisor_name": supervisor,
            "visit_at": iso(callback["due_at"]),
            "visitor_name": lead.name,
        },
        tells_customer=MessageKind.FOLLOW_UP_VISIT if is_announced else None,
    )
    return [CallbackStep(held.number, CallbackKind(callback["kind"]), step, lead.name, callback["due_at"])]


def _answer(connection: Connection, survey_id: int) -> tuple[int | None, str]:
    row = connection.execute(
        select(SurveyAnswer.overall, SurveyAnswer.comment).where(SurveyAnswer.survey_id == survey_id)
    ).one_or_none()
    return (row.overall, row.comment) if row else (None, "")


def complete(
    connection: Connection, callback_id: int, actor: Actor, *, reason: str, suggestion: str, now: datetime
) -> None:
    """Record that the customer was called: the reason and the improvement they suggest (S-42).

    Raises NotFoundError, NotPermittedError, or IllegalTransitionError when it is not open any more.
    """
    found = connection.execute(
        select(Callback.ticket_id, Callback.kind).where(Callback.id == callback_id)
    ).one_or_none()
    if found is None:
        raise NotFoundError(f"no callback has the id {callback_id}; see 'aftercare callback list'")
    allowed = MAY_CALL[CallbackKind(found.kind)]
    if actor.role not in allowed:
        roles = ", ".join(sorted(role.value for role in allowed))
        raise NotPermittedError(f"this call is not for the role '{actor.role.value}'; it is for: {roles}")
    held = hold(connection, found.ticket_id)
    done = connection.execute(
        update(Callback)
        .where(Callback.id == callback_id, Callback.state == CallbackState.OPEN.value)
        .values(
            state=CallbackState.DONE.value,
            done_at=now,
            done_by=actor.id,
            reason=reason,
            suggestion=suggestion,
            next_action_at=None,
        )
        .returning(Callback.due_at)
    ).scalar_one_or_none()
    if done is None:
        raise IllegalTransitionError("the callback is not open any more")
    facts = {"callback_id": callback_id, "in_time": now <= done}
    occurrences.record(held, "callback_done", actor, now=now, facts=facts)


def finish_phone_survey(connection: Connection, survey_id: int, *, done_by: int | None, now: datetime) -> None:
    """The phone survey's call is done when its answer is recorded."""
    connection.execute(
        update(Callback)
        .where(
            Callback.survey_id == survey_id,
            Callback.kind == CallbackKind.PHONE_SURVEY.value,
            Callback.state == CallbackState.OPEN.value,
        )
        .values(
            state=CallbackState.DONE.value, done_at=now, done_by=done_by, reason="survey answered", next_action_at=None
        )
    )


def cancel_asking(connection: Connection, survey_ids: Sequence[int]) -> None:
    """The work goes on: the calls that were to ask how it was are not due."""
    _cancel(connection, CallbackKind.PHONE_SURVEY, Callback.survey_id.in_(survey_ids))


def cancel_visits(connection: Connection, ticket_id: int) -> None:
    """The work goes on: the visit that was to follow it is not due."""
    _cancel(connection, CallbackKind.FOLLOW_UP_VISIT, Callback.ticket_id == ticket_id)


def _cancel(connection: Connection, kind: CallbackKind, which: ColumnElement[bool]) -> None:
    is_open = Callback.state == CallbackState.OPEN.value
    connection.execute(
        update(Callback)
        .where(which, is_open, Callback.kind == kind.value)
        .values(state=CallbackState.CANCELLED.value, next_action_at=None)
    )


_OF_TICKET = (
    select(Callback.__table__, Staff.name.label("supervisor_name"))
    .outerjoin(Staff, Staff.id == Callback.assigned_to)
    .where(Callback.ticket_id == bindparam("ticket"))
    .order_by(Callback.id)
)


def list_of(connection: Connection, ticket_id: int) -> list[dict[str, Any]]:
    """The callbacks of a ticket with the supervisor's name, oldest first."""
    return fetch(connection, _OF_TICKET, ticket=ticket_id)


def get(connection: Connection, callback_id: int) -> dict[str, Any]:
    """A callback with ticket, supervisor and score. Raises NotFoundError."""
    row = fetch_one(connection, _shown().where(Callback.id == callback_id))
    if row is None:
        raise NotFoundError(f"no callback has the id {callback_id}; see 'aftercare callback list'")
    return row


def list_open(
    connection: Connection, *, after: tuple[datetime, int] | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Open callbacks with ticket, supervisor and score, the most urgent first; ``after`` this moment due and id."""
    query = _shown().where(Callback.state == CallbackState.OPEN.value).order_by(Callback.due_at, Callback.id)
    if after is not None:
        query = query.where(tuple_(Callback.due_at, Callback.id) > after)
    return fetch(connection, query.limit(limit))


def _shown() -> Select[Any]:
    return (
        select(
            Callback.__table__,
            Ticket.number.label("ticket_number"),
            Customer.wants_anonymity,
            Staff.name.label("supervisor_name"),
            SurveyAnswer.overall,
        )
        .join(Ticket, Ticket.id == Callback.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(Staff, Staff.id == Callback.assigned_to)
        .outerjoin(SurveyAnswer, SurveyAnswer.survey_id == Callback.survey_id)
    )
