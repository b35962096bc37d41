"""The outbox: messages are queued with the change that owes them, claimed by one sender, and settled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db import bulk
from db.models import Customer, Message, Staff
from db.rows import fetch
from domain.delivery import FOLLOWS, Accepted, MessageState, NotSent, Outcome, state_after
from domain.messages import Medium, MessageKind, check_context

# A message that certainly did not leave is tried again after these many seconds, then given up.
RETRY_DELAYS = (5, 30, 120, 600, 3600)


# Written out, not bound: a prepared statement with a parameter here could not use the partial indexes.
IS_QUEUED = text("messages.state = 'queued'")
IS_UNCLEAR = text("messages.state IN ('sending', 'unknown')")


@dataclass(frozen=True, slots=True)
class NewMessage:
    """One owed message. ``dedupe_key`` names the occasion: the same occasion never owes it twice."""

    dedupe_key: str
    kind: MessageKind
    medium: Medium
    language: str
    context: Mapping[str, Any]
    ticket_id: int | None = None
    customer_id: int | None = None
    staff_id: int | None = None


_QUEUE = insert(Message).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(Message.id)


def queue(connection: Connection, messages: Sequence[NewMessage], *, now: datetime) -> int:
    """Queue messages; one whose dedupe key is there already is left out. Returns how many are new.

    Raises DomainError when a message lacks something its words need.
    """
    if not messages:
        return 0
    rows = []
    for message in messages:
        check_context(message.kind, message.context)
        rows.append(
            {
                "dedupe_key": message.dedupe_key,
                "kind": message.kind.value,
                "medium": message.medium.value,
                "language": message.language,
                "context": dict(message.context),
                "ticket_id": message.ticket_id,
                "customer_id": message.customer_id,
                "staff_id": message.staff_id,
                "queued_at": now,
                "send_after": now,
            }
        )
    if len(rows) == 1:
        return len(connection.execute(_QUEUE, rows[0]).all())
    return len(
        bulk.insert_many(
            connection, cast("Table", Message.__table__), rows, returning=("id",), unless_known="dedupe_key"
        )
    )


def claim(connection: Connection, *, now: datetime, limit: int) -> list[dict[str, Any]]:
    """Lock due messages, oldest first, with what is needed to render and address them.

    The caller freezes their words and marks them sending in the same transaction (``freeze``).
    """
    query = (
        select(
            Message.__table__,
            func.coalesce(Customer.name, Staff.name).label("recipient_name"),
            func.coalesce(Customer.email, Staff.email).label("email"),
            Customer.phone,
            Customer.time_zone,
        )
        .outerjoin(Customer, Customer.id == Message.customer_id)
        .outerjoin(Staff, Staff.id == Message.staff_id)
        .where(IS_QUEUED, Message.send_after <= now)
        .order_by(Message.send_after, Message.id)
        .limit(limit)
        .with_for_update(of=Message, skip_locked=True)
    )
    return fetch(connection, query)


def freeze(connection: Connection, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Store the words (``subject``, ``body``, ``html`` by ``id``) and mark the messages as sending.

    From here on a crash leaves ``sending``, which is looked up and never blindly sent again.
    """
    if rows:
        connection.execute(
            update(Message)
            .where(Message.id == bindparam("key"))
            .values(
                state=MessageState.SENDING.value,
                subject=bindparam("new_subject"),
                body=bindparam("new_body"),
                html=bindparam("new_html"),
                sending_at=now,
                attempts=Message.attempts + 1,
            ),
            [{"key": r["id"], "new_subject": r["subject"], "new_body": r["body"], "new_html": r["html"]} for r in rows],
        )


def refuse(connection: Connection, message_id: int, *, code: str, body: str, now: datetime) -> None:
    """Give up a message whose words cannot be made; ``code`` says why."""
    connection.execute(
        update(Message)
        .where(Message.id == message_id)
        .values(state=MessageState.FAILED.value, error_code=code, body=body, settled_at=now)
    )


def frozen(connection: Connection, message_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Messages that are being sent, with their words and addresses, in the order of their ids."""
    query = (
        select(
            Message.__table__,
            func.coalesce(Customer.email, Staff.email).label("email"),
            Customer.phone,
        )
        .outerjoin(Customer, Customer.id == Message.customer_id)
        .outerjoin(Staff, Staff.id == Message.staff_id)
        .where(Message.id.in_(message_ids), Message.state == MessageState.SENDING.value)
        .order_by(Message.id)
    )
    return fetch(connection, query)


def is_claimed(connection: Connection, message_id: int, attempt: int) -> bool:
    """Lock a message and say whether this attempt still has it; a reaper may have taken it from a slow sender."""
    query = select(Message.state, Message.attempts).where(Message.id == message_id).with_for_update()
    row = connection.execute(query).one()
    return bool(row.state == MessageState.SENDING and row.attempts == attempt)


def settle(
    connection: Connection, message_id: int, outcome: Outcome, *, attempt: int, provider: str, now: datetime
) -> bool:
    """Record the fate of an attempt; a late or doubled report changes nothing. Returns whether it did."""
    current = connection.execute(
        select(Message.state, Message.attempts).where(Message.id == message_id).with_for_update()
    ).one()
    target = state_after(outcome)
    if current.attempts != attempt or target not in FOLLOWS[MessageState(current.state)]:
        return False
    values: dict[str, Any] = {"state": target.value, "provider": provider, "settled_at": now, "error_code": None}
    match outcome:
        case Accepted(provider_id=provider_id):
            values["provider_id"] = provider_id
        case NotSent(code=code) if attempt > len(RETRY_DELAYS):
            values |= {"state": MessageState.FAILED.value, "error_code": code}
        case NotSent(code=code):
            retry_at = now + timedelta(seconds=RETRY_DELAYS[attempt - 1])
            values |= {"error_code": code, "settled_at": None, "send_after": retry_at}
        case _:
            values["error_code"] = outcome.code
    connection.execute(update(Message).where(Message.id == message_id).values(**values))
    return True


def claim_unclear(connection: Connection, *, stale_since: datetime, now: datetime, limit: int) -> list[tuple[int, int]]:
    """Mark messages unknown that have been sending since before ``stale_since``; returns (id, attempt) to look up.

    One that is unknown already is looked up again after the same time.
    """
    stale = (
        select(Message.id)
        .where(
            IS_UNCLEAR,
            Message.sending_at <= stale_since,
        )
        .order_by(Message.sending_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    marked = connection.execute(
        update(Message)
        .where(Message.id.in_(stale.scalar_subquery()))
        .values(state=MessageState.UNKNOWN.value, sending_at=now)
        .returning(Message.id, Message.attempts)
    )
    return [(row.id, row.attempts) for row in marked]


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many messages stand in each state."""
    query = select(Message.state, func.count()).group_by(Message.state)
    return dict(connection.execute(query).tuples().all())


def list_of(connection: Connection, ticket_id: int) -> list[dict[str, Any]]:
    """The messages about a ticket, oldest first, with the recipient's name."""
    query = (
        select(Message.__table__, func.coalesce(Customer.name, Staff.name).label("recipient_name"))
        .outerjoin(Customer, Customer.id == Message.customer_id)
        .outerjoin(Staff, Staff.id == Message.staff_id)
        .where(Message.ticket_id == ticket_id)
        .order_by(Message.id)
    )
    return fetch(connection, query)
