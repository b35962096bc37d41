"""Which tickets the progress tracking sheet shows (S-60)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.exceptions import InvalidInputError
from domain.tracking import opened_within

NOW = datetime(2026, 11, 24, 17, tzinfo=UTC)  # already the 25th in Shanghai
ZONE = "Asia/Shanghai"


def _utc(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "last", "since", "until"),
    [
        (date(2026, 11, 1), date(2026, 11, 2), _utc(2026, 10, 31, 16), _utc(2026, 11, 2, 16)),
        (date(2026, 11, 25), None, _utc(2026, 11, 24, 16), _utc(2026, 11, 25, 16)),
        (None, date(2026, 11, 1), _utc(1970, 1, 1), _utc(2026, 11, 1, 16)),
        (date.min, date.max, _utc(1970, 1, 1), _utc(2026, 11, 25, 16)),
        (None, date.min, _utc(1970, 1, 1), _utc(1970, 1, 1)),
    ],
)
def test_both_days_are_whole(first: date | None, last: date | None, since: datetime, until: datetime) -> None:
    found = opened_within(first, last, time_zone=ZONE, now=NOW)

    assert found == (since, until)


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [(date(2026, 11, 26), None, "first"), (date(2026, 11, 2), date(2026, 11, 1), "last")],
)
def test_days_that_cannot_be_are_refused(first: date, last: date | None, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        opened_within(first, last, time_zone=ZONE, now=NOW)

    assert caught.value.field == field
