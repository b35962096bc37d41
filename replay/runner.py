"""This file gives each replay a database of its own and measures it; the product's database is never touched."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from sqlalchemy.engine import make_url

from db import embedded, histories, schema
from db.embedded import EmbeddedPostgres
from db.models import Ticket
from db.session import DatabaseUnavailableError, commit_without_waiting, engine, require_usable
from domain.standard import Standard, load_standard, read_figures
from domain.standard_change import Changed, changed_figures
from replay.engine import Replay
from replay.history_map import HistoryMap
from replay.log_reader import BadRow, LogRow
from replay.report import ReplayReport, report
from settings import SettingsError, get_settings, psycopg_url, require_home

OFFICE = "office"
_OWN = re.compile(r"replay_(\d+)_\d+")


@dataclass(frozen=True)
class Play:
    """One replay that is wanted: the name its result gets, the figures it is played under, and how many engineers share
    the work (None: whom the log names)."""

    name: str
    standard: Standard
    engineers: int | None = None


class Runner:
    """Plays one log as it was, and once more when another standard or staffing is asked about.

    Without a URL each run has a fresh embedded database.
    Whatever can be found wrong is found here, before the first replay begins. Raises SettingsError, StandardError or
    DatabaseUnavailableError.
    """

    def __init__(
        self,
        history_map: HistoryMap,
        database_url: str | None,
        other_standard: Path | None,
        engineers: int | None = None,
    ) -> None:
        self.map = history_map
        asked = [name for name, is_given in (("--standard", other_standard), ("--engineers", engineers)) if is_given]
        if database_url is not None and asked:
            raise DatabaseUnavailableError(f"{asked[0]} needs two databases: leave --database-url out")
        present = get_settings().standard
        self.changed: list[Changed] = []
        self.plays = [Play("standard", load_standard(present, under=history_map.standard))]
        if asked:
            names = [other_standard.stem] if other_standard else []
            names += [f"{engineers} engineers"] if engineers else []
            other = load_standard(other_standard or present, under=history_map.standard)
            self.plays.append(Play(", ".join(names), other, engineers))
            both = (read_figures(file, under=history_map.standard) for file in (present, other_standard or present))
            self.changed = changed_figures(*both)
        self.given_url = self._usable(database_url) if database_url is not None else None
        self.embedded: EmbeddedPostgres | None = None
        self.used: list[str] = []

    def __enter__(self) -> Self:
        if self.given_url is None:
            require_home(get_settings().home)
            self.embedded = embedded.start(get_settings().postgres_folder)
            for database in self.embedded.databases():
                owner = _OWN.fullmatch(database)
                if owner and not psutil.pid_exists(int(owner[1])):
                    self.embedded.drop(database)  # of a replay that was killed
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
        self, rows: Sequence[LogRow], bad: Sequence[BadRow], play: Play, *, progress: Callable[[int], None]
    ) -> ReplayReport:
        """Play the log under a standard. Returns the report."""
        url = self._database()
        started = time.perf_counter()
        with engine(url).connect() as connection:
            # A replay that is killed is played again: it needs no durable commits, the disk would be all it waits for.
            commit_without_waiting(connection)
            replay = Replay(connection, self.map, play.standard, engineers=play.engineers)
            tally = replay.play(rows, bad, progress=progress)
            seconds = time.perf_counter() - started
            last = rows[-1].at if rows else None
            # Like is compared with like: the load of both in the present hours, whatever the other standard says.
            hours = self.plays[0].standard.calendar(OFFICE)
            return report(
                connection, tally, play.standard, name=play.name, seconds=seconds, last=last, working_hours=hours
            )

    def _database(self) -> str:
        if self.embedded is None:
            assert self.given_url is not None  # noqa: S101  no embedded server: a URL was given
            schema.upgrade(self.given_url)
            self.used.append(self.given_url)
            return self.given_url
        # The process's number makes the name its own: two replays on one home leave each other alone.
        url = self.embedded.url(f"replay_{os.getpid()}_{len(self.used) + 1}")
        self.embedded.recreate(str(make_url(url).database))
        self.used.append(url)
        schema.upgrade(url)
        return url

    def _usable(self, database_url: str) -> str:
        try:
            url = psycopg_url(database_url)
        except ValueError as error:
            raise SettingsError(f"--database-url: {error}") from error
        require_usable(url, named="--database-url")
        with engine(url).connect() as connection:
            # A database without tables is as good as one without tickets.
            if schema.revision(connection) is not None and histories.count(connection, Ticket):
                raise DatabaseUnavailableError("--database-url: there are tickets in it; give an empty database")
        return url
