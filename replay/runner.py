"""This file gives each replay a database of its own and measures it; the product's database is never touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

from db import embedded, histories, schema
from db.models import Ticket
from db.session import DatabaseUnavailableError, commit_without_waiting, engine, require_usable
from domain.standard import load_standard
from replay.engine import Replay
from replay.history_map import HistoryMap
from replay.log_reader import BadRow, LogRow
from replay.report import ReplayReport, report
from settings import SettingsError, get_settings, psycopg_url


class Runner:
    """Plays one log, once per standard. Without a URL each run has a fresh embedded database."""

    def __init__(self, history_map: HistoryMap, database_url: str | None) -> None:
        self.map = history_map
        try:
            self.given_url = psycopg_url(database_url) if database_url else None
        except ValueError as error:
            raise SettingsError(f"--database-url: {error}") from error
        self.embedded = embedded.start(get_settings().postgres_folder) if database_url is None else None
        self.used: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for url in self.used:
            engine(url).dispose()
            if self.embedded is not None:
                self.embedded.drop(str(make_url(url).database))
        if self.embedded is not None:
            self.embedded.close()

    def run(
        self,
        rows: Sequence[LogRow],
        bad: Sequence[BadRow],
        name: str,
        standard_file: Path | None,
        *,
        progress: Callable[[int], None],
    ) -> ReplayReport:
        """Play the log under the map's figures, and those of ``standard_file`` over them. Returns the report."""
        standard = load_standard(standard_file or get_settings().standard, under=self.map.standard)
        url = self._database()
        started = time.perf_counter()
        with engine(url).connect() as connection:
            # A replay that is killed is played again: it needs no durable commits, the disk would be all it waits for.
            commit_without_waiting(connection)
            replay = Replay(connection, self.map, standard)
            tally = replay.play(rows, bad, progress=progress)
            seconds = time.perf_counter() - started
            last = rows[-1].at if rows else None
            return report(connection, tally, standard, name=name, seconds=seconds, last=last)

    def _database(self) -> str:
        if self.embedded is None:
            return self._given()
        url = self.embedded.url(f"replay_{len(self.used) + 1}")
        self.embedded.recreate(str(make_url(url).database))
        self.used.append(url)
        schema.upgrade(url)
        return url

    def _given(self) -> str:
        assert self.given_url is not None  # noqa: S101  no embedded server: a URL was given
        if self.used:
            raise DatabaseUnavailableError("--standard needs two databases: leave --database-url out")
        require_usable(self.given_url)
        schema.upgrade(self.given_url)
        self.used.append(self.given_url)
        with engine(self.given_url).connect() as connection:
            if histories.count(connection, Ticket):
                raise DatabaseUnavailableError("--database-url: there are tickets in it; give an empty database")
        return self.given_url
