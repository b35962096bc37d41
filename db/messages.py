"""Messages as people look them up, and what they may decide: to send one again, to take one back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, TextClause, bindparam, func, select, text, update

from db.events import NO_WORDS
from db.models import Customer, Message, Staff, Ticket
from db.outbox import with_people
from db.rows import Row, fetch, fetch_one
from domain.delivery import MessageState
from domain.exceptions import NotFoundError
from domain.message_care import AS_IT_SHOULD_BE, CANCELLED, MAY_BE_RESENT, Shelf

_Ticket = Ticket.number.label("ticket_number")
_GET = (
    with_people()
    .add_columns(_Ticket, Customer.wants_anonymity)
    .outerjoin(Ticket, Ticket.id == Message.ticket_id)
    .where(Message.id == bindparam("wanted"))
)


def get(connection: Connection, message_id: int) -> Row:
    """A message with its recipient and the ticket's number. Raises NotFoundError."""
    row = fetch_one(connection, _GET, wanted=message_id)
    if row is None:
        raise NotFoundError(f"no message has the id {message_id}; see 'aftercare message list'")
    return row


# Written out, not bound: a prepared statement with a parameter here could not use the partial indexes.
_DID_NOT_ARRIVE = text("messages.state IN ('failed', 'unknown', 'withheld')")
_SHELVES: Mapping[Shelf, tuple[ColumnElement[bool] | TextClause, ...]] = {
    Shelf.NEEDS_A_PERSON: (
        _DID_NOT_ARRIVE,
        (Message.state != MessageState.WITHHELD.value) | Message.error_code.not_in(AS_IT_SHOULD_BE),
    ),
    Shelf.OWED: (text("(messages.state = 'queued' OR messages.state = 'sending' AND messages.look_at IS NOT NULL)"),),
    Shelf.FAILED: (_DID_NOT_ARRIVE, Message.state == MessageState.FAILED.value),
    Shelf.UNKNOWN: (_DID_NOT_ARRIVE, Message.state == MessageState.UNKNOWN.value),
    Shelf.WITHHELD: (_DID_NOT_ARRIVE, Message.state == MessageState.WITHHELD.value),
    Shelf.ALL: (),
}


def on_shelf(
    connection: Connection, shelf: Shelf, *, limit: int, before: int | None = None, ticket_id: int | None = None
) -> list[Row]:
    """The newest messages of a part of the outbox; of one ticket, and older than the one ``before``, if given."""
    further = [Message.ticket_id == ticket_id] if ticket_id is not None else []
    further += [Message.id < before] if before is not None else []
    return _newest(connection, *_SHELVES[shelf], *further, limit=limit)


def list_in(connection: Connection, states: Sequence[MessageState], *, limit: int) -> list[Row]:
    """The newest messages in these states, with their recipients and the ticket's number."""
    return _newest(connection, Message.state.in_([state.value for state in states]), limit=limit)


def _newest(connection: Connection, *which: ColumnElement[bool] | TextClause, limit: int) -> list[Row]:
    return fetch(connection, _LISTED.where(*which).order_by(Message.id.desc()).limit(limit))


# Without the words: a page of mails would weigh a megabyte.
_LISTED = (
    select(
        Message.id,
        Message.kind,
        Message.medium,
        Message.switched_from,
        Message.state,
        Message.error_code,
        Message.queued_at,
        Message.send_after,
        Message.address,
        Message.customer_id,
        Customer.phone,
        Customer.wants_anonymity,
        func.coalesce(Customer.email, Staff.email).label("email"),
        func.coalesce(Customer.name, Staff.name).label("recipient_name"),
        _Ticket,
    )
    .outerjoin(Customer, Customer.id == Message.customer_id)
    .outerjoin(Staff, Staff.id == Message.staff_id)
    .outerjoin(Ticket, Ticket.id == Message.ticket_id)
)


def resend(connection: Connection, message_id: int, *, now: datetime) -> bool:
    """Queue a message again that is over and did not arrive, because a person decided so; False when it is not so.

    What was sent before is sent with the same words; what never was gets them anew. One whose words are erased has
    none, and is never sent again.
    """
    statement = update(Message).where(
        Message.id == message_id,
        Message.state.in_([state.value for state in MAY_BE_RESENT]),
        Message.context != NO_WORDS,
    )
    values = {"state": MessageState.QUEUED.value, "send_after": now, "look_at": None, "error_code": None}
    counters = {"resent_at": now, "not_sent": 0, "out_of_reach": 0}
    return bool(connection.execute(statement.values(**values, **counters)).rowcount)


def cancel(connection: Connection, message_id: int, *, now: datetime) -> bool:
    """Take back a message that waits; False when it does not wait."""
    waiting = update(Message).where(Message.id == message_id, Message.state == MessageState.QUEUED.value)
    taken_back = {"state": MessageState.WITHHELD.value, "error_code": CANCELLED, "look_at": None, "settled_at": now}
    return bool(connection.execute(waiting.values(**taken_back)).rowcount)
