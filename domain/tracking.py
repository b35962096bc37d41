"""Which tickets the progress tracking sheet shows (S-60)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.exceptions import InvalidInputError

_BEFORE_EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)


def opened_within(first: date | None, last: date | None, *, time_zone: str, now: datetime) -> tuple[datetime, datetime]:
    """The moments from and before which a ticket was opened that the sheet shows.

    Both days are included and end at midnight of ``time_zone``; none: from the first ticket on, or until ``now``.
    Raises InvalidInputError (``first`` or ``last``).
    """
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    if first is not None and first > today:
        raise InvalidInputError("first", "lies ahead")
    if last is not None and last < (first or date.min):
        raise InvalidInputError("last", "is before the first day")
    until = min(last or today, today) + timedelta(days=1)
    since = datetime.combine(first, time.min, zone).astimezone(UTC) if first and first.year >= 1970 else None
    return since or _BEFORE_EVERYTHING, max(datetime.combine(until, time.min, zone).astimezone(UTC), _BEFORE_EVERYTHING)
