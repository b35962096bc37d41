"""Keys of other systems: what one looks like, what it may do, how it is compared (S-72)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest

from domain.exceptions import DomainError, NotPermittedError
from domain.people import Actor

_FORM = re.compile(r"ac_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a key may do at all; the role of the key then decides which commands."""

    READ = "read"
    WRITE = "write"


class KeyRefusedError(DomainError):
    """No key was given, or it is unknown, has expired or was revoked."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A key that was recognised: for whom it acts, and its scopes."""

    key_id: int
    actor: Actor
    scopes: frozenset[Scope]


def write_key(prefix: str, secret: str) -> str:
    """The key as its holder keeps it."""
    return f"ac_{prefix}_{secret}"


def prefix_of(key: str) -> str | None:
    """The part by which a key is found, or None when the text has not the form of a key."""
    match = _FORM.fullmatch(key)
    return match[1] if match else None


def key_hash(key: str) -> bytes:
    """What is kept of a key. Its secret is 32 random bytes: there is nothing to guess, so one SHA-256 is enough."""
    return sha256(key.encode()).digest()


def is_same_key(key: str, kept_hash: bytes) -> bool:
    """Whether the kept hash is this key's; takes the same time whatever differs."""
    return compare_digest(key_hash(key), kept_hash)


def require_scope(scopes: Collection[Scope], needed: Scope) -> None:
    """Raise NotPermittedError, which names the scope that lacks."""
    if needed not in scopes:
        raise NotPermittedError(f"this key has not the scope '{needed.value}'")
