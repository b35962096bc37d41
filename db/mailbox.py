"""What the mailbox transport keeps: every message as it was handed over, per recipient."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from db import outbox
from db.models import Customer, MailboxEntry, Message, Staff, Ticket
from db.rows import fetch, fetch_one
from domain.exceptions import NotFoundError


def keep(
    connection: Connection,
    message_id: int,
    *,
    attempt: int,
    address: str,
    subject: str | None,
    body: str,
    html: str | None,
    now: datetime,
) -> int | None:
    """Keep one message; returns the entry's id, or None when this attempt does not have the message any more."""
    if not outbox.is_claimed(connection, message_id, attempt):
        return None
    statement = insert(MailboxEntry).returning(MailboxEntry.id)
    values = {"message_id": message_id, "address": address, "subject": subject, "body": body, "html": html}
    return connection.execute(statement, {**values, "received_at": now}).scalar_one()


def find(connection: Connection, message_id: int) -> int | None:
    """The entry of a message, or None when it never arrived."""
    query = select(func.min(MailboxEntry.id)).where(MailboxEntry.message_id == message_id)
    return connection.execute(query).scalar_one()


def list_addresses(connection: Connection) -> list[tuple[str, int, datetime]]:
    """Every address with its number of messages and the last one's moment, newest first."""
    latest = func.max(MailboxEntry.received_at)
    query = (
        select(MailboxEntry.address, func.count(), latest)
        .group_by(MailboxEntry.address)
        .order_by(latest.desc(), MailboxEntry.address)
    )
    return [(address, count, at) for address, count, at in connection.execute(query)]


def list_entries(connection: Connection, address: str, *, limit: int = 100) -> list[dict[str, Any]]:
    """The newest entries of an address, with the message's kind and language, and its ticket's number."""
    query = (
        select(
            MailboxEntry.__table__,
            Message.kind,
            Message.language,
            Message.medium,
            Ticket.number.label("ticket_number"),
        )
        .join(Message, Message.id == MailboxEntry.message_id)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(MailboxEntry.address == address)
        .order_by(MailboxEntry.id.desc())
        .limit(limit)
    )
    return fetch(connection, query)


def list_since(connection: Connection, entry_id: int) -> list[dict[str, Any]]:
    """Entries after one, oldest first, with the message's kind and the recipient's name."""
    query = (
        select(
            MailboxEntry.__table__,
            Message.kind,
            Message.medium,
            func.coalesce(Customer.name, Staff.name).label("recipient_name"),
        )
        .join(Message, Message.id == MailboxEntry.message_id)
        .outerjoin(Customer, Customer.id == Message.customer_id)
        .outerjoin(Staff, Staff.id == Message.staff_id)
        .where(MailboxEntry.id > entry_id)
        .order_by(MailboxEntry.id)
    )
    return fetch(connection, query)


def find_doubled(connection: Connection) -> list[int]:
    """Messages that were handed over more than once; empty when all is well."""
    query = select(MailboxEntry.message_id).group_by(MailboxEntry.message_id).having(func.count() > 1)
    return list(connection.execute(query).scalars())


def get(connection: Connection, entry_id: int) -> dict[str, Any]:
    """One entry. Raises NotFoundError."""
    row = fetch_one(connection, select(MailboxEntry.__table__).where(MailboxEntry.id == entry_id))
    if row is None:
        raise NotFoundError("no such message")
    return row
