"""Passwords of the staff: how long they are, how they are kept (argon2id), how one is compared (S-72)."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.exceptions import InvalidInputError

LEAST, MOST = 10, 200
_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """How the password is kept. Raises InvalidInputError: too_short or too_long."""
    if len(password) < LEAST:
        raise InvalidInputError("password", "too_short")
    if len(password) > MOST:
        raise InvalidInputError("password", "too_long")
    return _HASHER.hash(_bytes(password))


def is_right(kept: str | None, password: str) -> bool:
    """Whether this is the password; where none is kept, saying no takes as long."""
    try:
        _HASHER.verify(kept or _nobodys(), _bytes(password[: MOST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with other figures than today's, and is to be hashed anew when next given."""
    return _HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
