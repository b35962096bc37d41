"""The spans that a report is about: an ISO week, a calendar month, a range of days; each beside the four before it.

Borders are midnights in the organisation's zone, so that a week in which the clocks change has an hour more or less.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from domain.exceptions import InvalidInputError

MOST_DAYS = 92
PERIODS = 5
_WEEK = timedelta(days=7)


class SpanKind(StrEnum):
    """What a report is about."""

    WEEK = "week"
    MONTH = "month"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Span:
    """Five periods of a kind, oldest first: the last is the one reported, the one before it what it is compared with.

    ``borders``: six aware moments; a period includes its first and excludes its last. ``labels``: one per period.
    ``region``: only its tickets; None: all.
    """

    kind: SpanKind
    labels: tuple[str, ...]
    borders: tuple[datetime, ...]
    region: str | None = None

    @property
    def label(self) -> str:
        """How the reported period is written: 2026-W47, 2026-11, 2026-11-01/2026-11-30."""
        return self.labels[-1]

    @property
    def first(self) -> datetime:
        """Where the oldest period begins."""
        return self.borders[0]

    @property
    def before(self) -> datetime:
        """Where the period begins that the reported one is compared with."""
        return self.borders[-3]

    @property
    def since(self) -> datetime:
        """Where the reported period begins."""
        return self.borders[-2]

    @property
    def until(self) -> datetime:
        """Where it ends; not part of it."""
        return self.borders[-1]

    def within(self, region: str | None) -> Span:
        """The same span for one region."""
        return replace(self, region=region)


def _span(kind: SpanKind, days: list[date], time_zone: str) -> Span:
    zone = ZoneInfo(time_zone)
    labels = tuple(_label(kind, first, end) for first, end in pairwise(days))
    return Span(kind, labels, tuple(datetime.combine(day, time(0), zone) for day in days))


def _label(kind: SpanKind, first: date, end: date) -> str:
    match kind:
        case SpanKind.WEEK:
            return f"{first:%G-W%V}"
        case SpanKind.MONTH:
            return f"{first:%Y-%m}"
        case SpanKind.DAYS:
            return f"{first}/{end - timedelta(days=1)}"


def week_of(day: date, time_zone: str) -> Span:
    """The ISO week that contains ``day``."""
    monday = day - timedelta(days=day.weekday())
    return _span(SpanKind.WEEK, [monday + shift * _WEEK for shift in range(1 - PERIODS, 2)], time_zone)


def month_of(day: date, time_zone: str) -> Span:
    """The calendar month that contains ``day``."""
    months = [divmod(day.year * 12 + day.month - 1 + shift, 12) for shift in range(1 - PERIODS, 2)]
    return _span(SpanKind.MONTH, [date(year, month + 1, 1) for year, month in months], time_zone)


def week_named(label: str, time_zone: str) -> Span:
    """The week that is written ``2026-W47``. Raises InvalidInputError when there is none."""
    match = re.fullmatch(r"(20\d\d)-W(\d\d)", label, re.ASCII)
    try:
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        monday = None
    if monday is None:
        raise InvalidInputError("week", "is no week; write it like 2026-W47")
    return week_of(monday, time_zone)


def month_named(label: str, time_zone: str) -> Span:
    """The month that is written ``2026-11``. Raises InvalidInputError when there is none."""
    match = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", label, re.ASCII)
    if match is None:
        raise InvalidInputError("month", "is no month; write it like 2026-11")
    return month_of(date(int(match[1]), int(match[2]), 1), time_zone)


def days_between(first: date, last: date, time_zone: str) -> Span:
    """The days from ``first`` to ``last``, both included. Raises InvalidInputError."""
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise InvalidInputError("last_day", f"must be the first day or one of the {MOST_DAYS - 1} after it")
    if not 2000 <= first.year <= 2099:
        raise InvalidInputError("first_day", "is not of this century")
    length = timedelta(days=count)
    return _span(SpanKind.DAYS, [first + shift * length for shift in range(1 - PERIODS, 2)], time_zone)


def last_full_week(now: datetime, time_zone: str) -> Span:
    """The week before the one that contains ``now``."""
    return week_of(now.astimezone(ZoneInfo(time_zone)).date() - _WEEK, time_zone)


def last_full_month(now: datetime, time_zone: str) -> Span:
    """The month before the one that contains ``now``."""
    return month_of(now.astimezone(ZoneInfo(time_zone)).date().replace(day=1) - timedelta(days=1), time_zone)
