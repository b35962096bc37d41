"""What is past its time goes, a batch in each transaction: two runs share the work, a killed one lost one (S-71)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, delete, exists, select, text

from db import erasure, form_photos, handovers
from db.held import hold
from db.models import (
    Attachment,
    ContactView,
    Customer,
    InboxEntry,
    MailboxEntry,
    Message,
    SignInAttempt,
    StaffSession,
    Ticket,
)
from db.models.messages import HAS_WORDS
from domain.delivery import MessageState
from domain.people import SYSTEM
from domain.standard import Standard

BECAUSE = "retention time is over"
_UNDER_WAY = [MessageState.QUEUED.value, MessageState.SENDING.value]


class Past(StrEnum):
    """What is let go when its time is over, in this order."""

    TICKETS = "tickets"
    CUSTOMERS = "customers"
    PHOTOS = "photos"
    MESSAGES = "messages"
    MAILBOX = "mailbox"
    INBOX = "inbox"
    CONTACT_VIEWS = "contact_views"
    SESSIONS = "sessions"
    SIGN_INS = "sign_ins"
    FORM_PHOTOS = "form_photos"
    HANDOVERS = "handovers"


def let_go(connection: Connection, what: Past, *, standard: Standard, now: datetime, limit: int = 100) -> int:
    """Let up to ``limit`` of one kind go; returns how many went."""
    return _LET_GO[what](connection, standard, now, limit)


def _tickets(connection: Connection, standard: Standard, now: datetime, limit: int) -> int:
    query = (
        select(Ticket.id)
        .where(Ticket.closed_at <= now - standard.retention.tickets, Ticket.erased_at.is_(None))
        .order_by(Ticket.closed_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.execute(query).scalars().all()
    for ticket_id in sorted(ids):
        erasure.erase_ticket(hold(connection, ticket_id), SYSTEM, BECAUSE, now=now)
    return len(ids)


def _customers(connection: Connection, standard: Standard, now: datetime, limit: int) -> int:
    """Who has no ticket any more whose data are kept, and has been known for so long."""
    keeps = exists().where(Ticket.customer_id == Customer.id, Ticket.erased_at.is_(None))
    query = (
        select(Customer.id)
        .where(Customer.erased_at.is_(None), Customer.created_at <= now - standard.retention.tickets, ~keeps)
        .order_by(Customer.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    ids = connection.execute(query).scalars().all()
    # Under their locks nobody opens a ticket for them; one that was opened while they were chosen is seen now.
    busy = select(Ticket.customer_id).where(Ticket.customer_id.in_(ids), Ticket.erased_at.is_(None))
    spared = set(connection.execute(busy).scalars())
    for customer_id in ids:
        if customer_id not in spared:
            erasure.forget_person(connection, customer_id, BECAUSE, now=now)
    return len(ids) - len(spared)


def _messages(connection: Connection, standard: Standard, now: datetime, limit: int) -> int:
    query = (
        select(Message.id)
        .where(
            Message.queued_at <= now - standard.retention.messages,
            HAS_WORDS,
            Message.state.not_in(_UNDER_WAY),
        )
        .order_by(Message.queued_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.execute(query).scalars())
    erasure.erase_messages(connection, ids, now=now)
    return len(ids)


def _delete(connection: Connection, table: Any, is_past: Any, limit: int) -> int:
    (key,) = table.__table__.primary_key.columns
    query = select(key).where(is_past).order_by(key).limit(limit).with_for_update(of=table, skip_locked=True)
    return connection.execute(delete(table).where(key.in_(query))).rowcount


def _photos(connection: Connection, standard: Standard, now: datetime, limit: int) -> int:
    closed = select(Ticket.id).where(Ticket.closed_at <= now - standard.retention.photos)
    return _delete(connection, Attachment, Attachment.ticket_id.in_(closed), limit)


def _mailbox(connection: Connection, standard: Standard, now: datetime, limit: int) -> int:
    is_past = MailboxEntry.received_at <= now - standard.retention.messages
    return _delete(connection, MailboxEntry, is_past, limit)


def _inbox(connection: Connection, standard: Standard, now: datetime, limit: int) -> int:
    return _delete(connection, InboxEntry, InboxEntry.handled_at <= now - standard.retention.inbox, limit)


def _contact_views(connection: Connection, standard: Standard, now: datetime, limit: int) -> int:
    # The trigger lets looks go only in a transaction that says it is this one.
    connection.execute(text("SELECT set_config('aftercare.retention', 'on', true)"))
    gone = _delete(connection, ContactView, ContactView.at <= now - standard.retention.contact_views, limit)
    connection.execute(text("SELECT set_config('aftercare.retention', 'off', true)"))
    return gone


def _sessions(connection: Connection, _standard: Standard, now: datetime, limit: int) -> int:
    return _delete(connection, StaffSession, StaffSession.expires_at <= now, limit)


def _sign_ins(connection: Connection, standard: Standard, now: datetime, limit: int) -> int:
    return _delete(connection, SignInAttempt, SignInAttempt.first_at <= now - standard.workbench.attempts_within, limit)


def _form_photos(connection: Connection, _standard: Standard, now: datetime, _limit: int) -> int:
    return form_photos.forget(connection, before=now - form_photos.KEPT_FOR)


def _handovers(connection: Connection, _standard: Standard, now: datetime, _limit: int) -> int:
    return handovers.forget(connection, before=now - handovers.KEPT_FOR)


_LET_GO: Mapping[Past, Callable[[Connection, Standard, datetime, int], int]] = MappingProxyType(
    {
        Past.TICKETS: _tickets,
        Past.CUSTOMERS: _customers,
        Past.PHOTOS: _photos,
        Past.MESSAGES: _messages,
        Past.MAILBOX: _mailbox,
        Past.INBOX: _inbox,
        Past.CONTACT_VIEWS: _contact_views,
        Past.SESSIONS: _sessions,
        Past.SIGN_INS: _sign_ins,
        Past.FORM_PHOTOS: _form_photos,
        Past.HANDOVERS: _handovers,
    }
)
