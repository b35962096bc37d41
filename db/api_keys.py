"""Keys of other systems: made once, found by their prefix, compared by their hash, revoked but never deleted (S-72)."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from db.models import ApiKey, Staff
from db.rows import fetch, fetch_one
from domain.api_keys import Caller, KeyRefusedError, Scope, is_same_key, key_hash, prefix_of, write_key
from domain.exceptions import NotFoundError
from domain.people import Actor, Role

# Exact enough to see which keys are in use, and not a write for each request.
_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_NOBODYS_HASH = key_hash("")
_REFUSED = "the key is unknown, has expired or was revoked"


def create(
    connection: Connection,
    name: str,
    *,
    staff_id: int,
    role: Role,
    scopes: Collection[Scope],
    expires_at: datetime,
    now: datetime,
) -> str:
    """Make a key that acts as this member of staff in this role; the key itself is returned here and kept nowhere."""
    prefix = secrets.token_hex(4)
    key = write_key(prefix, secrets.token_urlsafe(32))
    connection.execute(
        insert(ApiKey).values(
            name=name,
            role=role.value,
            prefix=prefix,
            key_hash=key_hash(key),
            staff_id=staff_id,
            scopes=sorted(scope.value for scope in scopes),
            created_at=now,
            expires_at=expires_at,
        )
    )
    return key


_BY_PREFIX = (
    select(
        ApiKey.id,
        ApiKey.role,
        ApiKey.key_hash,
        ApiKey.staff_id,
        ApiKey.scopes,
        ApiKey.expires_at,
        ApiKey.revoked_at,
        ApiKey.last_used_at,
    )
    .join(Staff, Staff.id == ApiKey.staff_id)
    .where(ApiKey.prefix == bindparam("wanted"), Staff.is_active)
)


def recognise(connection: Connection, key: str, *, now: datetime) -> Caller:
    """Who calls with this key; its use is noted. Raises KeyRefusedError, which does not say what is wrong with it."""
    prefix = prefix_of(key)
    row = fetch_one(connection, _BY_PREFIX, wanted=prefix) if prefix else None
    # A prefix that nobody has is compared like any other, so that the time taken tells nothing.
    is_same = is_same_key(key, row["key_hash"] if row else _NOBODYS_HASH)
    if row is None or not is_same or row["revoked_at"] is not None or not _is_valid(row["expires_at"], now):
        raise KeyRefusedError(_REFUSED)
    if row["last_used_at"] is None or row["last_used_at"] <= now - _USE_IS_NOTED_EVERY:
        connection.execute(update(ApiKey).where(ApiKey.id == row["id"]).values(last_used_at=now))
    return Caller(row["id"], Actor(Role(row["role"]), row["staff_id"]), frozenset(map(Scope, row["scopes"])))


def _is_valid(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is None or now < expires_at


def list_all(connection: Connection) -> list[dict[str, Any]]:
    """All keys with the name of the member they act for, the newest first; nothing from which a key could be made."""
    hidden = ApiKey.__table__.c.key_hash
    query = (
        select(*(column for column in ApiKey.__table__.c if column is not hidden), Staff.name.label("staff_name"))
        .outerjoin(Staff, Staff.id == ApiKey.staff_id)
        .order_by(ApiKey.id.desc())
    )
    return fetch(connection, query)


def revoke(connection: Connection, prefix: str, *, now: datetime) -> dict[str, Any]:
    """End a key from now on, and return its row; one that was revoked before keeps its moment. Raises NotFoundError."""
    connection.execute(
        update(ApiKey)
        .where(ApiKey.prefix == prefix, or_(ApiKey.revoked_at.is_(None), ApiKey.revoked_at > now))
        .values(revoked_at=now)
    )
    row = next((row for row in list_all(connection) if row["prefix"] == prefix), None)
    if row is None:
        raise NotFoundError(f"no key begins with ac_{prefix}; see 'aftercare keys list'")
    return row
