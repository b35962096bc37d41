"""The fate of messages: outcomes and vendors' reports settle each once, whatever their order (look-ups: doubts.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, select, text, update

from db import bulk, media, outbox, staff, suppressions, tickets
from db.models import Customer, Message, MessageReport
from db.notices import ticket_context, to_staff
from db.rows import Row, fetch
from domain.courtesy import REFUSED, other_medium
from domain.delivery import (
    FOLLOWS,
    Accepted,
    Fail,
    Found,
    MessageState,
    NotSent,
    Outcome,
    Rejected,
    Remedy,
    Report,
    Retry,
    Stopped,
    SwitchMedium,
    Unknown,
    after_rejection,
    retry_delay,
    state_after,
)
from domain.messages import MESSAGES, Medium, MessageKind
from domain.people import Role
from domain.service_policies import DeliveryPolicy

_SUPPRESSES = frozenset({Remedy.BAD_ADDRESS, Remedy.OPTED_OUT, Remedy.COMPLAINED})
# Why a message is sent again after two looks without a trace.
NO_TRACE = "not_found"
_WATCHED = frozenset({MessageState.SENDING, MessageState.UNKNOWN, MessageState.ACCEPTED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt's outcome, as its sender saw it. ``jitter``: 0 to 1, spreads the retries.

    ``took``: seconds until the vendor had answered, None where it was not asked; ``waited``: seconds from when a
    message was to leave until it was handed over the first time.
    """

    message_id: int
    attempt: int
    outcome: Outcome
    jitter: float = 0.0
    took: float | None = None
    waited: float | None = None


def settle(
    connection: Connection, attempts: Sequence[Attempt], *, provider: str, policy: DeliveryPolicy, now: datetime
) -> int:
    """Record the outcomes of attempts; a late or doubled one changes nothing. Returns how many it changed."""
    accepted = [attempt for attempt in attempts if isinstance(attempt.outcome, Accepted)]
    settled = _accept(connection, accepted, provider, policy, now=now) if accepted else 0
    for attempt in sorted(attempts, key=lambda attempt: attempt.message_id):
        if isinstance(attempt.outcome, Accepted):
            continue
        row = lock(connection, attempt.message_id)
        if row["attempts"] == attempt.attempt and row["state"] in (MessageState.SENDING, MessageState.UNKNOWN):
            set_columns(connection, row["id"], provider=provider, settled_at=now)
            settled += _apply(connection, row, attempt, provider, policy, now=now)
    note(connection, [(a.message_id, a.attempt, "sender", *spoken(a.outcome)) for a in attempts], now=now)
    return settled


def report(connection: Connection, said: Report, *, provider: str, policy: DeliveryPolicy, now: datetime) -> str:
    """Apply what a vendor said of an attempt, unasked; returns in a word what came of it."""
    row = fetch(connection, select(Message.__table__).where(Message.id == said.message_id).with_for_update())
    if not row or said.attempt > row[0]["attempts"]:
        return "no such message"
    outcome = said.outcome
    code = outcome.code if isinstance(outcome, Rejected) else None
    note(connection, [(said.message_id, said.attempt, provider, said.status, code)], now=now)
    if outcome is None:
        return "noted"
    is_latest = said.attempt == row[0]["attempts"]
    state = MessageState(row[0]["state"])
    if isinstance(outcome, Rejected):
        if not is_latest or state not in _WATCHED:
            return "late"
        reject(connection, row[0], outcome, now=now)
        return "rejected"
    # What arrived after all need not be sent again. That it was merely taken counts only of the attempt under way, or
    # of one that is to be sent again because no trace of it was found: a vendor may say "sent" after "refused".
    target = state_after(outcome)
    waits_again = state is MessageState.QUEUED and row[0]["attempts"] > 0
    has_arrived = target is MessageState.DELIVERED
    if not has_arrived and (not is_latest or (waits_again and row[0]["error_code"] != NO_TRACE)):
        return "late"
    if not waits_again and target not in FOLLOWS[state]:
        return "late"
    look_at = next_poll(policy, 0, now=now) if target is MessageState.ACCEPTED else None
    values = {"state": target.value, "provider": provider, "provider_id": outcome.provider_id, "look_at": look_at}
    if waits_again and row[0]["switched_from"] is not None:
        values |= {"medium": row[0]["switched_from"], "switched_from": None}
    set_columns(connection, said.message_id, looks=0, error_code=None, settled_at=now, **values)
    return target.value


def _accept(
    connection: Connection, attempts: Sequence[Attempt], provider: str, policy: DeliveryPolicy, *, now: datetime
) -> int:
    poll_at = next_poll(policy, 0, now=now)
    rows = []
    for attempt in sorted(attempts, key=lambda attempt: attempt.message_id):
        outcome = cast("Accepted", attempt.outcome)
        rows.append(
            {
                "id": attempt.message_id,
                "attempt": attempt.attempt,
                "state": state_after(outcome).value,
                "provider_id": outcome.provider_id,
                "look_at": None if outcome.delivered else poll_at,
            }
        )
    values = {"rows": bulk.document(rows), "provider": provider, "now": now}
    return connection.execute(_ACCEPT, values).rowcount


# One statement for all: the common case must cost little.
_ACCEPT = text(
    "UPDATE messages SET state = r.state, provider_id = r.provider_id, look_at = r.look_at, provider = :provider, "
    "settled_at = :now, looks = 0, error_code = NULL "
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
    "AS r(id bigint, attempt smallint, state text, provider_id text, look_at timestamptz) "
    "WHERE messages.id = r.id AND messages.attempts = r.attempt AND (messages.state IN ('sending', 'unknown') "
    "OR messages.state = 'accepted' AND r.state = 'delivered')"
)


def _apply(
    connection: Connection, row: Row, attempt: Attempt, provider: str, policy: DeliveryPolicy, *, now: datetime
) -> bool:
    outcome = attempt.outcome
    match outcome:
        case Unknown(code=code) if row["state"] == MessageState.SENDING:
            look_at = now + policy.look_up_after[0]
            state = MessageState.UNKNOWN.value
            set_columns(connection, row["id"], state=state, error_code=code, look_at=look_at)
        case Rejected():
            reject(connection, row, outcome, now=now)
        case NotSent(code=code):
            not_sent = row["not_sent"] + 1
            wait = retry_delay(
                not_sent, jitter=attempt.jitter, asked=outcome.retry_after, give_up_after=policy.give_up_after
            )
            _give_back(connection, row)
            if wait is None:
                _fail(connection, row, code, now=now)
            else:
                queue_again(connection, row["id"], code, at=now + wait, not_sent=not_sent)
        case Stopped(code=code):
            _give_back(connection, row)
            queue_again(connection, row["id"], code, at=now, not_sent=0)
            _stop(connection, Medium(row["medium"]), provider, code, now=now)
        case _:
            return False
    return True


def reject(connection: Connection, row: Row, rejected: Rejected, *, now: datetime) -> None:
    """What follows a refusal: the address is marked, the other medium tried, or it is tried later, or it fails."""
    medium = Medium(row["medium"])
    if rejected.remedy in _SUPPRESSES and row["address"]:
        suppressions.add(connection, medium, row["address"], rejected.remedy, code=rejected.code, now=now)
    other = other_medium(medium)
    # A reader's "no" to surveys or digests by one medium is none to be asked by the other.
    is_unwanted = MESSAGES[MessageKind(row["kind"])].subscription is not None and rejected.remedy in REFUSED
    can_switch = row["switched_from"] is None and not is_unwanted and _is_open(connection, row, other)
    match after_rejection(rejected.remedy, out_of_reach=row["out_of_reach"], can_switch=can_switch):
        case Retry(delay=delay):
            times = row["out_of_reach"] + 1
            queue_again(connection, row["id"], rejected.code, at=now + delay, out_of_reach=times)
        case SwitchMedium():
            outbox.switch_medium(connection, row["id"], other, now=now)
            note(connection, [(row["id"], row["attempts"], "switch", other.value, rejected.code)], now=now)
        case Fail():
            _fail(connection, row, rejected.code, now=now)


def _fail(connection: Connection, row: Row, code: str, *, now: datetime) -> None:
    set_columns(connection, row["id"], state=MessageState.FAILED.value, error_code=code, look_at=None, settled_at=now)
    tell_staff(connection, row, code, now=now)


def queue_again(connection: Connection, message_id: int, code: str | None, *, at: datetime, **counters: int) -> None:
    """Let a message leave again at a moment; ``code`` says why it did not so far."""
    state = MessageState.QUEUED.value
    values = {"state": state, "send_after": at, "error_code": code, "look_at": None, "settled_at": None}
    set_columns(connection, message_id, **values, **counters)


def _give_back(connection: Connection, row: Row) -> None:
    """What did not leave cost nothing."""
    if row["segments"]:
        media.give_back(connection, Medium(row["medium"]), row["segments"])


def _is_open(connection: Connection, row: Row, medium: Medium) -> bool:
    """Whether the recipient can be reached by a medium."""
    column = Customer.phone if medium is Medium.SMS else Customer.email
    if row["customer_id"] is None:
        return False
    address = connection.execute(select(column).where(Customer.id == row["customer_id"])).scalar_one()
    return bool(address) and not suppressions.find(connection, [str(address)])


def tell_staff(connection: Connection, row: Row, code: str, *, now: datetime) -> None:
    """S-31: a customer who was not told by message is told by a person; once per ticket and reason.

    The assignee, or while there is none a supervisor of the region.
    """
    if row["customer_id"] is None or row["ticket_id"] is None:
        return
    ticket = tickets.get(connection, row["ticket_id"])
    reader = (ticket["assignee_id"], ticket["assignee_language"])
    if ticket["assignee_id"] is None:
        lead = staff.find_supervisor(connection, region=ticket["region"])
        if lead is None:
            return
        reader = lead
    context = ticket_context(ticket, []) | {"message_kind": row["kind"], "medium": row["medium"], "code": code}
    notice = to_staff(
        ticket,
        *reader,
        MessageKind.STAFF_MESSAGE_FAILED,
        f"r{ticket['round']}:{code}",
        context,
    )
    outbox.queue(connection, [notice], now=now)


def _stop(connection: Connection, medium: Medium, provider: str, code: str, *, now: datetime) -> None:
    """Stop the medium and tell managers and administrators, once per stop."""
    if not media.stop(connection, medium, code, now=now):
        return
    waiting = next(row["waiting"] for row in media.list_all(connection) if row["medium"] == medium)
    context = {"medium": medium.value, "provider": provider, "code": code, "waiting": waiting}
    notices = [
        outbox.NewMessage(
            dedupe_key=f"stopped:{medium.value}:{now.isoformat()}:staff{person['id']}",
            kind=MessageKind.STAFF_CHANNEL_STOPPED,
            medium=Medium.EMAIL,
            language=person["language"],
            context=context,
            staff_id=person["id"],
        )
        for person in staff.list_all(connection)
        if person["is_active"] and person["role"] in (Role.MANAGER, Role.ADMINISTRATOR)
    ]
    outbox.queue(connection, notices, now=now)


def next_poll(policy: DeliveryPolicy, polls: int, *, now: datetime) -> datetime | None:
    """When to ask about an accepted message; None after the last time."""
    return now + policy.poll_after[polls] if polls < len(policy.poll_after) else None


def spoken(outcome: Outcome | Found) -> tuple[str, str | None]:
    """An outcome as the story of a message keeps it: word and code."""
    return type(outcome).__name__.lower(), getattr(outcome, "code", None)


def note(connection: Connection, notes: Sequence[tuple[int, int, str, str, str | None]], *, now: datetime) -> None:
    """Keep what was learnt: message id, attempt, source, status and code each."""
    names = ("message_id", "attempt", "source", "status", "code")
    rows: list[Mapping[str, Any]] = [dict(zip(names, note, strict=True)) | {"at": now} for note in notes]
    if rows:
        bulk.insert_many(connection, cast("Table", MessageReport.__table__), rows, returning=("id",))


def story(connection: Connection, message_id: int) -> list[Row]:
    """Everything that was learnt of a message, in order."""
    query = select(MessageReport.__table__).where(MessageReport.message_id == message_id).order_by(MessageReport.id)
    return fetch(connection, query)


def lock(connection: Connection, message_id: int) -> Row:
    """A message, locked."""
    return fetch(connection, select(Message.__table__).where(Message.id == message_id).with_for_update())[0]


def set_columns(connection: Connection, message_id: int, **values: Any) -> None:
    """Set columns of a message."""
    connection.execute(update(Message).where(Message.id == message_id).values(**values))
