"""Which windows are awake: each holds an advisory lock, which Postgres takes back when its process dies."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from db.session import engine

# Advisory locks are known by two numbers: 2654 says that it is about windows.
_HOLD = text("SELECT pg_advisory_lock_shared(2654, hashtext(:name))")
_HELD = text(
    "SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE EXISTS ("
    "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 2654 "
    "AND objid = CAST(CAST(hashtext(name) AS bigint) & 4294967295 AS oid) "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


@contextmanager
def awake(url: str, name: str) -> Iterator[None]:
    """Within it everybody sees that a window of this flow is awake; several at once may be. Takes a connection."""
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(_HOLD, {"name": name})
        try:
            yield
        finally:
            # Not back into the pool: the lock would go with it.
            connection.invalidate()


def find_awake(connection: Connection, names: Collection[str]) -> set[str]:
    """Those of the flows of which some window is awake now."""
    return set(connection.execute(_HELD, {"names": sorted(names)}).scalars())
