"""When each manager gets the digest, and of which span: a week or a month, all regions or one (S-61)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.exceptions import InvalidInputError
from domain.spans import Span, last_full_month, last_full_week


class DigestPeriod(StrEnum):
    """How often."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class DigestWish:
    """``weekday``: 0 is Monday; of a monthly digest the first such day of the month. ``hour``: local to the
    organisation. ``region``: None for all."""

    period: DigestPeriod = DigestPeriod.WEEKLY
    region: str | None = None
    weekday: int = 0
    hour: int = 8

    def __post_init__(self) -> None:
        """Raises InvalidInputError."""
        if not 0 <= self.weekday < 7:
            raise InvalidInputError("weekday", "is no day of the week")
        if not 0 <= self.hour < 24:
            raise InvalidInputError("hour", "must be from 0 to 23")


def span_due(wish: DigestWish, *, time_zone: str, now: datetime) -> Span:
    """What the last digest that should have left until ``now`` is about: one that was missed is not lost."""
    local = now.astimezone(ZoneInfo(time_zone))
    at = _at(wish, local.date(), time_zone)
    if at > now:
        earlier = local.date().replace(day=1) if wish.period is DigestPeriod.MONTHLY else local.date() - timedelta(6)
        at = _at(wish, earlier - timedelta(days=1), time_zone)
    last = last_full_week if wish.period is DigestPeriod.WEEKLY else last_full_month
    return last(at, time_zone).within(wish.region)


def _at(wish: DigestWish, today: date, time_zone: str) -> datetime:
    """When the digest leaves in the week or month of this day."""
    first = today.replace(day=1) if wish.period is DigestPeriod.MONTHLY else today - timedelta(days=today.weekday())
    day = first + timedelta(days=(wish.weekday - first.weekday()) % 7)
    return datetime.combine(day, time(wish.hour), ZoneInfo(time_zone))
