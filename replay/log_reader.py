"""This file reads a foreign event log row by row; what cannot be read is said, never dropped."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from domain.exceptions import HistoryMapError
from replay.history_map import HistoryMap

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_LONGEST_RECORD = 50  # lines that one quoted value may run over
_UNFINISHED, _BROKEN = object(), object()
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
            records = _records(file, history_map.log.delimiter)
            header = next(records, (0, None))[1]
            if header is None:
                raise HistoryMapError(f"{path}: the log is empty, or its first line is no header")
            missing = [name for name in history_map.columns.names() if name not in header]
            if missing:
                raise HistoryMapError(
                    f"{path}: the log has no column {', '.join(map(repr, missing))}; it has: {', '.join(header)}"
                )
            rows = list(_rows(header, records, history_map))
            if not rows:
                raise HistoryMapError(f"{path}: the log has a header and no rows")
    except FileNotFoundError:
        raise HistoryMapError(f"{path}: no such log") from None
    except (OSError, UnicodeError, LookupError, EOFError, zlib.error) as error:
        raise HistoryMapError(f"{path}: not readable: {error}; mend the file or the map's encoding") from error
    good = sorted((row for row in rows if isinstance(row, LogRow)), key=lambda row: (row.at, row.line))
    return good, [row for row in rows if isinstance(row, BadRow)]


def _open(path: Path, encoding: str) -> IO[str]:
    if encoding.casefold() in {"utf-8", "utf8"}:
        encoding = "utf-8-sig"  # Excel writes a mark before the header
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with the number of its last line; None instead of its fields where its quotes do not fit.

    A quoted value may run over several lines. A quote that is never closed must not take the rest of the log with it:
    then only its own line is broken.
    """
    waiting = deque[tuple[int, str]]()
    numbered = enumerate(lines, 1)
    width: int | None = None
    while (first := waiting.popleft() if waiting else next(numbered, None)) is not None:
        text, taken = first[1], [first]
        fields = _parse(text, delimiter)
        while fields is _UNFINISHED and len(taken) < _LONGEST_RECORD:
            following = waiting.popleft() if waiting else next(numbered, None)
            if following is None:
                break
            taken.append(following)
            # A line that is a whole record by itself is hardly the middle of somebody's words.
            alone = _parse(following[1], delimiter)
            if isinstance(alone, list) and len(alone) == width:
                break
            text += following[1]
            fields = _parse(text, delimiter)
        whole = isinstance(fields, list) and (len(taken) == 1 or len(fields) == width)
        if whole and isinstance(fields, list):
            if fields:  # an empty line is no record
                width = width or len(fields)
                yield taken[-1][0], fields
        else:
            waiting.extendleft(reversed(taken[1:]))
            yield first[0], None


def _parse(text: str, delimiter: str) -> list[str] | object:
    """The fields of one record; _UNFINISHED when a quote is still open, _BROKEN when quotes do not fit."""
    try:
        found = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return _UNFINISHED if "unexpected end" in str(error) else _BROKEN
    return found[0] if found else []


def _rows(
    header: Sequence[str], records: Iterable[tuple[int, list[str] | None]], history_map: HistoryMap
) -> Iterator[LogRow | BadRow]:
    columns, log = history_map.columns, history_map.log
    zone = ZoneInfo(log.time_zone)
    for line, fields in records:
        if fields is None:
            yield BadRow(line, "broken row: a quote does not fit; write quotes within a value twice")
            continue
        values = dict(zip(header, fields, strict=False))
        if len(fields) != len(header):
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
