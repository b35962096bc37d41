"""Working time: which moments a service calendar counts, and how to add and measure it (S-01)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from zoneinfo import ZoneInfo

import holidays

from domain.exceptions import CalendarNeverOpensError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HORIZON = timedelta(days=3660)
_WHOLE_DAY = (time(0), time(0))
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, eq=False)  # identity as hash: its days are cached per calendar
class BusinessCalendar:
    """Service hours of one week, with holidays and make-up working days.

    ``weekly`` maps a weekday (0 = Monday) to its open periods in local time; a period that ends at 00:00 ends at
    the next midnight. ``holidays`` names a country whose public holidays close the day and whose make-up working
    days open it with the hours of a Monday. ``closed_on`` and ``open_on`` win over both.
    """

    name: str
    time_zone: str
    weekly: tuple[tuple[tuple[time, time], ...], ...]
    holidays: str | None = None
    closed_on: frozenset[date] = frozenset()
    open_on: frozenset[date] = frozenset()

    @cached_property
    def always_open(self) -> bool:
        """True when no moment is ever closed, so that plain arithmetic is exact."""
        everyday = all(periods == (_WHOLE_DAY,) for periods in self.weekly)
        return everyday and self.holidays is None and not self.closed_on

    def is_open(self, moment: datetime) -> bool:
        """True when ``moment`` lies within service hours; the closing moment itself does not."""
        return any(opens <= moment < closes for opens, closes in self._periods_from(moment, limit_days=1))

    def add(self, moment: datetime, working_time: timedelta) -> datetime:
        """The earliest moment (UTC) at which ``working_time`` has passed since ``moment``.

        Raises CalendarNeverOpensError when the calendar stays closed for ten years.
        """
        moment = moment.astimezone(UTC)
        if working_time <= timedelta(0):
            return moment
        if self.always_open:
            return moment + working_time
        left = working_time
        for opens, closes in self._periods_from(moment):
            begin = max(opens, moment)
            if closes - begin >= left:
                return begin + left
            left -= closes - begin
        raise CalendarNeverOpensError(f"service calendar {self.name!r} does not open within ten years")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from ``start`` to ``end``; zero when ``end`` is not later."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if end <= start:
            return timedelta(0)
        if self.always_open:
            return end - start
        used = (min(closes, end) - max(opens, start) for opens, closes in self.periods(start, end))
        return sum(used, timedelta(0))

    def periods(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open periods (UTC) of which something lies between ``start`` and ``end``, in order."""
        for opens, closes in self._periods_from(start, limit_days=(end - start).days + 3):
            if opens >= end:
                return
            yield opens, closes

    def _periods_from(
        self, moment: datetime, *, limit_days: int = _HORIZON.days
    ) -> Iterator[tuple[datetime, datetime]]:
        """Open periods (UTC) that end after ``moment``, in order; none of the day before outlasts its midnight."""
        local_day = moment.astimezone(ZoneInfo(self.time_zone)).date()
        for offset in range(limit_days + 1):
            for opens, closes in _open_periods(self, local_day + timedelta(days=offset)):
                if closes > moment:
                    yield opens, closes


@cache
def _country_calendar(country: str, year: int) -> holidays.HolidayBase:
    # Built whole before anyone sees it: the library marks a year as known before it has filled it in, so that a
    # second thread would find a public holiday open.
    return holidays.country_holidays(country, years=year, expand=False)


def _weekday_for_hours(calendar: BusinessCalendar, day: date) -> int | None:
    """The weekday whose hours apply on ``day``, or None when it is closed."""
    if day in calendar.closed_on:
        return None
    if day in calendar.open_on:
        return day.weekday() if calendar.weekly[day.weekday()] else 0
    if calendar.holidays:
        country = _country_calendar(calendar.holidays, day.year)
        if day in country:
            return None
        if day in country.weekend_workdays:
            return 0
    return day.weekday()


@lru_cache(maxsize=50_000)
def _open_periods(calendar: BusinessCalendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Open periods (UTC) that begin on the local ``day``.

    A local time that a clock change skips is read as the moment the clock jumped, one that it repeats as the
    first of the two; a period that the change swallows whole is left out.
    """
    weekday = _weekday_for_hours(calendar, day)
    if weekday is None:
        return ()
    zone = ZoneInfo(calendar.time_zone)
    periods = []
    for opens, closes in calendar.weekly[weekday]:
        closing_day = day + timedelta(days=1) if closes == time(0) else day
        begin = _moment_of(datetime.combine(day, opens, zone), zone)
        end = _moment_of(datetime.combine(closing_day, closes, zone), zone)
        if begin < end:
            periods.append((begin, end))
    return tuple(periods)


def _moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    moment = local.astimezone(UTC)
    shown = moment.astimezone(zone)
    if shown.replace(tzinfo=None) != local.replace(tzinfo=None):
        # PEP 495 reads a skipped 02:30 as 03:30; the clock jumped some minutes before.
        while (moment - _MINUTE).astimezone(zone).utcoffset() == shown.utcoffset():
            moment -= _MINUTE
    return moment


def parse_weekly_hours(weekly: Mapping[str, list[str]]) -> tuple[tuple[tuple[time, time], ...], ...]:
    """Turn ``{"mon": ["09:00-18:00"]}`` into the ``weekly`` of a BusinessCalendar.

    Raises ValueError that names the weekday and the text it could not read.
    """
    for name in weekly:
        if name not in WEEKDAYS:
            raise ValueError(f"{name!r} is no weekday; use {', '.join(WEEKDAYS)}")
    week = tuple(_parse_periods(name, weekly.get(name, [])) for name in WEEKDAYS)
    if not any(week):
        raise ValueError("opens on no weekday")
    return week


def _parse_periods(weekday: str, texts: list[str]) -> tuple[tuple[time, time], ...]:
    periods: list[tuple[time, time]] = []
    for text in texts:
        match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", text.strip())
        if not match:
            raise ValueError(f"{weekday}: {text!r} is no period; write it like 09:00-18:00")
        opens = time(int(match[1]), int(match[2]))
        closes = time(int(match[3]), int(match[4])) if match[3] else time(0)
        if closes != time(0) and closes <= opens:
            raise ValueError(f"{weekday}: {text!r} closes before it opens")
        if periods and (periods[-1][1] == time(0) or opens < periods[-1][1]):
            raise ValueError(f"{weekday}: {text!r} overlaps the period before it")
        periods.append((opens, closes))
    return tuple(periods)
