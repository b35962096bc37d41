"""Surveys: scheduled with the completion, sent, reminded once, answered once, expired (S-41, S-43)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from db import callbacks, occurrences
from db.held import HeldTicket, hold
from db.models import Customer, ImprovementAction, Survey, SurveyAnswer, SurveyDraft, Ticket
from db.notices import iso
from db.rows import fetch, fetch_one
from domain.exceptions import IllegalTransitionError, NotFoundError
from domain.lifecycle import TicketState
from domain.messages import MessageKind
from domain.people import SYSTEM, Actor, CustomerTier, Role
from domain.satisfaction import (
    CallbackKind,
    OverallAnswer,
    PaperAnswer,
    SurveyMethod,
    SurveyState,
    is_visited,
    needs_callback,
    schedule,
    survey_method,
)
from domain.satisfaction import SurveyAnswer as Answer
from domain.standard import Standard
from domain.tickets import Category, Priority


@dataclass(frozen=True, slots=True)
class SurveyStep:
    """What the dispatch did with one survey."""

    ticket_number: str
    method: SurveyMethod
    step: str  # sent | reminded | expired | call_requested


def schedule_after_completion(
    connection: Connection, ticket: Mapping[str, Any], completion_no: int, *, standard: Standard, now: datetime
) -> None:
    """Schedule the one survey of this completion (S-41), and the visit some days later (S-43)."""
    customer_tier = CustomerTier(ticket["customer_tier"])
    method = survey_method(Category(ticket["category"]), customer_tier, standard.survey)
    survey_id = connection.execute(
        insert(Survey)
        .values(
            ticket_id=ticket["id"],
            completion_no=completion_no,
            method=method.value,
            next_action_at=now + standard.survey.after,
        )
        .returning(Survey.id)
    ).scalar_one()
    if is_visited(Priority(ticket["priority"]), customer_tier, standard.follow_up_visit):
        callbacks.schedule_visit(connection, ticket["id"], survey_id, policy=standard.follow_up_visit, now=now)


# Who is asked again about an improvement was chosen for being unhappy before: figures leave their answers out (S-55).
OF_COMPLETION = Survey.action_id.is_(None)


def ask_again(
    connection: Connection, action_id: int, ticket_ids: Sequence[int], *, standard: Standard, now: datetime
) -> int:
    """Ask the customers of these tickets again, now that something was improved (S-55); returns how many are asked.

    Left in peace: whoever declined surveys or was erased; and tickets that are being worked on, whose own survey comes.
    """
    rows = fetch(
        connection,
        select(Ticket.id, Ticket.completion_no, Ticket.category, Customer.tier)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(
            Ticket.id.in_(ticket_ids),
            Ticket.state == TicketState.CLOSED.value,
            Ticket.erased_at.is_(None),
            Customer.declined_surveys_at.is_(None),
        ),
    )
    for row in rows:
        method = survey_method(Category(row["category"]), CustomerTier(row["tier"]), standard.survey)
        values = {"ticket_id": row["id"], "completion_no": row["completion_no"], "method": method.value}
        connection.execute(insert(Survey).values(**values, action_id=action_id, next_action_at=now))
    return len(rows)


def cancel_open(connection: Connection, ticket_id: int) -> None:
    """Cancel a survey that has no answer yet, with the call it asked for: the work goes on (S-40)."""
    cancelled = connection.execute(
        update(Survey)
        .where(
            Survey.ticket_id == ticket_id,
            Survey.state.in_([SurveyState.SCHEDULED.value, SurveyState.SENT.value]),
        )
        .values(state=SurveyState.CANCELLED.value, next_action_at=None)
        .returning(Survey.id)
    ).scalars()
    ids = list(cancelled)
    _forget_drafts(connection, ids)
    callbacks.cancel_asking(connection, ids)
    callbacks.cancel_visits(connection, ticket_id)


_DUE = (
    select(Survey.__table__, ImprovementAction.told_customers)
    .join(Ticket, Ticket.id == Survey.ticket_id)
    .outerjoin(ImprovementAction, ImprovementAction.id == Survey.action_id)
    .where(Survey.next_action_at <= bindparam("now"))
    .order_by(Survey.next_action_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=[Survey, Ticket], skip_locked=True)
)


def dispatch_due(connection: Connection, *, standard: Standard, now: datetime, limit: int = 200) -> list[SurveyStep]:
    """Send, remind or expire up to ``limit`` surveys that are due; each step once, several sweeps share the work."""
    due = fetch(connection, _DUE, now=now, most=limit)
    return [_act(connection, row, standard, now=now) for row in due]


def _act(connection: Connection, survey: dict[str, Any], standard: Standard, *, now: datetime) -> SurveyStep:
    held = hold(connection, survey["ticket_id"])
    if survey["state"] == SurveyState.SCHEDULED:
        step, columns = _send(survey, held, held.promised_by(standard), now=now)
    elif now < survey["expires_at"]:
        step, columns = "reminded", {"reminded_at": now, "next_action_at": survey["expires_at"]}
        _record(survey, held, step, MessageKind.SURVEY_REMINDER, survey["expires_at"], now=now)
    else:
        step, columns = "expired", {"state": SurveyState.EXPIRED.value, "next_action_at": None}
        _forget_drafts(connection, [survey["id"]])
        _record(survey, held, step, None, None, now=now)
    connection.execute(update(Survey).where(Survey.id == survey["id"]).values(**columns))
    return SurveyStep(held.number, SurveyMethod(survey["method"]), step)


def _send(
    survey: Mapping[str, Any], held: HeldTicket, standard: Standard, *, now: datetime
) -> tuple[str, dict[str, Any]]:
    times = schedule(standard.survey, sent_at=now)
    columns = {"state": SurveyState.SENT.value, "sent_at": now, "expires_at": times.expires_at}
    if survey["method"] == SurveyMethod.FORM and survey["action_id"] is not None:
        # Whoever was asked before is asked once, and not reminded.
        _record(survey, held, "sent", MessageKind.SURVEY_AGAIN, times.expires_at, now=now)
        return "sent", columns | {"next_action_at": times.expires_at}
    if survey["method"] == SurveyMethod.FORM:
        _record(survey, held, "sent", MessageKind.SURVEY_INVITATION, times.expires_at, now=now)
        return "sent", columns | {"next_action_at": times.remind_at}
    callbacks.request(held, survey["id"], CallbackKind.PHONE_SURVEY, standard=standard, now=now)
    _record(survey, held, "call_requested", None, None, now=now)
    return "call_requested", columns | {"next_action_at": times.expires_at}


def _record(
    survey: Mapping[str, Any],
    held: HeldTicket,
    step: str,
    message: MessageKind | None,
    expires_at: datetime | None,
    *,
    now: datetime,
) -> None:
    occurrences.record(
        held,
        f"survey_{step}",
        SYSTEM,
        now=now,
        facts={"survey_id": survey["id"], "completion_no": survey["completion_no"]},
        tells_customer=message,
        context={"expires_at": iso(expires_at), "survey_id": survey["id"], "change": survey["told_customers"]},
    )


def get(connection: Connection, survey_id: int) -> dict[str, Any]:
    """A survey. Raises NotFoundError."""
    row = fetch_one(connection, select(Survey.__table__).where(Survey.id == survey_id))
    if row is None:
        raise NotFoundError(f"no survey has the id {survey_id}")
    return row


_OF_TICKET = (
    select(Survey.__table__, *[c for c in SurveyAnswer.__table__.c if c.name != "survey_id"])
    .outerjoin(SurveyAnswer, SurveyAnswer.survey_id == Survey.id)
    .where(Survey.ticket_id == bindparam("ticket"))
    .order_by(Survey.id)
)


def list_of(connection: Connection, ticket_id: int) -> list[dict[str, Any]]:
    """The surveys of a ticket with their answers, oldest first."""
    return fetch(connection, _OF_TICKET, ticket=ticket_id)


def record_answer(
    connection: Connection,
    survey_id: int,
    answer: Answer | OverallAnswer,
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
) -> bool:
    """Store the one answer of a survey, and thank or promise a callback in the same transaction (S-42).

    False when it was answered already: the first answer counts. Raises NotFoundError, or IllegalTransitionError
    when it was not sent yet, has expired or was cancelled.
    """
    held = hold(connection, get(connection, survey_id)["ticket_id"])
    survey = get(connection, survey_id)
    if survey["state"] == SurveyState.ANSWERED:
        return False
    if survey["state"] != SurveyState.SENT or now >= survey["expires_at"]:
        raise IllegalTransitionError(f"the survey cannot be answered: it is {survey['state']}")
    keep_answer(held, survey_id, answer, actor, answered_at=now, standard=standard, now=now)
    return True


def keep_answer(
    held: HeldTicket,
    survey_id: int,
    answer: Answer | OverallAnswer | PaperAnswer,
    actor: Actor,
    *,
    answered_at: datetime,
    facts: Mapping[str, Any] | None = None,
    is_told: bool = True,
    standard: Standard,
    now: datetime,
) -> None:
    """Store the answer of a held ticket's survey that has none, with what follows from it (S-42).

    ``facts``: what else the event records; ``is_told``: whether the customer is thanked, or called if unhappy.
    """
    connection, standard = held.connection, held.promised_by(standard)
    connection.execute(insert(SurveyAnswer).values(survey_id=survey_id, answered_at=answered_at, **answer.model_dump()))
    connection.execute(
        update(Survey).where(Survey.id == survey_id).values(state=SurveyState.ANSWERED.value, next_action_at=None)
    )
    _forget_drafts(connection, [survey_id])
    staff_id = actor.id if actor.role not in (Role.CUSTOMER, Role.SYSTEM) else None
    callbacks.finish_phone_survey(connection, survey_id, done_by=staff_id, now=now)
    message, context = MessageKind.SURVEY_THANKS, {}
    if is_told and needs_callback(answer.overall, low_score=standard.callback.low_score):
        call_by = callbacks.request(held, survey_id, CallbackKind.LOW_SCORE, standard=standard, now=now)
        message, context = MessageKind.CALLBACK_PROMISED, {"call_by": iso(call_by)}
    occurrences.record(
        held,
        "survey_answered",
        actor,
        now=now,
        facts={"survey_id": survey_id, "overall": answer.overall, **(facts or {})},
        tells_customer=message if is_told else None,
        context=context,
    )


def keep_draft(connection: Connection, survey_id: int, filled_in: Mapping[str, str], *, now: datetime) -> bool:
    """Keep what is filled in so far, instead of what was kept before; False when the survey is not open any more."""
    is_open = (
        select(Survey.id)
        .where(Survey.id == survey_id, Survey.state == SurveyState.SENT.value, Survey.expires_at > now)
        .with_for_update()  # an answer that comes at the same time leaves no draft behind
    )
    if connection.execute(is_open).scalar_one_or_none() is None:
        return False
    draft = insert(SurveyDraft).values(survey_id=survey_id, filled_in=dict(filled_in), saved_at=now)
    connection.execute(
        draft.on_conflict_do_update(
            index_elements=["survey_id"],
            set_={"filled_in": draft.excluded.filled_in, "saved_at": draft.excluded.saved_at},
        )
    )
    return True


def find_draft(connection: Connection, survey_id: int) -> dict[str, str]:
    """What was filled in so far, by the names of the form; empty: nothing."""
    query = select(SurveyDraft.filled_in).where(SurveyDraft.survey_id == survey_id)
    return connection.execute(query).scalar_one_or_none() or {}


def _forget_drafts(connection: Connection, survey_ids: Sequence[int]) -> None:
    if survey_ids:
        connection.execute(delete(SurveyDraft).where(SurveyDraft.survey_id.in_(survey_ids)))
