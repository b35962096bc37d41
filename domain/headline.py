"""The one thing that changed most in a span, and what it is put down to: the digest's first sentence (S-61)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

_FEW = 5
# How much change of a figure is worth a sentence; the greatest multiple of it makes the headline. Shares: 5 points.
_NOTABLE: Mapping[str, float] = {
    "resolution_share": 0.05,
    "response_share": 0.05,
    "low_share": 0.05,
    "callbacks_in_time_share": 0.05,
    "overall_mean": 0.2,
}
_NOTABLE_GROWTH = 0.2
_LESS_IS_BETTER = "low_share"


class HeadlineKind(StrEnum):
    """What sort of news it is."""

    WORSE = "worse"
    BETTER = "better"
    BUSIER = "busier"
    CALMER = "calmer"
    STEADY = "steady"
    FIRST = "first"  # nothing before it to compare with
    NOTHING = "nothing"


def headline(figures: Mapping[str, Any], causes: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """``kind``, and ``values``: the ``figure`` that changed most with ``now`` and ``before``, and ``because``.

    ``causes``: the causes of breaches by clock. ``because``: what moved with it, as ``of`` (breach_cause, dimension or
    category), its ``value``, ``now`` and ``before``; None where the figures say nothing of it. A steady span, one
    without anything and one with nothing before it have no values.
    """
    opened = figures["volume"]["opened"]
    now, before = figures["trend"][-1], figures["trend"][-2]
    pairs = {name: (now[name], before[name]) for name in _NOTABLE}
    if not opened["now"] and all(value is None for value, _ in pairs.values()):
        return {"kind": HeadlineKind.NOTHING.value, "values": {}}
    changes = {name: (value - was) / _NOTABLE[name] for name, (value, was) in pairs.items() if None not in (value, was)}
    if max(opened.values()) >= _FEW and opened["before"]:
        changes["opened"] = (opened["now"] - opened["before"]) / opened["before"] / _NOTABLE_GROWTH
    if not opened["before"] and all(was is None for _, was in pairs.values()):
        return {"kind": HeadlineKind.FIRST.value, "values": {}}
    figure = max(changes, key=lambda name: abs(changes[name]), default=None)
    # A hair below 1 counts: a share that went from 0.95 to 0.9 has changed by five points, whatever floats say.
    if figure is None or abs(changes[figure]) < 1 - 1e-9:
        return {"kind": HeadlineKind.STEADY.value, "values": {}}
    has_grown = changes[figure] > 0
    values = {
        "figure": figure,
        "now": now[figure],
        "before": before[figure],
        "because": _because(figures, causes, figure, has_grown),
    }
    return {"kind": _kind(figure, has_grown).value, "values": values}


def _kind(figure: str, has_grown: bool) -> HeadlineKind:
    if figure == "opened":
        return HeadlineKind.BUSIER if has_grown else HeadlineKind.CALMER
    return HeadlineKind.BETTER if has_grown != (figure == _LESS_IS_BETTER) else HeadlineKind.WORSE


def _because(
    figures: Mapping[str, Any], causes: Mapping[str, Sequence[Mapping[str, Any]]], figure: str, has_grown: bool
) -> dict[str, Any] | None:
    """What changed most in the direction that explains the figure."""
    match figure:
        case "opened":
            parts = [(word, pair["now"], pair["before"]) for word, pair in figures["volume"]["by_category"].items()]
            return _strongest("category", parts, upwards=has_grown)
        case "response_share" | "resolution_share":
            of_clock = causes[figure.removesuffix("_share")]
            found = [(entry["cause"], entry["now"], entry["before"]) for entry in of_clock]
            return _strongest("breach_cause", found, upwards=not has_grown)
        case "overall_mean" | "low_share":
            means = figures["satisfaction"]["means"]
            asked = [(word, pair["now"], pair["before"]) for word, pair in means.items() if word != "overall"]
            return _strongest("dimension", asked, upwards=has_grown != (figure == "low_share"))
        case _:
            return None


def _strongest(of: str, parts: Iterable[tuple[str, Any, Any]], *, upwards: bool) -> dict[str, Any] | None:
    moved = [part for part in parts if None not in part and (part[1] > part[2] if upwards else part[1] < part[2])]
    if not moved:
        return None
    value, now, before = max(moved, key=lambda part: abs(part[1] - part[2]))
    return {"of": of, "value": value, "now": now, "before": before}
