"""Messages as people look them up, and what they may decide: to send one again, to take one back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, update

from db.events import NO_WORDS
from db.models import Message, Ticket
from db.outbox import with_people
from db.rows import Row, fetch, fetch_one
from domain.delivery import MessageState
from domain.exceptions import NotFoundError


def get(connection: Connection, message_id: int) -> Row:
    """A message with its recipient. Raises NotFoundError."""
    row = fetch_one(connection, with_people().where(Message.id == message_id))
    if row is None:
        raise NotFoundError(f"no message has the id {message_id}; see 'aftercare message list'")
    return row


def list_in(connection: Connection, states: Sequence[MessageState], *, limit: int) -> list[Row]:
    """The newest messages in these states, with their recipients and the ticket's number."""
    return _newest(connection, Message.state.in_([state.value for state in states]), limit)


# Over, and it did not arrive.
_OVER = tuple(state.value for state in (MessageState.FAILED, MessageState.UNKNOWN, MessageState.WITHHELD))
# Why a message is withheld that somebody took back.
CANCELLED = "cancelled"

# What did not arrive and a person may want to do something about; the others are as they should be.
_NEEDS_A_PERSON = Message.state.in_([MessageState.FAILED.value, MessageState.UNKNOWN.value]) | (
    (Message.state == MessageState.WITHHELD.value)
    & Message.error_code.not_in(["declined", "out_of_date", "erased", CANCELLED])
)


def list_needing_a_person(connection: Connection, *, limit: int) -> list[Row]:
    """The newest messages that failed, stay unknown, or could not be sent to anybody."""
    return _newest(connection, _NEEDS_A_PERSON, limit)


def _newest(connection: Connection, which: ColumnElement[bool], limit: int) -> list[Row]:
    query = (
        with_people()
        .add_columns(Ticket.number.label("ticket_number"))
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(which)
        .order_by(Message.id.desc())
        .limit(limit)
    )
    return fetch(connection, query)


def resend(connection: Connection, message_id: int, *, now: datetime) -> bool:
    """Queue a message again that is over and did not arrive, because a person decided so; False when it is not over.

    What was sent before is sent with the same words; what never was gets them anew. One whose words are erased has
    none, and is never sent again.
    """
    statement = update(Message).where(Message.id == message_id, Message.state.in_(_OVER), Message.context != NO_WORDS)
    values = {"state": MessageState.QUEUED.value, "send_after": now, "look_at": None, "error_code": None}
    counters = {"resent_at": now, "not_sent": 0, "out_of_reach": 0}
    return bool(connection.execute(statement.values(**values, **counters)).rowcount)


def cancel(connection: Connection, message_id: int, *, now: datetime) -> bool:
    """Take back a message that waits; False when it does not wait."""
    waiting = update(Message).where(Message.id == message_id, Message.state == MessageState.QUEUED.value)
    taken_back = {"state": MessageState.WITHHELD.value, "error_code": CANCELLED, "look_at": None, "settled_at": now}
    return bool(connection.execute(waiting.values(**taken_back)).rowcount)
