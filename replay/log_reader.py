"""This file reads a foreign event log row by row; what cannot be read is said, never dropped."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from domain.exceptions import HistoryMapError
from replay.history_map import HistoryMap

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_LONGEST = 150  # characters of a value that becomes part of a name, a serial number or a reason


@dataclass(frozen=True, slots=True)
class LogRow:
    """One readable row; ``at`` is aware UTC. ``shifted``: its local time was skipped by a clock change."""

    line: int
    case: str
    activity: str
    at: datetime
    resource: str
    customer: str
    product: str | None
    severity: str | None
    shifted: bool


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that cannot be used, and why."""

    line: int
    why: str


def read_log(path: Path, history_map: HistoryMap) -> tuple[list[LogRow], list[BadRow]]:
    """All rows, the readable ones in the order of time (ties in the order of the file).

    Raises HistoryMapError when the file is missing or lacks a column of the map.
    """
    try:
        with _open(path, history_map.log.encoding) as file:
            reader = csv.DictReader(file, delimiter=history_map.log.delimiter, strict=True)
            header = list(reader.fieldnames or [])
            missing = [name for name in history_map.columns.names() if name not in header]
            if missing:
                raise HistoryMapError(
                    f"{path}: the log has no column {', '.join(map(repr, missing))}; it has: {', '.join(header)}"
                )
            rows = list(_rows(reader, history_map))
    except FileNotFoundError:
        raise HistoryMapError(f"{path}: no such log") from None
    except (OSError, UnicodeError, LookupError, EOFError, zlib.error, csv.Error) as error:
        raise HistoryMapError(f"{path}: not readable: {error}; mend the file or the map's encoding") from error
    good = sorted((row for row in rows if isinstance(row, LogRow)), key=lambda row: (row.at, row.line))
    return good, [row for row in rows if isinstance(row, BadRow)]


def _open(path: Path, encoding: str) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _rows(reader: csv.DictReader[str], history_map: HistoryMap) -> Iterator[LogRow | BadRow]:
    columns, log = history_map.columns, history_map.log
    zone = ZoneInfo(log.time_zone)
    for values in reader:
        line = reader.line_num
        if None in values or None in values.values():
            yield BadRow(line, "broken row: it has more or fewer fields than the header")
            continue
        case, activity = values[columns.case].strip(), values[columns.activity].strip()
        if not case or not activity or not values[columns.customer].strip():
            yield BadRow(line, "case, activity or customer is empty")
            continue
        if any("\0" in values[name] or len(values[name]) > _LONGEST for name in columns.names()):
            yield BadRow(line, f"a value has a NUL or more than {_LONGEST} characters")
            continue
        if activity not in history_map.activities:
            yield BadRow(line, f"unknown activity {activity!r}; add it to the map")
            continue
        try:
            local = datetime.strptime(values[columns.at].strip(), log.time_format)  # noqa: DTZ007  the zone follows
        except ValueError:
            yield BadRow(line, f"time does not read as {log.time_format}")
            continue
        at = _utc(local, zone)
        if at is None:
            yield BadRow(line, "impossible time")
            continue
        yield LogRow(
            line,
            case,
            activity,
            at,
            values[columns.resource].strip() or "unnamed",
            values[columns.customer].strip(),
            values[columns.product].strip() or None if columns.product else None,
            values[columns.severity].strip() or None if columns.severity else None,
            shifted=local.tzinfo is None and at.astimezone(zone).replace(tzinfo=None) != local,
        )


def _utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment, or None when nobody can have worked then."""
    try:
        at = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar
        return None
    return at if _EARLIEST <= at < _LATEST else None
