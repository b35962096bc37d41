"""Addresses to which nothing is sent: they opted out, complained, or nothing can arrive there."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db.models import Suppression
from db.rows import fetch
from domain.delivery import Remedy
from domain.messages import Medium
from settings import get_settings

_ACTIVE = select(Suppression.address, Suppression.reason).where(
    Suppression.address == func.any(bindparam("wanted", type_=ARRAY(Text))), Suppression.lifted_at.is_(None)
)


def find(connection: Connection, addresses: Collection[str]) -> dict[str, Remedy]:
    """Of these addresses those to which nothing is sent, each with the reason."""
    if not addresses:
        return {}
    secret = _secret()  # once, not for each address: it lies in a file
    names = {name: address for address in addresses for name in (_hashed(address, secret), _key(address))}
    rows = fetch(connection, _ACTIVE, wanted=list(names))
    return {names[row["address"]]: Remedy(row["reason"]) for row in rows}


def add(connection: Connection, medium: Medium, address: str, reason: Remedy, *, code: str, now: datetime) -> None:
    """Send nothing to an address any more; a reader's own "no" replaces a bad address, and nothing replaces a "no"."""
    statement = insert(Suppression).values(
        medium=medium.value, address=_key(address), reason=reason.value, code=code, since=now
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["address"],
            index_where=Suppression.lifted_at.is_(None),
            set_={"reason": reason.value, "code": code, "since": now},
            where=(Suppression.reason == Remedy.BAD_ADDRESS.value) & (reason is not Remedy.BAD_ADDRESS),
        )
    )


def lift(connection: Connection, address: str, *, now: datetime) -> bool:
    """Send to an address again; False when nothing forbade it."""
    named = Suppression.address.in_([_key(address), _hashed(address, _secret())])
    statement = update(Suppression).where(named, Suppression.lifted_at.is_(None))
    return bool(connection.execute(statement.values(lifted_at=now)).rowcount)


def list_active(connection: Connection, *, limit: int = 100) -> list[dict[str, Any]]:
    """The newest active suppressions."""
    query = select(Suppression.__table__).where(Suppression.lifted_at.is_(None)).order_by(Suppression.id.desc())
    return fetch(connection, query.limit(limit))


def forget(connection: Connection, addresses: Collection[str]) -> None:
    """Forget addresses; where a reader said no, a keyed hash stays, so that the "no" is obeyed for ever (S-71).

    With another signing key it is not recognised any more.
    """
    for address in addresses:
        is_named, hashed = Suppression.address == _key(address), _hashed(address, _secret())
        is_over = Suppression.lifted_at.is_not(None) | (Suppression.reason == Remedy.BAD_ADDRESS.value)
        connection.execute(delete(Suppression).where(is_named, is_over))
        known = select(Suppression.id).where(Suppression.address == hashed, Suppression.lifted_at.is_(None))
        if connection.execute(known).first() is not None:
            connection.execute(delete(Suppression).where(is_named))
        connection.execute(update(Suppression).where(is_named).values(address=hashed))


def _secret() -> bytes:
    return get_settings().signing_key().encode()


def _hashed(address: str, secret: bytes) -> str:
    return "erased:" + hmac.digest(secret, f"suppression:{_key(address)}".encode(), "sha256").hex()


def _key(address: str) -> str:
    """An e-mail address is one whatever its case."""
    return address.lower() if "@" in address else address
