"""What vendors posted to us: stored at once, each once by its key, handled afterwards by message_delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Table, func, select, text

import tracing
from db import bulk
from db.models import InboxEntry
from db.rows import Row, fetch
from domain.delivery import Accepted, InboundText, Received, Rejected, Remedy, Report, Unsubscribed

_LONGEST_KEY = 200
# Written out, not bound: a prepared statement with a parameter here could not use the partial index.
IS_PENDING = text("inbox.handled_at IS NULL")
# The number or address something came from, in small letters; a report of a vendor has none.
SAID_BY: ColumnElement[str] = func.lower(
    func.coalesce(InboxEntry.content["sender"].astext, InboxEntry.content["address"].astext)
)


def store(connection: Connection, source: str, received: Sequence[Received], *, now: datetime) -> int:
    """Store what came; what is known already is left out. Returns how many are new."""
    by_key = {_short(item.key): item for item in received}
    told = {"source": source, "received_at": now, "traceparent": tracing.traceparent()}
    rows = [told | {"key": key, "kind": type(item).__name__, "content": _content(item)} for key, item in by_key.items()]
    if not rows:
        return 0
    table = cast("Table", InboxEntry.__table__)
    return len(bulk.insert_many(connection, table, rows, returning=("id",), unless_known="source, key"))


def claim(connection: Connection, *, limit: int) -> list[Row]:
    """Lock entries that nobody has handled, oldest first; ``read`` says what was said."""
    query = (
        select(InboxEntry.__table__)
        .where(IS_PENDING)
        .order_by(InboxEntry.received_at, InboxEntry.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return fetch(connection, query)


def settle(connection: Connection, results: dict[int, str], *, now: datetime) -> None:
    """Mark entries (by id) as handled, each with what came of it."""
    if results:
        rows = [{"id": key, "handled_at": now, "result": result} for key, result in results.items()]
        bulk.update_many(connection, cast("Table", InboxEntry.__table__), rows)


def count_pending(connection: Connection) -> int:
    """How many entries nobody has handled."""
    return connection.execute(select(func.count()).select_from(InboxEntry).where(IS_PENDING)).scalar_one()


def count_problems(connection: Connection) -> int:
    """How many entries could not be handled."""
    query = select(func.count()).select_from(InboxEntry).where(InboxEntry.result.like("problem:%"))
    return connection.execute(query).scalar_one()


def _short(key: str) -> str:
    """A key that an index can hold, whatever a vendor calls its events."""
    return key if len(key) <= _LONGEST_KEY else sha256(key.encode()).hexdigest()


def _content(item: Received) -> dict[str, Any]:
    content = asdict(item)
    if isinstance(item, Report) and item.outcome is not None:
        content["outcome"] = {"type": type(item.outcome).__name__, **asdict(item.outcome)}
    return content


def read(row: Row) -> Received:
    """What an entry says. Raises LookupError, TypeError or ValueError when this version cannot read it."""
    content = dict(row["content"])
    match row["kind"]:
        case "Report":
            outcome = content.pop("outcome")
            return Report(**content, outcome=_outcome(outcome) if outcome else None)
        case "InboundText":
            return InboundText(**content)
        case _:
            return Unsubscribed(**{**content, "remedy": Remedy(content["remedy"])})


def _outcome(content: dict[str, Any]) -> Accepted | Rejected:
    if content.pop("type") == "Accepted":
        return Accepted(**content)
    return Rejected(**{**content, "remedy": Remedy(content["remedy"])})
