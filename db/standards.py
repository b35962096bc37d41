"""The standard in force: the files' figures, with what operations adopted laid over them, version by version.

A ticket keeps the version it was opened under, whatever is adopted later: its promises were made by those figures.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Connection, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from db import reference
from db.models import SlaClock, Staff, StandardVersion
from db.rows import Row, fetch, fetch_one
from db.session import database_url, engine, reading
from domain.exceptions import ChangedMeanwhileError
from domain.standard import Standard, load_version
from domain.standard_change import require_calendars
from settings import get_settings, written_standard

# How old what a process knows may be, in seconds: a change is in force everywhere so much later.
_LOOK_AGAIN = 10.0
_NEWEST = select(func.max(StandardVersion.id))
_HISTORY = select(StandardVersion.__table__).order_by(StandardVersion.id.desc())

_looks: dict[str, tuple[float, int | None]] = {}
_versions: dict[tuple[URL, int], Standard] = {}


def get_standard() -> Standard:
    """The newest service standard, for whatever is not about the promises of one ticket; looked up at times."""
    url, moment = database_url(), time.monotonic()
    looked_at, version = _looks.get(url, (-math.inf, None))
    if moment - looked_at >= _LOOK_AGAIN:
        try:
            with reading(url) as connection:
                version = connection.execute(_NEWEST).scalar_one()
                _numbered(connection, version)
            _looks[url] = moment, version
        except (OperationalError, PoolTimeoutError):
            # The page that says so is to know its language all the same; whoever needs the database will hear of it.
            pass
    return written_standard() if version is None else _versions[engine(url).url, version]


def of_ticket(connection: Connection, ticket: Mapping[str, Any], newest: Standard) -> Standard:
    """The standard by which a ticket's promises were made."""
    version = ticket["standard_version"]
    return newest if version == newest.version else _numbered(connection, version)


def forget() -> None:
    """Look anew, as a process does that has just started."""
    _looks.clear()
    _versions.clear()


def _numbered(connection: Connection, version: int | None) -> Standard:
    if version is None:
        return written_standard()
    place = (connection.engine.url, version)
    if place not in _versions:
        changes = connection.execute(select(StandardVersion.changes).where(StandardVersion.id == version)).scalar_one()
        _versions[place] = load_version(get_settings().standard, version, changes)
    return _versions[place]


def find_newest(connection: Connection) -> Row | None:
    """The version in force; None while the files alone hold."""
    return fetch_one(connection, _HISTORY.limit(1))


def history(connection: Connection) -> list[Row]:
    """All versions, newest first."""
    return fetch(connection, _HISTORY)


def require_usable(connection: Connection, standard: Standard) -> None:
    """Raise StandardError when open tickets or people need a calendar that the standard has not."""
    of_clocks = select(SlaClock.calendar).where(SlaClock.stopped_at.is_(None))
    of_people = select(Staff.calendar).where(Staff.is_active)
    require_calendars(standard, set(connection.execute(of_clocks.union(of_people)).scalars()))


def adopt(
    connection: Connection, standard: Standard, changes: Mapping[str, Any], *, reason: str, by: str, now: datetime
) -> None:
    """Put a version in force, for tickets to come; the only way in.

    Raises StandardError, or ChangedMeanwhileError when another version of this number was adopted first.
    """
    require_usable(connection, standard)
    row = {"id": standard.version, "changes": changes, "reason": reason, "adopted_by": by, "adopted_at": now}
    # Of two at once the second waits here for the first's commit, and then finds its number taken.
    statement = insert(StandardVersion).values(row).on_conflict_do_nothing().returning(StandardVersion.id)
    if connection.execute(statement).scalar_one_or_none() is None:
        raise ChangedMeanwhileError("another change of the standard was adopted meanwhile; look at what it left to do")
    reference.sync_calendars(connection, standard)
