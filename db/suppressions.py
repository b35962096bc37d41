"""Addresses to which nothing is sent: they opted out, complained, or nothing can arrive there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db.models import Suppression
from db.rows import fetch
from domain.delivery import Remedy
from domain.messages import Medium

_ACTIVE = select(Suppression.address, Suppression.reason).where(
    Suppression.address == func.any(bindparam("wanted", type_=ARRAY(Text))), Suppression.lifted_at.is_(None)
)


def find(connection: Connection, addresses: Collection[str]) -> dict[str, Remedy]:
    """Of these addresses those to which nothing is sent, each with the reason."""
    if not addresses:
        return {}
    wanted = [_key(address) for address in addresses]
    found = {row["address"]: Remedy(row["reason"]) for row in fetch(connection, _ACTIVE, wanted=wanted)}
    return {address: found[_key(address)] for address in addresses if _key(address) in found}


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
    statement = update(Suppression).where(Suppression.address == _key(address), Suppression.lifted_at.is_(None))
    return bool(connection.execute(statement.values(lifted_at=now)).rowcount)


def list_active(connection: Connection, *, limit: int = 100) -> list[dict[str, Any]]:
    """The newest active suppressions."""
    query = select(Suppression.__table__).where(Suppression.lifted_at.is_(None)).order_by(Suppression.id.desc())
    return fetch(connection, query.limit(limit))


def _key(address: str) -> str:
    """An e-mail address is one whatever its case."""
    return address.lower() if "@" in address else address
