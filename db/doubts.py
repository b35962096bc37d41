"""Messages whose fate is in doubt: claimed for a look-up, asked about at their vendor, sent again at most once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, Table, select

from db import bulk, fates
from db.models import Message
from db.rows import Row, fetch
from domain.delivery import Accepted, CannotTell, Found, MessageState, NotFound, Rejected, state_after
from domain.service_policies import DeliveryPolicy

# A vendor's list is looked through from the attempt on; older messages are not on it.
_RECENT = timedelta(days=2)
_TABLE = cast("Table", Message.__table__)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message to ask the vendor about; ``row`` has its words, address and ids."""

    row: Row
    known_ids: frozenset[str]


def claim(connection: Connection, *, policy: DeliveryPolicy, now: datetime, limit: int) -> list[Doubt]:
    """Lock messages whose fate is to be looked up now; one that has been sending for too long becomes unknown.

    Until ``settle`` they are looked up by nobody else; after a crash again when ``unknown_after`` has passed.
    """
    query = (
        select(Message.__table__)
        .where(Message.look_at <= now)
        .order_by(Message.look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = fetch(connection, query)
    if not rows:
        return []
    lost = [row for row in rows if row["state"] == MessageState.SENDING]
    fates.note(connection, [(row["id"], row["attempts"], "reaper", "unknown", "no_answer") for row in lost], now=now)
    until = now + policy.unknown_after
    claimed = [
        {
            "id": row["id"],
            "state": MessageState.UNKNOWN.value if row["state"] == MessageState.SENDING else row["state"],
            "look_at": until,
        }
        for row in rows
    ]
    bulk.update_many(connection, _TABLE, claimed)
    others = _ids_by_address(connection, {row["address"] for row in rows if row["address"]}, since=now - _RECENT)
    changed = {row["id"]: row for row in claimed}
    return [
        Doubt({**row, **changed[row["id"]]}, frozenset(others.get(row["address"], set()) - {row["provider_id"]}))
        for row in rows
    ]


def settle(
    connection: Connection,
    doubt: Doubt,
    found: Found,
    *,
    provider: str,
    policy: DeliveryPolicy,
    now: datetime,
) -> str:
    """Record what a look-up found; returns the word for it. What moved on meanwhile is left alone."""
    seen = doubt.row
    row = fates.lock(connection, seen["id"])
    if any(row[name] != seen[name] for name in ("state", "attempts", "look_at")):
        return "moved on"
    fates.note(connection, [(row["id"], row["attempts"], "lookup", *fates.spoken(found))], now=now)
    is_accepted = row["state"] == MessageState.ACCEPTED
    match found:
        case Accepted(provider_id=provider_id) if _is_taken(connection, row["id"], provider, provider_id):
            return _look_again(connection, row, NotFound(), policy, now=now)  # of two equal messages the other one
        case Accepted(provider_id=provider_id):
            target = state_after(found)
            polls = row["looks"] + 1 if is_accepted else 0
            look_at = fates.next_poll(policy, polls, now=now) if target is MessageState.ACCEPTED else None
            values = {"state": target.value, "provider": provider, "provider_id": provider_id, "look_at": look_at}
            fates.set_columns(connection, row["id"], looks=polls, settled_at=now, error_code=None, **values)
            return f"found {target.value}"
        case Rejected():
            fates.reject(connection, row, found, now=now)
            return "found rejected"
        case NotFound(is_certain=True) if not is_accepted:
            fates.set_columns(
                connection, row["id"], state=MessageState.QUEUED.value, send_after=now, look_at=None, error_code=None
            )
            return "not sent: again"
    return _look_again(connection, row, found, policy, now=now)


def _look_again(
    connection: Connection, row: Row, found: NotFound | CannotTell, policy: DeliveryPolicy, *, now: datetime
) -> str:
    """Look again later, send once more, or leave it unknown. Only looks that found no trace count."""
    if row["state"] == MessageState.ACCEPTED:
        polls = row["looks"] + 1
        fates.set_columns(connection, row["id"], looks=polls, look_at=fates.next_poll(policy, polls, now=now))
        return "accepted, no more is known"
    if isinstance(found, NotFound):
        looks = row["looks"] + 1
        if looks < len(policy.look_up_after):
            fates.set_columns(connection, row["id"], looks=looks, look_at=now + policy.look_up_after[looks])
            return "not found yet"
        if row["resent_at"] is None:
            fates.queue_again(connection, row["id"], fates.NO_TRACE, at=now)
            fates.set_columns(connection, row["id"], resent_at=now)
            return "not found: sent again, once"
    else:
        # A look that could not be made is none; where none can ever be made, only the vendor's report is waited for.
        patience = sum(policy.look_up_after, timedelta(0)) if found.is_final else policy.give_up_after
        if now < row["sending_at"] + patience:
            wait = policy.look_up_after[-1 if found.is_final else 0]
            fates.set_columns(connection, row["id"], look_at=now + wait)
            return "not looked up yet"
    fates.set_columns(connection, row["id"], look_at=None)
    fates.tell_staff(connection, row, "unknown", now=now)
    return "stays unknown"


def _is_taken(connection: Connection, message_id: int, provider: str, provider_id: str) -> bool:
    query = select(Message.id).where(
        Message.provider_id == provider_id, Message.provider == provider, Message.id != message_id
    )
    return connection.execute(query.limit(1)).first() is not None


def are_due(connection: Connection, *, now: datetime) -> bool:
    """Whether a message is to be looked up."""
    return connection.execute(select(Message.id).where(Message.look_at <= now).limit(1)).first() is not None


def _ids_by_address(connection: Connection, addresses: set[str], *, since: datetime) -> dict[str, set[str]]:
    """The vendors' ids of messages to the same addresses, so that a look-up takes none of them for its own."""
    query = select(Message.address, Message.provider_id).where(
        Message.address.in_(addresses), Message.provider_id.is_not(None), Message.sending_at >= since
    )
    found: dict[str, set[str]] = {}
    for address, provider_id in connection.execute(query):
        found.setdefault(address, set()).add(provider_id)
    return found
