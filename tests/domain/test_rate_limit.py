"""The bucket lets a minute's requests pass, and then one at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_network

import pytest

from domain.rate_limit import Bucket, Buckets, client_address, take


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


def test_everybody_has_a_bucket_of_their_own(now: datetime) -> None:
    buckets = Buckets(per_minute=1)

    assert buckets.take("a", now=now) is None
    assert buckets.take("b", now=now) is None
    assert buckets.take("a", now=now) == timedelta(minutes=1)
    assert buckets.wait("a", now=now) == timedelta(minutes=1)
    assert buckets.wait("c", now=now) is None


def test_who_was_away_is_forgotten_and_a_flood_fills_no_memory(now: datetime) -> None:
    buckets = Buckets(per_minute=5, most=100)

    for number in range(10_000):
        buckets.take(f"a{number}", now=now)
    assert len(buckets) == 100

    buckets.take("later", now=now + timedelta(minutes=2))
    assert len(buckets) == 1


PROXY = (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "1.2.3.4", "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "1.2.3.4, 10.2.2.2", "1.2.3.4"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "unknown"),
        ("testclient", "", "unknown"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(peer: str, forwarded: str, who: str) -> None:
    assert client_address(peer, forwarded, proxies=PROXY) == who
