"""Accounts of the staff: passwords, and how often somebody has tried to sign in (S-72)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.models import ApiKey, SignInAttempt, Staff, StaffSession
from domain.exceptions import NotPermittedError
from domain.people import Role


@dataclass(frozen=True, slots=True)
class Account:
    """Whose it is, and the password as it is kept; None while none was chosen."""

    staff_id: int
    password_hash: str | None


def find(connection: Connection, email: str) -> Account | None:
    """The account of an active member of staff with this address, in any case."""
    query = select(Staff.id, Staff.password_hash).where(func.lower(Staff.email) == email.lower(), Staff.is_active)
    row = connection.execute(query).one_or_none()
    return Account(row.id, row.password_hash) if row else None


def get(connection: Connection, staff_id: int, *, for_update: bool = False) -> Account | None:
    """The account of an active member of staff; ``for_update`` lets nobody else change it meanwhile."""
    query = select(Staff.id, Staff.password_hash).where(Staff.id == staff_id, Staff.is_active)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return Account(row.id, row.password_hash) if row else None


def set_password(connection: Connection, staff_id: int, password_hash: str) -> None:
    """Keep a new password; whoever was signed in with the old one is no longer."""
    keep_hash(connection, staff_id, password_hash)
    connection.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))


def keep_hash(connection: Connection, staff_id: int, password_hash: str) -> None:
    """Keep the same password under another hash."""
    connection.execute(update(Staff).where(Staff.id == staff_id).values(password_hash=password_hash))


def set_language(connection: Connection, staff_id: int, language: str) -> None:
    """In which language a member reads the workbench and gets messages."""
    connection.execute(update(Staff).where(Staff.id == staff_id).values(language=language))


def deactivate(connection: Connection, staff_id: int, *, now: datetime) -> int:
    """Somebody leaves: signed out everywhere, their keys end, nothing is given to them any more.

    Their open tickets stay with them until somebody hands them on. Returns how many keys ended. Raises
    NotPermittedError for the last administrator.
    """
    # Locked, so that of the last two neither can send the other away at once.
    administrators = connection.execute(
        select(Staff.id)
        .where(Staff.role == Role.ADMINISTRATOR.value, Staff.is_active)
        .order_by(Staff.id)
        .with_for_update()
    ).scalars()
    if list(administrators) == [staff_id]:
        raise NotPermittedError("the last administrator stays; make somebody else one first")
    connection.execute(update(Staff).where(Staff.id == staff_id).values(is_active=False))
    connection.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))
    theirs = (ApiKey.staff_id == staff_id) & ((ApiKey.revoked_at.is_(None)) | (ApiKey.revoked_at > now))
    return connection.execute(update(ApiKey).where(theirs).values(revoked_at=now)).rowcount


def count_attempts(connection: Connection, what: Sequence[str], *, within: timedelta, now: datetime) -> list[int]:
    """Note one more attempt under each of these names; how many there were since the first, at most ``within`` ago.

    Only hashes of the names are kept, and no longer than ``within``.
    """
    connection.execute(delete(SignInAttempt).where(SignInAttempt.first_at <= now - within))
    counts = {}
    # In one order, so that two who try at once do not wait for each other.
    for name in sorted(set(what)):
        statement = insert(SignInAttempt).values(name_hash=_hash(name), first_at=now, attempts=1)
        is_old = SignInAttempt.first_at <= now - within
        statement = statement.on_conflict_do_update(
            index_elements=["name_hash"],
            set_={
                "attempts": case((is_old, 1), else_=SignInAttempt.attempts + 1),
                "first_at": case((is_old, now), else_=SignInAttempt.first_at),
            },
        )
        counts[name] = connection.execute(statement.returning(SignInAttempt.attempts)).scalar_one()
    return [counts[name] for name in what]


def forget_attempts(connection: Connection, name: str) -> None:
    """Somebody has signed in: what was tried before under this name does not count."""
    connection.execute(delete(SignInAttempt).where(SignInAttempt.name_hash == _hash(name)))


def _hash(name: str) -> bytes:
    return sha256(name.encode("utf-8", "surrogatepass")).digest()
