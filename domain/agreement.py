"""How far two inspectors agree who scored the same tickets without seeing each other's marks (S-56)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.quality import Grade, Result


@dataclass(frozen=True, slots=True)
class Agreement:
    """``kappa``: Cohen's, linearly weighted by the distance of the grades, with its 95 % interval; 1 is agreement, 0
    what chance alone gives. ``difference``: the mean distance in points of a hundred. None with too few pairs, and
    kappa also while all tickets have the same grade: then chance would agree as well.
    """

    pairs: int
    kappa: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None


def agreement(pairs: Sequence[tuple[Result, Result]], *, least: int) -> Agreement:
    """The agreement of both scores of each ticket; nothing is stated with fewer than ``least`` tickets."""
    if len(pairs) < least:
        return Agreement(len(pairs))
    difference = round(sum(abs(one.percent - other.percent) for one, other in pairs) / len(pairs), 1)
    places = {grade: place for place, grade in enumerate(Grade)}
    table = [[0] * len(places) for _ in places]
    for one, other in pairs:
        table[places[one.grade]][places[other.grade]] += 1
    if len({result.grade for pair in pairs for result in pair}) == 1:
        return Agreement(len(pairs), difference=difference)
    # A second's worth of imports, for the few who look at it.
    from statsmodels.stats.inter_rater import cohens_kappa

    found = cohens_kappa(table, wt="linear")
    kappa, low, high = (round(float(value), 2) for value in (found.kappa, found.kappa_low, found.kappa_upp))
    return Agreement(len(pairs), kappa, max(low, -1.0), min(high, 1.0), difference)
