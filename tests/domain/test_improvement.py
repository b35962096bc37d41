"""When an action is spoken of (S-54), and what may be said of a difference (S-55)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from scipy.stats import ttest_ind

from domain.comparison import Verdict, compare_low_shares, compare_means
from domain.improvement import next_notice_at
from domain.standard import Standard

ZONE = "Asia/Shanghai"
DUE = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 17, 1, tzinfo=UTC)),
        (datetime(2026, 11, 17, 1, tzinfo=UTC), datetime(2026, 11, 21, 1, tzinfo=UTC)),
        (datetime(2026, 11, 21, 1, tzinfo=UTC), datetime(2026, 11, 28, 1, tzinfo=UTC)),
        # After an outage one notice says how things stand; what was missed is not made up for.
        (datetime(2026, 12, 30, tzinfo=UTC), datetime(2027, 1, 2, 1, tzinfo=UTC)),
    ],
)
def test_an_open_action_is_spoken_of_ahead_on_the_day_after_and_every_week(
    after: datetime, expected: datetime, standard: Standard
) -> None:
    moment = next_notice_at(DUE, standard.improvement, time_zone=ZONE, after=after)

    assert moment == expected
    assert moment - after > timedelta(0)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ({2: 40, 5: 60}, {2: 15, 5: 85}, Verdict.BETTER),
        ({2: 15, 5: 85}, {2: 40, 5: 60}, Verdict.WORSE),
        ({2: 6, 5: 14}, {2: 4, 5: 16}, Verdict.CHANCE),
        ({2: 8, 5: 2}, {5: 10}, Verdict.BETTER),
        ({2: 9}, {5: 100}, Verdict.TOO_FEW),
        ({}, {5: 100}, Verdict.TOO_FEW),
    ],
)
def test_a_difference_of_low_shares_is_called_one_only_beyond_chance(
    before: dict[int, int], after: dict[int, int], verdict: Verdict
) -> None:
    compared = compare_low_shares(before, after, low_score=3, least=10)

    assert compared.verdict is verdict
    if compared.low is not None and compared.high is not None:
        assert compared.low <= (compared.after or 0) - (compared.before or 0) <= compared.high


def test_means_are_compared_by_welchs_test() -> None:
    before, after = {1: 10, 3: 10}, {4: 10, 5: 10}

    compared = compare_means(before, after, least=10)

    assert (compared.before, compared.after, compared.verdict) == (2.0, 4.5, Verdict.BETTER)
    scores = ([score for score, number in group.items() for _ in range(number)] for group in (after, before))
    interval = ttest_ind(*scores, equal_var=False).confidence_interval()
    assert (compared.low, compared.high) == pytest.approx((interval.low, interval.high))
    assert compare_means({4: 12}, {4: 30}, least=10).verdict is Verdict.TOO_FEW  # nothing varies: nothing to judge by
    assert compare_means({}, after, least=10).verdict is Verdict.TOO_FEW
