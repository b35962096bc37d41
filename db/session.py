"""This file opens transactions: one block, one commit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

OLDEST_POSTGRES = 15


class DatabaseUnavailableError(Exception):
    """The database cannot be used; the text says what to mend."""


@cache
def engine(url: str) -> Engine:
    """The engine of this process for a database; ``url`` in SQLAlchemy's form."""
    return create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=False, connect_args={"connect_timeout": 5})


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """One transaction: committed at the end of the block, rolled back when it raises."""
    with engine(url).begin() as connection:
        yield connection


def require_usable(url: str) -> None:
    """Raise DatabaseUnavailableError unless a Postgres new enough answers at ``url``."""
    shown = re.sub(r"://([^:/@]+):[^@]*@", r"://\1:***@", url).replace("+psycopg", "")
    try:
        with engine(url).connect() as connection:
            version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    except OperationalError as error:
        cause = str(error.orig).strip().splitlines()[-1]
        raise DatabaseUnavailableError(
            f"no database answers at {shown} ({cause}); start it, or mend AFTERCARE_DATABASE_URL"
        ) from error
    if version < OLDEST_POSTGRES:
        raise DatabaseUnavailableError(f"{shown} is PostgreSQL {version}; Aftercare needs {OLDEST_POSTGRES} or newer")
