"""This file opens transactions: one block, one commit."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from db import embedded
from settings import get_settings, require_home

OLDEST_POSTGRES = 15
_CONNECTION = {"connect_timeout": 5, "options": "-c timezone=UTC"}


class DatabaseUnavailableError(Exception):
    """The database cannot be used; the text says what to mend."""


@cache
def engine(url: str) -> Engine:
    """The engine of this process for a database; ``url`` in SQLAlchemy's form."""
    made = create_engine(url, pool_size=10, max_overflow=20, hide_parameters=True, connect_args=_CONNECTION)
    event.listen(made, "handle_error", _without_values)
    return made


def _without_values(context: ExceptionContext) -> None:
    """Postgres says the failing row in its DETAIL; names and words of customers must not get into logs that way."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and error.args and isinstance(error.args[0], str):
            error.args = (error.args[0].partition("\nDETAIL:")[0], *error.args[1:])


@cache
def database_url() -> str:
    """The product's database: the one the settings name, else the embedded one, which is started when it is not."""
    settings = get_settings()
    if settings.database_url is not None:
        return settings.database_url
    require_home(settings.home)
    try:
        return embedded.start(settings.postgres_folder).url(embedded.PRODUCT_DATABASE)
    except subprocess.SubprocessError as error:
        log = settings.postgres_folder / "log"
        raise DatabaseUnavailableError(f"the embedded Postgres does not start; the end of {log} says why") from error


@contextmanager
def transaction(url: str | None = None) -> Iterator[Connection]:
    """One transaction: committed at the end of the block, rolled back when it raises."""
    with engine(url or database_url()).begin() as connection:
        yield connection


@contextmanager
def reading(url: str | None = None) -> Iterator[Connection]:
    """A connection on which nothing is changed: without the two round trips that begin and commit a transaction."""
    with _reader(url or database_url()).connect() as connection:
        yield connection


@cache
def _reader(url: str) -> Engine:
    return engine(url).execution_options(isolation_level="AUTOCOMMIT")


def require_usable(url: str, *, named: str = "AFTERCARE_DATABASE_URL") -> None:
    """Raise DatabaseUnavailableError unless a Postgres new enough answers at ``url``.

    ``named``: the variable or option that a person would have to mend.
    """
    shown = shown_url(url)
    try:
        with engine(url).connect() as connection:
            version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    except OperationalError as error:
        raise DatabaseUnavailableError(
            f"no database answers at {shown} ({cause(error)}); start it, or mend {named}"
        ) from error
    except ProgrammingError as error:  # the driver knows no such option
        raise DatabaseUnavailableError(f"{shown}: {cause(error)}; mend {named}") from error
    if version < OLDEST_POSTGRES:
        raise DatabaseUnavailableError(f"{shown} is PostgreSQL {version}; Aftercare needs {OLDEST_POSTGRES} or newer")


def shown_url(url: str) -> str:
    """A database's URL as people may see it: without its password."""
    return re.sub(r"://([^:/@]+):[^@]*@", r"://\1:***@", url).replace("+psycopg", "")


def cause(error: DBAPIError) -> str:
    """What the driver says, on one line, without its questions and its account of each further attempt."""
    said = str(error.orig).partition("Multiple connection attempts failed")[0]
    lines = [line.strip() for line in said.splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("Is the server running"))


def commit_without_waiting(connection: Connection) -> None:
    """Let this connection's commits not wait for the disk: for what can be done again from the start."""
    connection.execute(text("SET synchronous_commit = off"))
    connection.commit()


def mark(connection: Connection) -> None:
    """Set the mark of this transaction here."""
    connection.exec_driver_sql("SAVEPOINT mark")


def move_mark(connection: Connection) -> None:
    """Set the mark anew, here: one round trip, where a savepoint of its own each time costs two."""
    connection.exec_driver_sql("RELEASE mark; SAVEPOINT mark")


def return_to_mark(connection: Connection) -> None:
    """Undo what was done since the mark."""
    connection.exec_driver_sql("ROLLBACK TO mark")
