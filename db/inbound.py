"""What came from outside becomes what it means: a fate, an opt-out, a score, a note on the ticket (S-01, S-41)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, or_, select, update

from db import commands, fates, intake, occurrences, suppressions, surveys
from db.alarms import Leads
from db.held import HeldTicket, hold
from db.models import Customer, Message, Staff, Survey, Ticket
from db.rows import Row, fetch_one
from domain.assignment import choose_lead
from domain.commands import AddNote, RecordReply
from domain.delivery import InboundText, Received, Remedy, Report, Unsubscribed
from domain.exceptions import IllegalTransitionError
from domain.inbound import Meaning, read_text
from domain.intake import build_report
from domain.lifecycle import TicketState
from domain.messages import Medium, MessageKind, Subscription
from domain.people import Actor, Role
from domain.satisfaction import OverallAnswer, SurveyState
from domain.standard import Standard
from domain.tickets import Channel


def handle(connection: Connection, source: str, received: Received, *, standard: Standard, now: datetime) -> str:
    """Do what a received entry asks for; returns in a few words what that was. Raises DomainError."""
    match received:
        case Report():
            return fates.report(connection, received, provider=source, policy=standard.delivery, now=now)
        case Unsubscribed(address=address, remedy=remedy):
            if remedy is Remedy.COMPLAINED:
                suppressions.add(connection, Medium.EMAIL, address, remedy, code=source, now=now)
            return f"unsubscribed {_decline(connection, address, now=now)}"
        case InboundText():
            return _text(connection, received, standard=standard, now=now)


def decline(connection: Connection, subscription: Subscription, person_id: int, *, now: datetime) -> None:
    """Remember that a customer wants no more surveys, or a member of staff no more digests (RFC 8058)."""
    if subscription is Subscription.SURVEYS:
        customer = update(Customer).where(Customer.id == person_id, Customer.declined_surveys_at.is_(None))
        connection.execute(customer.values(declined_surveys_at=now))
    else:
        reader = update(Staff).where(Staff.id == person_id, Staff.declined_digests_at.is_(None))
        connection.execute(reader.values(declined_digests_at=now))


def _decline(connection: Connection, address: str, *, now: datetime) -> str:
    """By an address that a vendor names."""
    found = []
    for table, subscription in ((Customer, Subscription.SURVEYS), (Staff, Subscription.DIGESTS)):
        query = select(table.id).where(func.lower(table.email) == address.lower())
        for person_id in connection.execute(query).scalars().all():
            decline(connection, subscription, person_id, now=now)
            found.append(subscription.value)
    return ", ".join(found) or "nobody we know"


def _text(connection: Connection, said: InboundText, *, standard: Standard, now: datetime) -> str:
    meaning, score = read_text(said.text)
    if meaning is Meaning.STOP:
        suppressions.add(connection, Medium.SMS, said.sender, Remedy.OPTED_OUT, code="reply", now=now)
        return "opted out"
    if meaning is Meaning.START and suppressions.lift(connection, said.sender, now=now):
        return "opted in"  # from whoever never opted out, "yes" is an answer to a person
    customer_id = connection.execute(select(Customer.id).where(Customer.phone == said.sender)).scalar_one_or_none()
    if customer_id is None:
        return "unknown sender"
    if not said.text:
        return "empty"
    customer = Actor(Role.CUSTOMER, customer_id)
    if score is not None and (answered := _score(connection, customer, score, standard=standard, now=now)):
        return answered
    return _note(connection, customer, said, standard=standard, now=now)


_ASKS_FOR_SCORES = [
    kind.value for kind in (MessageKind.SURVEY_INVITATION, MessageKind.SURVEY_REMINDER, MessageKind.SURVEY_AGAIN)
]


def _score(connection: Connection, customer: Actor, score: int, *, standard: Standard, now: datetime) -> str | None:
    """Take 1 to 5 as the overall score of the survey that last went out by SMS; None when there is none (S-41)."""
    query = (
        select(Survey.id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .join(Message, Message.ticket_id == Ticket.id)
        .where(
            Ticket.customer_id == customer.id,
            Survey.state == SurveyState.SENT.value,
            Survey.expires_at > now,
            Message.medium == Medium.SMS.value,
            Message.kind.in_(_ASKS_FOR_SCORES),
            Message.sending_at.is_not(None),
            Message.context["survey_id"].as_integer() == Survey.id,
        )
        .order_by(Survey.sent_at.desc())
        .limit(1)
    )
    survey_id = connection.execute(query).scalar_one_or_none()
    if survey_id is None:
        return None
    try:
        is_new = surveys.record_answer(
            connection, survey_id, OverallAnswer(overall=score), customer, standard=standard, now=now
        )
    except IllegalTransitionError:
        return None
    return "survey score" if is_new else "scored already"


def _note(connection: Connection, customer: Actor, said: InboundText, *, standard: Standard, now: datetime) -> str:
    """Put the words on the customer's ticket and tell its assignee; without a ticket they open one (S-01)."""
    ticket = _ticket_of(connection, customer, since=now - standard.completion.reopen_within)
    if ticket is None:
        words = said.text if len(said.text) > 1 else f"SMS: {said.text}"
        report = build_report({"channel": Channel.SMS, "description": words[:5000]})
        key = f"sms:{said.key}"
        intake.open_ticket(
            connection, customer.id or 0, report, customer, standard=standard, now=now, idempotency_key=key
        )
        return "opened a ticket"
    held = hold(connection, ticket["id"])
    words = said.text[:2000]
    if held.row["state"] == TicketState.WAITING_CUSTOMER:
        # This one tells the assignee by itself.
        reply = RecordReply(reply=words)
        commands.apply_to(held, reply, customer, standard=standard, now=now, idempotency_key=f"sms:{said.key}")
        return "reply to our question"
    applied = commands.apply_to(
        held, AddNote(note=words), customer, standard=standard, now=now, idempotency_key=f"sms:{said.key}"
    )
    if not applied.was_repeated:
        _tell_about_note(connection, held, words, standard=standard, now=now)
    return "note on the ticket"


def _tell_about_note(
    connection: Connection, held: HeldTicket, words: str, *, standard: Standard, now: datetime
) -> None:
    if held.row["assignee_id"] is not None:
        reader: tuple[int, str] | None = (held.row["assignee_id"], held.row["assignee_language"])
    else:
        leads = Leads.read(connection, standard)
        lead = choose_lead(leads.people, Role.SUPERVISOR, region=held.row["region"], now=now)
        reader = (lead.id, lead.language) if lead is not None else None
    if reader is not None:
        occurrences.tell(held, [(*reader, MessageKind.STAFF_CUSTOMER_WROTE)], {"note": words}, now=now)


def _ticket_of(connection: Connection, customer: Actor, *, since: datetime) -> Row | None:
    """The customer's newest open ticket, else the newest that was closed since a moment."""
    query = (
        select(Ticket.id, Ticket.state)
        .where(Ticket.customer_id == customer.id, or_(Ticket.closed_at.is_(None), Ticket.closed_at >= since))
        .order_by(Ticket.closed_at.is_not(None), Ticket.id.desc())
        .limit(1)
    )
    return fetch_one(connection, query)
