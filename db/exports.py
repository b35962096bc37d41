"""Everything that is kept of one customer, for the customer: the rows as they are, photos apart (S-71)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select

from db import attachments, customers, inbox
from db.models import (
    Attachment,
    Callback,
    CareTaken,
    CaseReview,
    ContactView,
    InboxEntry,
    MailboxEntry,
    Message,
    MessageReport,
    Plan,
    PlanOption,
    SlaClock,
    Staff,
    Suppression,
    Survey,
    SurveyAnswer,
    SurveyDraft,
    Ticket,
    TicketEvent,
)
from db.rows import fetch
from domain.pictures import Photo

# What only guards the history or the delivery, and tells nobody anything.
_LEFT_OUT = frozenset({"digest", "event_digest", "event_count", "content", "sha256", "dedupe_key"})


def export(connection: Connection, customer_id: int) -> dict[str, Any]:
    """The customer and every row about them, by table, with moments in ISO 8601. Raises NotFoundError."""
    customer = customers.get(connection, customer_id)
    tickets = select(Ticket.id).where(Ticket.customer_id == customer_id)
    messages = select(Message.id).where(or_(Message.ticket_id.in_(tickets), Message.customer_id == customer_id))
    surveys = select(Survey.id).where(Survey.ticket_id.in_(tickets))
    plans = select(Plan.id).where(Plan.ticket_id.in_(tickets))
    addresses = [address.lower() for address in (customer["phone"], customer["email"]) if address]
    which: list[tuple[Any, Any]] = [
        (Ticket, Ticket.customer_id == customer_id),
        (TicketEvent, TicketEvent.ticket_id.in_(tickets)),
        (SlaClock, SlaClock.ticket_id.in_(tickets)),
        (Plan, Plan.ticket_id.in_(tickets)),
        (PlanOption, PlanOption.plan_id.in_(plans)),
        (Attachment, Attachment.ticket_id.in_(tickets)),
        (Message, Message.id.in_(messages)),
        (MessageReport, MessageReport.message_id.in_(messages)),
        (MailboxEntry, MailboxEntry.message_id.in_(messages)),
        (Survey, Survey.ticket_id.in_(tickets)),
        (SurveyAnswer, SurveyAnswer.survey_id.in_(surveys)),
        (SurveyDraft, SurveyDraft.survey_id.in_(surveys)),
        (Callback, Callback.ticket_id.in_(tickets)),
        (Suppression, func.lower(Suppression.address).in_(addresses)),
        (ContactView, ContactView.customer_id == customer_id),
        (CareTaken, CareTaken.customer_id == customer_id),
        (CaseReview, CaseReview.ticket_id.in_(tickets)),
    ]
    found: dict[str, Any] = {"customer": _readable(customer)}
    for model, condition in which:
        found[model.__tablename__] = _rows(connection, model.__table__, condition)
    # In the inbox "content" is what was said, and no photo.
    received = select(InboxEntry.source, InboxEntry.kind, InboxEntry.content, InboxEntry.received_at)
    rows = fetch(connection, received.where(inbox.SAID_BY.in_(addresses)).order_by(InboxEntry.id))
    return found | {"inbox": [{name: _plain(value) for name, value in row.items()} for row in rows]}


def photos(connection: Connection, customer_id: int) -> Iterator[tuple[str, int, Photo]]:
    """Each photo and signature of the customer's tickets, one at a time, with ticket number and id."""
    query = select(Ticket.number, Attachment.id).join(Attachment, Attachment.ticket_id == Ticket.id)
    for number, photo_id in connection.execute(
        query.where(Ticket.customer_id == customer_id).order_by(Attachment.id)
    ).all():
        yield number, photo_id, attachments.get(connection, photo_id)


def views_of(connection: Connection, customer_id: int) -> list[dict[str, Any]]:
    """Who looked at the customer's contact data, when and where, the newest first. Raises NotFoundError."""
    customers.get(connection, customer_id)
    query = (
        select(ContactView.at, ContactView.seen_on, Staff.name, Staff.role, Ticket.number.label("ticket_number"))
        .join(Staff, Staff.id == ContactView.staff_id)
        .outerjoin(Ticket, Ticket.id == ContactView.ticket_id)
        .where(ContactView.customer_id == customer_id)
        .order_by(ContactView.id.desc())
    )
    return fetch(connection, query)


def _rows(connection: Connection, table: Table, condition: Any) -> list[dict[str, Any]]:
    columns = [column for column in table.c if column.name not in _LEFT_OUT]
    query = select(*columns).where(condition).order_by(*table.primary_key.columns)
    return [_readable(row) for row in fetch(connection, query)]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items() if name not in _LEFT_OUT}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
