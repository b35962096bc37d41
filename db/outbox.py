"""The outbox: messages are queued with the change that owes them and claimed by one sender; fates.py settles them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Connection, Integer, Select, Table, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

import tracing
from db import bulk, enclosures
from db.models import Customer, Message, Staff, Survey, Ticket
from db.rows import Row, fetch
from domain.delivery import MessageState
from domain.messages import MESSAGES, Enclosure, Medium, MessageKind, check_context

# Written out, not bound: a prepared statement with a parameter here could not use the partial index.
IS_QUEUED = text("messages.state = 'queued'")
_TABLE = cast("Table", Message.__table__)
_NEWS = [kind.value for kind, traits in MESSAGES.items() if traits.merges] + [MessageKind.TICKET_UPDATES.value]


@dataclass(frozen=True, slots=True)
class NewMessage:
    """One owed message. ``dedupe_key`` names the occasion: the same occasion never owes it twice.

    ``send_after``: not before this moment (UTC); None: now. ``is_urgent``: overtakes what waits for its medium.
    ``enclosures``: files that leave with a mail. ``traceparent``: of what owes it; None: the present span.
    """

    dedupe_key: str
    kind: MessageKind
    medium: Medium
    language: str
    context: Mapping[str, Any]
    ticket_id: int | None = None
    customer_id: int | None = None
    staff_id: int | None = None
    send_after: datetime | None = None
    is_urgent: bool = False
    enclosures: Sequence[Enclosure] = ()
    traceparent: str | None = None


def queue(connection: Connection, messages: Sequence[NewMessage], *, now: datetime) -> int:
    """Queue messages, each dedupe key once; returns how many are new. Raises DomainError when one lacks a word."""
    if not messages:
        return 0
    rows = [row_of(message, now=now) for message in messages]
    # Written out by bulk.py also for one row: SQLAlchemy compiles an ON CONFLICT anew each time.
    new = bulk.insert_many(connection, _TABLE, rows, returning=("id", "dedupe_key"), unless_known="dedupe_key")
    enclosed = {message.dedupe_key: message.enclosures for message in messages if message.enclosures}
    enclosures.keep(connection, {key: enclosed[occasion] for key, occasion in new if occasion in enclosed})
    return len(new)


def row_of(message: NewMessage, *, now: datetime) -> Row:
    """A message's row. Raises DomainError when it lacks something its words need."""
    check_context(message.kind, message.context)
    return {
        "dedupe_key": message.dedupe_key,
        "kind": message.kind.value,
        "medium": message.medium.value,
        "language": message.language,
        "context": dict(message.context),
        "ticket_id": message.ticket_id,
        "customer_id": message.customer_id,
        "staff_id": message.staff_id,
        "queued_at": now,
        "send_after": message.send_after or now,
        "is_urgent": message.is_urgent,
        "traceparent": message.traceparent or tracing.traceparent(),
    }


# What a sender has in its hands leaves anyway; waiting for it here could wait for each other.
_HASTEN = (
    update(Message)
    .where(
        Message.id.in_(
            select(Message.id)
            .where(Message.ticket_id == bindparam("of_ticket"), IS_QUEUED, ~Message.is_urgent)
            .with_for_update(skip_locked=True)
        )
    )
    .values(is_urgent=True)
)


def hasten(connection: Connection, ticket_id: int) -> None:
    """Let what is queued about a ticket overtake: it has become urgent."""
    connection.execute(_HASTEN, {"of_ticket": ticket_id})


_PEOPLE = (
    func.coalesce(Customer.name, Staff.name).label("recipient_name"),
    func.coalesce(Customer.email, Staff.email).label("email"),
    Customer.phone,
    Customer.time_zone,
    func.coalesce(Customer.declined_surveys_at, Staff.declined_digests_at).is_not(None).label("has_declined"),
)
_CLAIM = (
    select(
        _TABLE,
        *_PEOPLE,
        Ticket.priority,
        Ticket.state.label("ticket_state"),
        Ticket.plan_revision,
        Ticket.completion_no,
        Survey.state.label("survey_state"),
    )
    .outerjoin(Customer, Customer.id == Message.customer_id)
    .outerjoin(Staff, Staff.id == Message.staff_id)
    .outerjoin(Ticket, Ticket.id == Message.ticket_id)
    .outerjoin(Survey, Survey.id == Message.context["survey_id"].as_integer())
    .where(IS_QUEUED, Message.medium == bindparam("of_medium"), Message.send_after <= bindparam("now"))
    .order_by(Message.send_after, Message.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=Message, skip_locked=True)
)
# Two looks, each at the head of its own index: one order over both kinds would have to sort the whole queue.
_CLAIM_URGENT, _CLAIM_OTHERS = _CLAIM.where(Message.is_urgent), _CLAIM.where(~Message.is_urgent)


def claim(connection: Connection, medium: Medium, *, now: datetime, limit: int) -> list[Row]:
    """Lock due messages of a medium, with what is needed to decide on, render and address them.

    Those of urgent tickets come first, in each kind the oldest first. The caller freezes their words and marks them
    sending in the same transaction (``freeze``), or puts them off.
    """
    rows: list[Row] = []
    for query in (_CLAIM_URGENT, _CLAIM_OTHERS):
        if len(rows) < limit:
            rows += fetch(connection, query, of_medium=medium.value, now=now, most=limit - len(rows))
    return rows


_IS_DUE = (
    select(Message.id)
    .where(IS_QUEUED, Message.medium == bindparam("of_medium"), Message.send_after <= bindparam("now"))
    .limit(1)
)


def is_due(connection: Connection, medium: Medium, *, now: datetime) -> bool:
    """Whether a message of a medium is due: a look at an index, without a lock."""
    return connection.execute(_IS_DUE, {"of_medium": medium.value, "now": now}).first() is not None


_RECENT = select(
    Message.customer_id,
    Message.sending_at,
    Message.id,
    Message.ticket_id,
    Message.kind.in_(_NEWS).label("is_news"),
).where(
    Message.customer_id == func.any(bindparam("customers", type_=ARRAY(BigInteger))),
    Message.sending_at > bindparam("since"),
)


def sent_since(connection: Connection, customer_ids: Sequence[int], *, since: datetime) -> list[Row]:
    """What customers were sent since a moment: customer, ticket, when, and whether it was news of the ticket."""
    return fetch(connection, _RECENT, customers=list(customer_ids), since=since) if customer_ids else []


def freeze(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, provider: str, look_at: datetime, now: datetime
) -> None:
    """Store words, address and transport of messages (by ``id``) and mark them as sending.

    From here on a crash leaves ``sending``, which is looked up from ``look_at`` on and never blindly sent again.
    """
    if rows:
        names = ("id", "address", "subject", "body", "html", "segments", "attempts")
        fixed = {"state": MessageState.SENDING.value, "sending_at": now, "look_at": look_at, "looks": 0}
        fixed |= {"provider": provider, "provider_id": None}
        values = [{name: row[name] for name in names} | fixed for row in rows]
        bulk.update_many(connection, _TABLE, [row | {"attempts": row["attempts"] + 1} for row in values])


def postpone(connection: Connection, waits: Mapping[int, datetime]) -> None:
    """Let messages (by id) leave later."""
    if waits:
        bulk.update_many(connection, _TABLE, [{"id": key, "send_after": until} for key, until in waits.items()])


def withhold(connection: Connection, codes: Mapping[int, str], *, now: datetime) -> None:
    """Do not send messages (by id); each code says why."""
    state = MessageState.WITHHELD.value
    if codes:
        rows = [{"id": key, "state": state, "error_code": code, "settled_at": now} for key, code in codes.items()]
        bulk.update_many(connection, _TABLE, rows)


def switch_medium(connection: Connection, message_id: int, to: Medium, *, now: datetime) -> None:
    """Queue a message again for the recipient's other medium; without an address it gets words of its own."""
    connection.execute(
        update(Message)
        .where(Message.id == message_id)
        .values(
            state=MessageState.QUEUED.value,
            switched_from=Message.medium,
            medium=to.value,
            send_after=now,
            address=None,
            look_at=None,
            not_sent=0,
            out_of_reach=0,
        )
    )


def merge(connection: Connection, rows: Sequence[Row], *, now: datetime) -> Row:
    """Say several news of one ticket in one message; returns it, locked, as ``claim`` would."""
    last = rows[-1]
    updates = [{"kind": row["kind"], "context": row["context"]} for row in rows]
    message = NewMessage(
        dedupe_key=f"merged:{rows[0]['id']}-{last['id']}",
        kind=MessageKind.TICKET_UPDATES,
        medium=Medium(last["medium"]),
        language=last["language"],
        context={**last["context"], "updates": updates},
        ticket_id=last["ticket_id"],
        customer_id=last["customer_id"],
        is_urgent=any(row["is_urgent"] for row in rows),
        traceparent=last["traceparent"],
    )
    queue(connection, [message], now=now)
    query = select(_TABLE).where(Message.dedupe_key == message.dedupe_key)
    merged = fetch(connection, query)[0]
    state = MessageState.MERGED.value
    said = [{"id": row["id"], "state": state, "merged_into": merged["id"], "settled_at": now} for row in rows]
    bulk.update_many(connection, _TABLE, said)
    return {**last, **merged}


def refuse(connection: Connection, message_id: int, *, code: str, now: datetime) -> None:
    """Give up a message whose words cannot be made; ``code`` says why."""
    connection.execute(
        update(Message)
        .where(Message.id == message_id)
        .values(state=MessageState.FAILED.value, error_code=code, settled_at=now)
    )


_FROZEN = (
    select(_TABLE)
    .where(
        Message.id == func.any(bindparam("wanted", type_=ARRAY(BigInteger))),
        Message.state == MessageState.SENDING.value,
    )
    .order_by(Message.id)
)


def frozen(connection: Connection, message_ids: Sequence[int]) -> list[Row]:
    """Messages that are being sent, with their words and addresses, in the order of their ids."""
    return fetch(connection, _FROZEN, wanted=list(message_ids))


def is_claimed(connection: Connection, message_id: int, attempt: int) -> bool:
    """Lock a message and say whether this attempt still has it; a reaper may have taken it from a slow sender."""
    query = select(Message.state, Message.attempts).where(Message.id == message_id).with_for_update()
    row = connection.execute(query).one()
    return bool(row.state == MessageState.SENDING and row.attempts == attempt)


def with_people() -> Select[Any]:
    """Messages with the name and address of their recipients."""
    return (
        select(_TABLE, *_PEOPLE)
        .outerjoin(Customer, Customer.id == Message.customer_id)
        .outerjoin(Staff, Staff.id == Message.staff_id)
    )


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many messages stand in each state."""
    query = select(Message.state, func.count()).group_by(Message.state)
    return dict(connection.execute(query).tuples().all())


def list_of(connection: Connection, ticket_id: int) -> list[dict[str, Any]]:
    """The messages about a ticket, oldest first, with the recipient's name."""
    return fetch(connection, with_people().where(Message.ticket_id == ticket_id).order_by(Message.id))
