"""The bucket lets a minute's requests pass, and then one at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.rate_limit import Bucket, take


def _take(bucket: Bucket | None, now: datetime) -> tuple[Bucket, timedelta | None]:
    return take(bucket, per_minute=6, now=now)


def test_a_minutes_requests_may_come_at_once(now: datetime) -> None:
    bucket, waits = None, []
    for _ in range(7):
        bucket, wait = _take(bucket, now)
        waits.append(wait)

    assert waits == [None] * 6 + [timedelta(seconds=10)]


def test_after_the_wait_one_more_may_pass(now: datetime) -> None:
    empty = Bucket(0, now)

    bucket, wait = _take(empty, now + timedelta(seconds=10))
    _, next_wait = _take(bucket, now + timedelta(seconds=10))

    assert (wait, next_wait) == (None, timedelta(seconds=10))


def test_a_refused_request_costs_nothing(now: datetime) -> None:
    bucket = Bucket(0, now)
    for second in range(1, 10):
        bucket, wait = _take(bucket, now + timedelta(seconds=second))
        assert wait is not None

    assert _take(bucket, now + timedelta(seconds=10.001))[1] is None


def test_it_holds_no_more_than_a_minutes_requests(now: datetime) -> None:
    bucket, _ = _take(Bucket(6, now), now + timedelta(days=1))

    assert bucket.tokens == 5


def test_a_clock_that_goes_backwards_fills_nothing(now: datetime) -> None:
    _, wait = _take(Bucket(0, now), now - timedelta(hours=1))

    assert wait == timedelta(seconds=10)
