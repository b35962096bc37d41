"""This file brings a database to the schema of this version, and says when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from db.migrations.online import PATIENCE
from db.models import Base
from db.session import DatabaseUnavailableError, engine

# Two starts at once must not migrate at once; the number is this project's own.
_MIGRATION_LOCK = 7_402_311


def config() -> Config:
    """Alembic's configuration, independent of the working directory."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return settings


def upgrade(url: str) -> tuple[str | None, str]:
    """Migrate to the newest schema, each revision in a transaction; returns the revision before and after.

    Raises DatabaseUnavailableError when a later version has migrated it, or when somebody uses a table for so long that
    waiting for it would hold up everybody who comes after us; then the revision it stands at is whole, and the next
    upgrade goes on from there.
    """
    with engine(url).connect() as connection, _turn(connection):
        before = revision(connection)
        _require_known(before)
        connection.execute(text(f"SET lock_timeout = '{PATIENCE}'"))
        connection.commit()
        alembic = config()
        alembic.attributes["connection"] = connection
        try:
            command.upgrade(alembic, "head")
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            connection.rollback()
            raise DatabaseUnavailableError(
                f"a table was in use for too long; the schema stays at revision {revision(connection)}, with which the "
                "version before goes on: try again, at a quiet hour if it stays so"
            ) from error
    return before, head()


@contextmanager
def _turn(connection: Connection) -> Iterator[None]:
    """One upgrade at a time; its lock and its settings end with the session, which nobody else gets."""
    try:
        # Asked for again and again: a statement that waits would keep an index from being built concurrently, for ever.
        while not connection.execute(text(f"SELECT pg_try_advisory_lock({_MIGRATION_LOCK})")).scalar_one():
            connection.rollback()
            sleep(0.1)
        yield
    finally:
        connection.invalidate()


def revision(connection: Connection) -> str | None:
    """The revision of a database's schema; None when nothing was ever migrated there."""
    return MigrationContext.configure(connection).get_current_revision()


def _require_known(found: str | None) -> None:
    known = {one.revision for one in ScriptDirectory.from_config(config()).walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseUnavailableError(
            f"the database has the schema of revision {found}, which this version does not know; "
            "install the version that made it"
        )


def head() -> str:
    """The newest revision of this version of the program."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    assert newest is not None  # noqa: S101  the project has migrations
    return newest


def require_current(url: str) -> None:
    """Raise DatabaseUnavailableError unless the database has this version's schema."""
    with engine(url).connect() as connection:
        current = revision(connection)
    _require_known(current)
    if current != head():
        found = "is empty" if current is None else f"has the schema of revision {current}"
        raise DatabaseUnavailableError(f"the database {found}, this version needs {head()}; run 'aftercare db upgrade'")


def differences(connection: Connection) -> list[str]:
    """How the database differs from the models, one phrase each; empty when the migrations are complete."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
    found: list[str] = []
    for difference in compare_metadata(context, Base.metadata):
        # Changes of one column come together in a list.
        found += map(_described, difference if isinstance(difference, list) else [difference])
    return found


def _described(difference: tuple[Any, ...]) -> str:
    """Alembic says what would have to be done to the database; people are told what is there."""
    match difference:
        case ("add_table", table):
            return f"table {table.name} is missing"
        case ("remove_table", table):
            return f"table {table.name} is not of this version"
        case ("add_column", _, table, column):
            return f"column {table}.{column.name} is missing"
        case ("remove_column", _, table, column):
            return f"column {table}.{column.name} is not of this version"
        case ("modify_type", _, table, column, _, present, wanted):
            return f"column {table}.{column} is {present}, this version wants {wanted}"
        case ("modify_nullable", _, table, column, _, may_be_empty, _):
            return f"column {table}.{column} {'may be empty and must not' if may_be_empty else 'must not be empty'}"
        case (str() as change, constraint, *_) if getattr(constraint, "table", None) is not None:
            verb, _, what = change.partition("_")
            stand = "is missing" if verb == "add" else "is not of this version"
            columns = ", ".join(column.name for column in constraint.columns)
            return f"{what} {constraint.name or ''} on {constraint.table.name} ({columns}) {stand}"
        case _:
            return " ".join(map(str, difference))
