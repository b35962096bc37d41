"""When a digest leaves and what it is about."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from domain.digest_schedule import DigestPeriod, DigestWish, span_due
from domain.exceptions import InvalidInputError

WEEKLY, MONTHLY = DigestPeriod.WEEKLY, DigestPeriod.MONTHLY
ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("wish", "now", "label"),
    [
        (DigestWish(), "2026-11-30 08:00", "2026-W48"),  # a Monday, to the minute
        (DigestWish(), "2026-11-30 07:59", "2026-W47"),  # what should have left a week ago, if it did not
        (DigestWish(), "2026-12-06 23:59", "2026-W48"),
        (DigestWish(weekday=6, hour=23), "2026-12-06 22:00", "2026-W47"),
        (DigestWish(weekday=6, hour=23), "2026-12-06 23:00", "2026-W48"),
        (DigestWish(weekday=2, hour=0), "2027-01-04 12:00", "2026-W52"),  # week 53 leaves on Wednesday
        (DigestWish(MONTHLY), "2026-12-07 08:00", "2026-11"),  # the first Monday
        (DigestWish(MONTHLY), "2026-12-06 12:00", "2026-10"),
        (DigestWish(MONTHLY, weekday=1), "2026-12-01 08:00", "2026-11"),
        (DigestWish(MONTHLY, weekday=4), "2026-12-31 08:00", "2026-11"),
        (DigestWish(MONTHLY, weekday=4), "2027-01-01 07:00", "2026-11"),
        (DigestWish(MONTHLY, weekday=4), "2027-01-01 08:00", "2026-12"),
    ],
)
def test_the_last_digest_that_was_due_is_the_one_that_is_owed(wish: DigestWish, now: str, label: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(ZONE))

    assert span_due(wish, time_zone=ZONE, now=moment).label == label


def test_it_is_of_the_region_that_was_chosen() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=ZoneInfo("UTC"))

    assert span_due(DigestWish(region="east"), time_zone=ZONE, now=now).region == "east"


@pytest.mark.parametrize(("weekday", "hour"), [(7, 8), (-1, 8), (0, 24), (0, -1)])
def test_there_is_no_eighth_day_and_no_25th_hour(weekday: int, hour: int) -> None:
    with pytest.raises(InvalidInputError):
        DigestWish(weekday=weekday, hour=hour)
