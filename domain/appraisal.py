"""The appraisal of people and teams: figures with volume and how sure they are, nobody ranked on a few (S-57)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import sqrt
from typing import Any

from domain.quality_policies import AppraisalPolicy


class Measure(StrEnum):
    """What is measured. All but hours: more is better."""

    RESPONSE = "response"  # share of response promises kept
    RESOLUTION = "resolution"  # share of resolution promises kept
    HOURS = "hours"  # from the round's beginning to completion, without pauses: the median
    FIRST_TIME = "first_time"  # share of completions after which the customer did not come back
    SATISFACTION = "satisfaction"  # mean of the overall scores, 1 to 5
    QUALITY = "quality"  # mean of the inspectors' percents, as a share


_SHARES = frozenset({Measure.RESPONSE, Measure.RESOLUTION, Measure.FIRST_TIME})


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its volume and its interval of confidence; None where one value tells nothing of others."""

    count: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is praised or coached: a figure that is surely on one side of the house's."""

    measure: Measure
    figure: Figure
    house: float


@dataclass(frozen=True, slots=True)
class Appraised:
    """A person or a team (``staff_id`` None). ``index``: 0 to 1, all measures together, each drawn towards the house's
    the more, the fewer cases there are. ``rank`` None: too few completed tickets to be ranked.
    """

    staff_id: int | None
    team_id: int | None
    name: str
    team: str
    tickets: int
    figures: Mapping[Measure, Figure]
    index: float | None = None
    rank: int | None = None
    praise: Sequence[Reason] = field(default_factory=tuple)
    coaching: Sequence[Reason] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Appraisal:
    """People and teams, the ranked first and by rank; the house's own figures."""

    people: Sequence[Appraised]
    teams: Sequence[Appraised]
    house: Mapping[Measure, Figure]

    def of_team(self, team_id: int) -> Appraisal:
        """What the supervisor of a team reads; ranks stay those among all."""
        people, teams = ([one for one in group if one.team_id == team_id] for group in (self.people, self.teams))
        return Appraisal(people, teams, self.house)

    @property
    def praised(self) -> list[Appraised]:
        """People with a reason for praise and none for coaching, the best first."""
        return [one for one in self.people if one.praise and not one.coaching]

    @property
    def coached(self) -> list[Appraised]:
        """People with a reason for coaching, those who need it most first."""
        return [one for one in reversed(self.people) if one.coaching]


def appraise(rows: Iterable[Mapping[str, Any]], policy: AppraisalPolicy) -> Appraisal:
    """The appraisal from what ``db.appraisal.measured`` found."""
    figures: dict[tuple[int | None, int | None], dict[Measure, Figure]] = {}
    names: dict[tuple[int | None, int | None], tuple[str, str]] = {}
    for row in rows:
        key = (row["staff_id"], row["team_id"])
        measure = Measure(row["measure"])
        figures.setdefault(key, {})[measure] = _figure(measure, row, policy.confidence)
        names[key] = (row["name"] or row["team"] or "", row["team"] or "")
    house = figures.pop((None, None), {})
    found = [_appraised(key, names[key], of_one, house, policy) for key, of_one in figures.items()]
    return Appraisal(
        _ranked([one for one in found if one.staff_id is not None], policy),
        _ranked([one for one in found if one.staff_id is None], policy),
        house,
    )


def lists_of(appraisal: Appraisal, *, most: int = 5) -> dict[str, list[dict[str, Any]]]:
    """The digest's lists ``best`` and ``coaching`` as JSON values, each entry with its reasons."""

    def told(people: Sequence[Appraised], kind: str) -> list[dict[str, Any]]:
        return [
            {
                "name": one.name,
                "team": one.team,
                "tickets": one.tickets,
                "reasons": [
                    {"measure": r.measure.value, "value": r.figure.value, "house": r.house, "count": r.figure.count}
                    for r in getattr(one, kind)
                ],
            }
            for one in people[:most]
        ]

    return {"best": told(appraisal.praised, "praise"), "coaching": told(appraisal.coached, "coaching")}


def _figure(measure: Measure, row: Mapping[str, Any], confidence: float) -> Figure:
    # A second's worth of imports, for the few who look at it.
    from scipy import stats
    from statsmodels.stats.proportion import proportion_confint

    count, mean = int(row["count"]), float(row["mean"])
    if measure is Measure.HOURS:
        return _median(row["hours"], confidence)
    if measure in _SHARES:
        low, high = proportion_confint(round(mean * count), count, alpha=1 - confidence, method="wilson")
        return _rounded(count, mean, float(low), float(high))
    if row["deviation"] is None:
        return _rounded(count, mean, None, None)
    reach = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * float(row["deviation"]) / sqrt(count)
    least, most = (1.0, 5.0) if measure is Measure.SATISFACTION else (0.0, 1.0)
    return _rounded(count, mean, max(least, mean - reach), min(most, mean + reach))


def _median(values: Sequence[float], confidence: float) -> Figure:
    """The interval reaches from one of the values to another: by their order alone, whatever their distribution."""
    from scipy import stats

    count = len(values)
    median = (values[(count - 1) // 2] + values[count // 2]) / 2
    below = int(stats.binom.ppf((1 - confidence) / 2, count, 0.5))
    if below < 1:
        return _rounded(count, median, None, None)
    return _rounded(count, median, values[below - 1], values[count - below])


def _rounded(count: int, value: float, low: float | None, high: float | None) -> Figure:
    low, high = (None if border is None else round(border, 4) for border in (low, high))
    return Figure(count, round(value, 4), low, high)


def _appraised(
    key: tuple[int | None, int | None],
    names: tuple[str, str],
    figures: Mapping[Measure, Figure],
    house: Mapping[Measure, Figure],
    policy: AppraisalPolicy,
) -> Appraised:
    praise: list[Reason] = []
    coaching: list[Reason] = []
    for measure, figure in figures.items():
        if figure.count < policy.least_tickets or figure.low is None or figure.high is None:
            continue
        middle = house[measure].value
        is_above, is_below = figure.low > middle, figure.high < middle
        if measure is Measure.HOURS:
            is_above, is_below = is_below, is_above
        if is_above or is_below:
            (praise if is_above else coaching).append(Reason(measure, figure, middle))
    tickets = figures[Measure.FIRST_TIME].count if Measure.FIRST_TIME in figures else 0
    return Appraised(
        *key, *names, tickets, figures, _index(figures, house, policy), praise=tuple(praise), coaching=tuple(coaching)
    )


def _index(figures: Mapping[Measure, Figure], house: Mapping[Measure, Figure], policy: AppraisalPolicy) -> float | None:
    """The weighted mean of the measures that the house has; what somebody has no cases of counts as the house's."""
    total = weight = 0.0
    for name, share in policy.weights.items():
        if (measure := Measure(name)) not in house:
            continue
        figure = figures.get(measure, Figure(0, 0.0, None, None))
        drawn = figure.count * figure.value + policy.drawn_by * house[measure].value
        value = drawn / (figure.count + policy.drawn_by)
        total += share * ((value - 1) / 4 if measure is Measure.SATISFACTION else value)
        weight += share
    return round(total / weight, 4) if weight else None


def _ranked(found: Sequence[Appraised], policy: AppraisalPolicy) -> list[Appraised]:
    """Ranked by index, equals alike; then those who have too few tickets, by name."""
    enough = [one for one in found if one.tickets >= policy.least_tickets and one.index is not None]
    enough.sort(key=lambda one: (-(one.index or 0), one.name))
    better = [one.index for one in enough]
    few = sorted((one for one in found if one not in enough), key=lambda one: one.name)
    return [*(replace(one, rank=better.index(one.index) + 1) for one in enough), *few]
