"""Who gets the digest, when and of what, as they have chosen (S-61)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from db.models import Message, Staff
from db.rows import fetch
from domain.digest_schedule import DigestPeriod, DigestWish
from domain.exceptions import NotFoundError
from domain.people import Role


@dataclass(frozen=True, slots=True)
class Reader:
    """A manager who gets the digest. ``has_address``: whether a mail can reach them at all."""

    staff_id: int
    language: str
    wish: DigestWish
    has_address: bool


_WISH = (Staff.digest_period, Staff.digest_region, Staff.digest_weekday, Staff.digest_hour)


def readers(connection: Connection) -> list[Reader]:
    """Active managers who have not declined it."""
    query = select(Staff.id, Staff.language, Staff.email, *_WISH).where(
        Staff.is_active, Staff.role == Role.MANAGER.value, Staff.declined_digests_at.is_(None)
    )
    return [
        Reader(row["id"], row["language"], _wish(row), "@" in row["email"])
        for row in fetch(connection, query.order_by(Staff.id))
    ]


def wish_of(connection: Connection, staff_id: int) -> DigestWish | None:
    """What a member of staff has chosen; None when they want none. Raises NotFoundError."""
    row = fetch(connection, select(Staff.declined_digests_at, *_WISH).where(Staff.id == staff_id))
    if not row:
        raise NotFoundError(f"no member of staff has the id {staff_id}")
    return None if row[0]["declined_digests_at"] else _wish(row[0])


def choose(connection: Connection, staff_id: int, wish: DigestWish | None, *, now: datetime) -> None:
    """Keep what a member of staff has chosen; None: no digests."""
    values: dict[str, Any] = {"declined_digests_at": now}
    if wish is not None:
        values = {
            "declined_digests_at": None,
            "digest_period": wish.period.value,
            "digest_region": wish.region,
            "digest_weekday": wish.weekday,
            "digest_hour": wish.hour,
        }
    connection.execute(update(Staff).where(Staff.id == staff_id).values(**values))


def were_queued(connection: Connection, dedupe_keys: Collection[str]) -> set[str]:
    """Those of these occasions for which a digest was queued before."""
    query = select(Message.dedupe_key).where(Message.dedupe_key.in_(dedupe_keys))
    return set(connection.execute(query).scalars())


def _wish(row: dict[str, Any]) -> DigestWish:
    return DigestWish(
        DigestPeriod(row["digest_period"]), row["digest_region"], row["digest_weekday"], row["digest_hour"]
    )
