"""Who is signed in at the workbench: a random token in a cookie, of which only the hash is kept (S-72)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from db.models import Staff, StaffSession
from db.rows import Row, fetch_one

# Exact enough for the idle limit, and not a write for each page.
_SEEN_IS_NOTED_EVERY = timedelta(minutes=1)

_BY_TOKEN = (
    select(
        StaffSession.id,
        StaffSession.last_seen_at,
        Staff.id.label("staff_id"),
        Staff.name,
        Staff.role,
        Staff.language,
    )
    .join(Staff, Staff.id == StaffSession.staff_id)
    .where(
        StaffSession.token_hash == bindparam("token_hash"),
        StaffSession.expires_at > bindparam("now"),
        StaffSession.last_seen_at > bindparam("idle_since"),
        Staff.is_active,
    )
)


def start(connection: Connection, staff_id: int, *, idle: timedelta, lasts: timedelta, now: datetime) -> str:
    """Sign somebody in; the token is returned here and kept nowhere. Sessions that are over are cleared away."""
    is_over = or_(StaffSession.expires_at <= now, StaffSession.last_seen_at <= now - idle)
    connection.execute(delete(StaffSession).where(is_over))
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(StaffSession).values(
            token_hash=_hash(token), staff_id=staff_id, created_at=now, last_seen_at=now, expires_at=now + lasts
        )
    )
    return token


def find(connection: Connection, token: str, *, idle: timedelta, now: datetime) -> Row | None:
    """The member of staff who is signed in with this token; None when it is unknown or over, or they have left."""
    row = fetch_one(connection, _BY_TOKEN, token_hash=_hash(token), now=now, idle_since=now - idle)
    if row is not None and row["last_seen_at"] <= now - _SEEN_IS_NOTED_EVERY:
        connection.execute(update(StaffSession).where(StaffSession.id == row["id"]).values(last_seen_at=now))
    return row


def end(connection: Connection, token: str) -> None:
    """Sign out."""
    connection.execute(delete(StaffSession).where(StaffSession.token_hash == _hash(token)))


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
