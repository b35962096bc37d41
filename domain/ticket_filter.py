"""Which tickets a list shows: what happened to them on which days, and what they are like (S-60, S-61)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from domain.exceptions import InvalidInputError
from domain.tickets import Category, Channel, Priority


class Happened(StrEnum):
    """What happened to a ticket on the days that are asked for."""

    OPENED = "opened"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    OPEN_AT_END = "open_at_end"
    RESPONSE_KEPT = "response_kept"
    RESPONSE_MISSED = "response_missed"
    RESOLUTION_KEPT = "resolution_kept"
    RESOLUTION_MISSED = "resolution_missed"
    ASKED = "asked"
    ANSWERED = "answered"
    LOW_SCORE = "low_score"
    CALLBACK_DUE = "callback_due"
    CALLBACK_MISSED = "callback_missed"


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """``since`` is included, ``until`` is not (aware); None: from the first, until the last. ``below``: only ids under
    it, for the next page. ``region`` and ``team``: empty for tickets without; a criterion that is None asks nothing."""

    happened: Happened = Happened.OPENED
    since: datetime | None = None
    until: datetime | None = None
    category: Category | None = None
    priority: Priority | None = None
    channel: Channel | None = None
    region: str | None = None
    team: str | None = None
    below: int | None = None


NONE = "-"
_Word = TypeVar("_Word", bound=StrEnum)


def read_filter(asked: Mapping[str, str], *, time_zone: str) -> TicketFilter:
    """What was asked in words, days in ``time_zone`` and the last one included. Raises InvalidInputError (its name)."""
    first, last = _day(asked, "from"), _day(asked, "to")
    if first is not None and last is not None and last < first:
        raise InvalidInputError("to", "is before the first day")
    zone = ZoneInfo(time_zone)
    below = asked.get("below", "")
    return TicketFilter(
        happened=_word(asked, "happened", Happened) or Happened.OPENED,
        since=_midnight(first, zone) if first else None,
        until=_midnight(last + timedelta(days=1), zone) if last else None,
        category=_word(asked, "category", Category),
        priority=_word(asked, "priority", Priority),
        channel=_word(asked, "channel", Channel),
        region=_name(asked, "region"),
        team=_name(asked, "team"),
        below=int(below) if below.isascii() and below.isdigit() and len(below) < 19 else None,
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _day(asked: Mapping[str, str], name: str) -> date | None:
    typed = asked.get(name, "").strip()
    try:
        day = date.fromisoformat(typed) if typed else None
    except ValueError:
        day = date.min
    if day is not None and not 1970 <= day.year <= 2999:
        raise InvalidInputError(name, "is no date")
    return day


def _word(asked: Mapping[str, str], name: str, words: type[_Word]) -> _Word | None:
    typed = asked.get(name, "")
    try:
        return words(typed) if typed else None
    except ValueError:
        raise InvalidInputError(name, "is not one of the choices") from None


def _name(asked: Mapping[str, str], name: str) -> str | None:
    """What no column can hold is found nowhere: a NUL, half a surrogate pair."""
    typed = asked.get(name, "")
    if not typed.replace("\t", "").isprintable() or len(typed) > 200:
        raise InvalidInputError(name, "is not one of the choices")
    return "" if typed == NONE else typed or None
