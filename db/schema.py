"""This file brings a database to the schema of this version, and says when it is not."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

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
    """Migrate to the newest schema; returns the revision before and after.

    Raises DatabaseUnavailableError when a later version has migrated it.
    """
    with engine(url).begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        before = MigrationContext.configure(connection).get_current_revision()
        alembic = config()
        known = {revision.revision for revision in ScriptDirectory.from_config(alembic).walk_revisions()}
        if before is not None and before not in known:
            raise DatabaseUnavailableError(
                f"the database has the schema of revision {before}, which this version does not know; "
                "install the version that made it"
            )
        alembic.attributes["connection"] = connection
        command.upgrade(alembic, "head")
    return before, head()


def head() -> str:
    """The newest revision of this version of the program."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    assert revision is not None  # noqa: S101  the project has migrations
    return revision


def require_current(url: str) -> None:
    """Raise DatabaseUnavailableError unless the database has this version's schema."""
    with engine(url).connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current != head():
        found = "is empty" if current is None else f"has the schema of revision {current}"
        raise DatabaseUnavailableError(f"the database {found}, this version needs {head()}; run 'aftercare db upgrade'")


def differences(connection: Connection) -> list[object]:
    """How the database differs from the models; empty when the migrations are complete."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
    return list(compare_metadata(context, Base.metadata))
