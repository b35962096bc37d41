"""The headline: what changed most, whether that is good, and what moved with it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.headline import headline
from templates.sample_digest import sample_digest

FIGURES = ("response_share", "resolution_share", "callbacks_in_time_share", "overall_mean", "low_share")
FIRST = dict.fromkeys(FIGURES, (0.8, None))
NOTHING = {"response": [], "resolution": []}


def _figures(opened: tuple[int, int] = (20, 20), **changed: tuple[float | None, float | None]) -> dict[str, Any]:
    """A span as steady as the one before, but for what is said: now and before."""
    names = ("response_share", "resolution_share", "callbacks_in_time_share")
    pairs: dict[str, Any] = dict.fromkeys(names, (0.9, 0.9)) | {"overall_mean": (4.2, 4.2), "low_share": (0.1, 0.1)}
    pairs |= {"opened": opened} | changed
    means = {"efficiency": (3.9, 4.4), "attitude": (4.6, 4.3), "solution": (4.2, 4.2), "overall": pairs["overall_mean"]}
    return {
        "volume": {
            "opened": {"now": opened[0], "before": opened[1]},
            "by_category": {"complaint": {"now": 9, "before": 3}, "guarantee": {"now": 2, "before": 4}},
        },
        "satisfaction": {"means": {name: {"now": now, "before": was} for name, (now, was) in means.items()}},
        "trend": [{name: pair[1] for name, pair in pairs.items()}, {name: pair[0] for name, pair in pairs.items()}],
    }


@pytest.mark.parametrize(
    ("figures", "kind", "figure", "because"),
    [
        (_figures(), "steady", None, None),
        (_figures(response_share=(0.86, 0.9)), "steady", None, None),
        (_figures(response_share=(0.85, 0.9)), "worse", "response_share", None),
        (_figures(response_share=(1.0, None)), "steady", None, None),  # nothing to compare with
        (_figures(resolution_share=(0.7, 0.9), response_share=(0.8, 0.9)), "worse", "resolution_share", "took_longer"),
        (_figures(resolution_share=(1.0, 0.9)), "better", "resolution_share", "nobody_assigned"),
        (_figures(overall_mean=(3.9, 4.2)), "worse", "overall_mean", "efficiency"),
        (_figures(low_share=(0.3, 0.1)), "worse", "low_share", "efficiency"),
        (_figures(low_share=(0.0, 0.1)), "better", "low_share", "attitude"),
        (_figures(callbacks_in_time_share=(0.5, 0.9)), "worse", "callbacks_in_time_share", None),
        (_figures((30, 20)), "busier", "opened", "complaint"),
        (_figures((10, 20)), "calmer", "opened", "guarantee"),
        (_figures((4, 1)), "steady", None, None),  # four times as many, of very few
        (_figures((4, 0)), "steady", None, None),
        (_figures((4, 0), **FIRST), "first", None, None),
    ],
)
def test_what_changed_most_makes_the_headline(
    figures: dict[str, Any], kind: str, figure: str | None, because: str | None
) -> None:
    causes = [{"cause": "took_longer", "now": 5, "before": 1}, {"cause": "nobody_assigned", "now": 0, "before": 2}]

    said = headline(figures, NOTHING | {"resolution": causes})

    assert said["kind"] == kind
    assert said["values"].get("figure") == figure
    assert (said["values"].get("because") or {}).get("value") == because


def test_a_span_without_anything_says_so() -> None:
    empty = _figures((0, 12))
    empty["trend"][-1] = dict.fromkeys(empty["trend"][-1]) | {"opened": 0}

    assert headline(empty, NOTHING) == {"kind": "nothing", "values": {}}


def test_the_samples_headline_is_that_of_its_figures() -> None:
    sample = sample_digest("en")

    assert headline(sample, NOTHING | {"resolution": sample["breach_causes"]}) == sample["headline"]
