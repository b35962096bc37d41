"""Erasing what is personal, on request or when its time is over; what remains are counts, times and scores (S-71)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Text,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import cast as sql_cast

from db import commands, events, inbox, suppressions, surveys
from db.events import ERASED, NO_WORDS
from db.held import HeldTicket, hold
from db.models import (
    Attachment,
    Callback,
    CareTaken,
    CaseReview,
    Customer,
    Enclosure,
    InboxEntry,
    MailboxEntry,
    Message,
    MessageReport,
    PendingEvent,
    Plan,
    PlanOption,
    QualityCase,
    QualityScore,
    Survey,
    SurveyAnswer,
    SurveyDraft,
    Ticket,
)
from db.rows import fetch_one
from domain.commands import Cancel, Close
from domain.delivery import MessageState, Remedy
from domain.exceptions import InvalidInputError, NotFoundError
from domain.inbound import Meaning, read_text
from domain.lifecycle import TicketState
from domain.messages import Medium, MessageKind
from domain.people import SYSTEM, Actor
from domain.satisfaction import CallbackState
from domain.standard import Standard

_REVIEW_WORDS = ("participants", "what_happened", "conclusions", "follow_ups")
# What stands where a word must stand.
BLANK = "—"
_TICKET: Mapping[str, Any] = {
    "subject": BLANK,
    "description": BLANK,
    "category_reason": BLANK,
    "priority_reason": BLANK,
    "tags": [],
    **dict.fromkeys(("usage_context", "wish", "product_model", "serial_number", "order_number", "occurred_at")),
}
_ANSWER_WORDS = (
    *(f"{stage}_improvement" for stage in ("booking", "on_site", "follow_up", "confirmation")),
    "best_point",
    "most_wanted",
    "comment",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a customer. ``open_numbers``: their tickets that are not over."""

    customer_id: int
    erased_at: datetime | None
    tickets: int
    open_numbers: list[str]
    messages: int
    photos: int


def survey_of(connection: Connection, customer_id: int) -> Kept:
    """What an erasure of this customer would take. Raises NotFoundError."""
    customer = _lock_customer(connection, customer_id)
    rows = connection.execute(
        select(Ticket.id, Ticket.number, Ticket.closed_at).where(Ticket.customer_id == customer_id).order_by(Ticket.id)
    ).all()
    ids = [row.id for row in rows]
    photos = select(func.count()).select_from(Attachment).where(Attachment.ticket_id.in_(ids))
    messages = select(func.count()).select_from(Message).where(_about(ids, customer_id))
    return Kept(
        customer_id,
        customer["erased_at"],
        len(ids),
        [row.number for row in rows if row.closed_at is None],
        connection.execute(messages).scalar_one(),
        connection.execute(photos).scalar_one(),
    )


def erase_customer(
    connection: Connection,
    customer_id: int,
    actor: Actor,
    reason: str,
    *,
    cancel: Collection[str] = (),
    standard: Standard,
    now: datetime,
) -> bool:
    """Erase all that is personal of a customer, in this one transaction; False when it was done before.

    ``cancel``: the numbers of open tickets that end with it. Raises InvalidInputError while another one is open.
    """
    kept = survey_of(connection, customer_id)
    if kept.erased_at is not None:
        return False
    if left := [number for number in kept.open_numbers if number not in cancel]:
        raise InvalidInputError("cancel", f"{', '.join(left)} is not over; finish it, or name it to end it now")
    query = select(Ticket.id).where(Ticket.customer_id == customer_id, Ticket.erased_at.is_(None))
    for ticket_id in connection.execute(query.order_by(Ticket.id)).scalars().all():
        held = hold(connection, ticket_id)
        if held.row["closed_at"] is None:
            _end(held, actor, reason, standard=standard, now=now)
        erase_ticket(held, actor, reason, now=now)
    _erase_what_was_told(connection, customer_id, now=now)
    forget_person(connection, customer_id, reason, now=now)
    return True


def _erase_what_was_told(connection: Connection, customer_id: int, *, now: datetime) -> None:
    """Digests that quote the customer, and what vendors said of the messages; old ones went by their own time."""
    found = connection.execute(select(Ticket.id, Ticket.number).where(Ticket.customer_id == customer_id)).all()
    ids = _ids(connection, _about([row.id for row in found], customer_id, [row.number for row in found]))
    erase_messages(connection, ids, now=now)
    connection.execute(_FORGET_REPORTS, {"messages": ids})


def _end(held: HeldTicket, actor: Actor, reason: str, *, standard: Standard, now: datetime) -> None:
    """Cancel it; what is done and waits for the customer's word is closed without it."""
    if held.row["state"] == TicketState.COMPLETED:
        commands.apply_to(held, Close(), SYSTEM, standard=standard, now=now)
    else:
        commands.apply_to(held, Cancel(reason=reason), actor, standard=standard, now=now)


def erase_ticket(held: HeldTicket, actor: Actor, reason: str, *, now: datetime) -> None:
    """Take everything personal out of a ticket that is over and locked; nothing more is sent about it."""
    connection, ticket_id = held.connection, held.id
    surveys.cancel_open(connection, ticket_id)
    of_ticket = select(Survey.id).where(Survey.ticket_id == ticket_id)
    connection.execute(delete(SurveyDraft).where(SurveyDraft.survey_id.in_(of_ticket)))
    _erase_plans(connection, ticket_id)
    connection.execute(
        update(SurveyAnswer).where(SurveyAnswer.survey_id.in_(of_ticket)).values(dict.fromkeys(_ANSWER_WORDS, ""))
    )
    is_open = Callback.state == CallbackState.OPEN.value
    calls = update(Callback).where(Callback.ticket_id == ticket_id)
    now_over = {"state": case((is_open, CallbackState.CANCELLED.value), else_=Callback.state), "next_action_at": None}
    said = {"reason": case((Callback.reason.is_not(None), BLANK)), "suggestion": None}
    connection.execute(calls.values(**now_over, **said))
    connection.execute(update(CaseReview).where(CaseReview.ticket_id == ticket_id).values(what_happened=BLANK))
    review = update(CaseReview).where(CaseReview.ticket_id == ticket_id)
    connection.execute(review.values(dict.fromkeys(_REVIEW_WORDS, BLANK)))
    cases = select(QualityCase.id).where(QualityCase.ticket_id == ticket_id)
    connection.execute(update(QualityScore).where(QualityScore.case_id.in_(cases)).values(comments={}))
    connection.execute(delete(Attachment).where(Attachment.ticket_id == ticket_id))
    connection.execute(update(PendingEvent).where(PendingEvent.ticket_id == ticket_id).values(problem=None))
    erase_messages(connection, _ids(connection, _about([ticket_id])), now=now)
    ticket = fetch_one(connection, select(Ticket.__table__).where(Ticket.id == ticket_id)) or held.row
    events.erase_words(connection, ticket, actor, reason, {**_TICKET, "erased_at": now}, now=now)


def _erase_plans(connection: Connection, ticket_id: int) -> None:
    connection.execute(
        update(Plan)
        .where(Plan.ticket_id == ticket_id)
        .values(
            steps=[BLANK],
            agreed_with=case((Plan.agreed_with.is_not(None), BLANK)),
            objection=case((Plan.objection.is_not(None), BLANK)),
        )
    )
    plans = select(Plan.id).where(Plan.ticket_id == ticket_id)
    connection.execute(
        update(PlanOption).where(PlanOption.plan_id.in_(plans)).values(title=BLANK, pros=BLANK, cons=BLANK)
    )


# Written out, not bound: so that the partial indexes are used.
_IS_DIGEST = text(f"messages.kind = '{MessageKind.WEEKLY_DIGEST}'")
_FORGET_REPORTS = text(
    "DELETE FROM inbox WHERE kind = 'Report' AND (content ->> 'message_id')::bigint = ANY(:messages)"
)


def _about(ticket_ids: Sequence[int], customer_id: int | None = None, numbers: Sequence[str] = ()) -> Any:
    """Messages of the customer or about these tickets; a digest quotes what was said of a ticket."""
    found: list[Any] = [Message.ticket_id.in_(ticket_ids)]
    if customer_id is not None:
        found.append(Message.customer_id == customer_id)
    if numbers:
        quotes = sql_cast(Message.context, Text).regexp_match("|".join(map(re.escape, numbers)))
        found.append(_IS_DIGEST & or_(quotes, _encloses(customer_id)))
    return or_(*found)


def _encloses(customer_id: int | None) -> Any:
    """Whether the tracking sheet that left with a digest has a ticket of this customer: one opened in its days."""
    span = Message.context["digest"]
    since, until = (sql_cast(span[border].astext, DateTime(timezone=True)) for border in ("since", "until"))
    is_of_them = (Ticket.customer_id == customer_id) & (Ticket.opened_at >= since) & (Ticket.opened_at < until)
    return exists().where(Enclosure.message_id == Message.id, Enclosure.content_id.is_(None)) & exists().where(
        is_of_them
    )


def _ids(connection: Connection, which: ColumnElement[bool]) -> list[int]:
    return list(connection.execute(select(Message.id).where(which)).scalars())


def erase_messages(connection: Connection, ids: Sequence[int], *, now: datetime) -> None:
    """Take words and addresses out of messages; what is queued is not sent, what is being sent not sent again."""
    is_queued = Message.state == MessageState.QUEUED.value
    for kept in (MailboxEntry, Enclosure):
        connection.execute(delete(kept).where(kept.message_id.in_(ids)))
    connection.execute(
        update(Message)
        .where(Message.id.in_(ids))
        .values(
            context=NO_WORDS,
            state=case(
                (is_queued, MessageState.WITHHELD.value),
                (Message.state == MessageState.SENDING.value, MessageState.UNKNOWN.value),
                else_=Message.state,
            ),
            error_code=case((is_queued, ERASED), else_=Message.error_code),
            settled_at=case((is_queued, now), else_=Message.settled_at),
            body=case((Message.body.is_not(None), "")),
            subject=None,
            html=None,
            address=None,
            provider_id=None,
            look_at=None,
        )
    )
    connection.execute(update(MessageReport).where(MessageReport.message_id.in_(ids)).values(code=None))


def forget_person(connection: Connection, customer_id: int, reason: str, *, now: datetime) -> None:
    """Forget a customer whose tickets are erased; a "no" to our messages is kept as a hash and still obeyed."""
    customer = _lock_customer(connection, customer_id)
    addresses = [address for address in (customer["phone"], customer["email"]) if address]
    erase_messages(connection, _ids(connection, Message.customer_id == customer_id), now=now)
    _empty_inbox(connection, addresses, now=now)
    suppressions.forget(connection, addresses)
    connection.execute(update(CareTaken).where(CareTaken.customer_id == customer_id).values(note=BLANK))
    connection.execute(
        update(Customer)
        .where(Customer.id == customer_id)
        .values(name=BLANK, phone=None, email=None, erased_at=now, erased_because=reason)
    )


def _empty_inbox(connection: Connection, addresses: Sequence[str], *, now: datetime) -> None:
    """Remove what came from these addresses; a "stop" that nobody has handled yet is obeyed first."""
    for address in addresses:
        gone = connection.execute(
            delete(InboxEntry)
            .where(InboxEntry.kind != "Report", inbox.SAID_BY.in_([address.lower()]))
            .returning(InboxEntry.content, InboxEntry.handled_at)
        ).all()
        for content, handled_at in gone:
            if handled_at is None and read_text(content.get("text", ""))[0] is Meaning.STOP:
                suppressions.add(connection, Medium.SMS, address, Remedy.OPTED_OUT, code="reply", now=now)


def _lock_customer(connection: Connection, customer_id: int) -> dict[str, Any]:
    """Not against those who only refer to the customer: they may hold a ticket that is waited for here."""
    query = select(Customer.__table__).where(Customer.id == customer_id).with_for_update(key_share=True)
    row = fetch_one(connection, query)
    if row is None:
        raise NotFoundError(f"no customer has the id {customer_id}")
    return row
