"""Whether a difference between two groups of answers is more than chance, said honestly (S-55)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from scipy.stats import fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

# Of two groups that do not differ, one comparison in twenty says that they do.
_ALPHA = 0.05
# Below this expected number in a cell the approximation is poor and the exact test is asked instead.
_LEAST_EXPECTED = 5

Counts = Mapping[int, int]


class Verdict(StrEnum):
    """What may be said of a difference."""

    TOO_FEW = "too_few"
    BETTER = "better"
    WORSE = "worse"
    CHANCE = "chance"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure before and after; ``low`` and ``high``: where the true difference lies in 19 of 20 such comparisons."""

    before: float | None
    after: float | None
    verdict: Verdict
    low: float | None = None
    high: float | None = None


def compare_low_shares(before: Counts, after: Counts, *, low_score: int, least: int) -> Comparison:
    """The shares of low scores; ``before`` and ``after`` say how often each score was given. Fewer is better."""
    (low_before, all_before), (low_after, all_after) = (_low(group, low_score) for group in (before, after))
    share_before = low_before / all_before if all_before else None
    share_after = low_after / all_after if all_after else None
    if min(all_before, all_after) < least:
        return Comparison(share_before, share_after, Verdict.TOO_FEW)
    p = _p_of_shares(low_after, all_after, low_before, all_before)
    low, high = confint_proportions_2indep(low_after, all_after, low_before, all_before, method="newcomb", alpha=_ALPHA)
    verdict = _verdict(p, is_better=low_after * all_before < low_before * all_after)
    return Comparison(share_before, share_after, verdict, float(low), float(high))


def _low(group: Counts, low_score: int) -> tuple[int, int]:
    """How many low scores, of how many."""
    return sum(number for score, number in group.items() if score <= low_score), sum(group.values())


def compare_means(before: Counts, after: Counts, *, least: int) -> Comparison:
    """The mean scores, by Welch's t-test, which does not assume that both spread alike. More is better."""
    was, is_now = (
        DescrStatsW(list(group), weights=list(group.values())) if group else None for group in (before, after)
    )
    mean_before, mean_after = (float(group.mean) if group else None for group in (was, is_now))
    if was is None or is_now is None or min(was.nobs, is_now.nobs) < least or was.var + is_now.var == 0:
        return Comparison(mean_before, mean_after, Verdict.TOO_FEW)
    compared = CompareMeans(is_now, was)
    _, p, _ = compared.ttest_ind(usevar="unequal")
    low, high = compared.tconfint_diff(alpha=_ALPHA, usevar="unequal")
    return Comparison(mean_before, mean_after, _verdict(p, is_better=is_now.mean > was.mean), float(low), float(high))


def _p_of_shares(low_after: int, all_after: int, low_before: int, all_before: int) -> float:
    """By the score test, or Fisher's exact test where numbers are small."""
    low, total = low_after + low_before, all_after + all_before
    expected = min(low, total - low) * min(all_after, all_before) / total
    if expected < _LEAST_EXPECTED:
        table = [[low_after, all_after - low_after], [low_before, all_before - low_before]]
        return float(fisher_exact(table).pvalue)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(test_proportions_2indep(low_after, all_after, low_before, all_before, method="score").pvalue)


def _verdict(p: float, *, is_better: bool) -> Verdict:
    if p >= _ALPHA:
        return Verdict.CHANCE
    return Verdict.BETTER if is_better else Verdict.WORSE
