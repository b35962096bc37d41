"""This file lays the results of two replays beside each other: the present standard, and the one somebody asks about.

A pair is what the templates' ``change`` takes: ``before`` is the present standard, ``now`` the other one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from replay.report import ReplayReport

T = TypeVar("T")
Pair = dict[str, T | None]


def compare(present: ReplayReport, other: ReplayReport) -> dict[str, Any]:
    """Promises, waiting, messages and load, each figure as a pair."""
    both = (present, other)
    return {
        "names": _pair(report.standard for report in both),
        "tickets": _pair(report.tickets for report in both),
        "rejected": _pair(report.rejected for report in both),
        "promises": [
            _promise(both, kind, priority) for kind in present.promises for priority in _priorities(both, kind)
        ],
        "waiting": {
            kind: {
                share: _pair(report.waiting.get(kind, {}).get(share) for report in both) for share in ("half", "most")
            }
            for kind in present.promises
        },
        "messages": {
            "to_customers": _pair(report.messages_to["customers"] for report in both),
            "to_staff": _pair(report.messages_to["staff"] for report in both),
            **{kind: _pair(report.messages_by_kind.get(kind, 0) for report in both) for kind in _kinds(both)},
        },
        "people": _pair(len(report.load) for report in both),
        "busiest": {
            figure: _pair(max((person[figure] for person in report.load), default=None) for report in both)
            for figure in ("tickets", "hours_in_hand")
        },
        "load": _load(both),
    }


def _pair(values: Iterable[T | None]) -> Pair[T]:
    before, now = values
    return {"before": before, "now": now}


def _priorities(both: tuple[ReplayReport, ReplayReport], kind: str) -> list[str | None]:
    """All together, which is None, and each."""
    return [None, *sorted({priority for report in both for priority in report.promises[kind]})]


def _promise(both: tuple[ReplayReport, ReplayReport], kind: str, priority: str | None) -> dict[str, Any]:
    found = []
    for report in both:
        of_kind = report.promises[kind]
        counted = list(of_kind.values()) if priority is None else [of_kind.get(priority, {"made": 0, "broken": 0})]
        found.append({name: sum(count[name] for count in counted) for name in ("made", "broken")})
    return {
        "clock": kind,
        "priority": priority,
        "made": _pair(count["made"] for count in found),
        "broken": _pair(count["broken"] for count in found),
        "kept": _pair(1 - count["broken"] / count["made"] if count["made"] else None for count in found),
    }


def _kinds(both: tuple[ReplayReport, ReplayReport]) -> list[str]:
    """The kinds of messages in either, the most frequent first."""
    present, other = (report.messages_by_kind for report in both)
    return sorted({*present, *other}, key=lambda kind: -max(present.get(kind, 0), other.get(kind, 0)))


def _load(both: tuple[ReplayReport, ReplayReport]) -> list[dict[str, Any]]:
    """Everybody who worked in either, who did most first."""
    present, other = ({person["name"]: person for person in report.load} for report in both)
    people = [
        {"name": name}
        | {figure: _pair(load.get(name, {}).get(figure) for load in (present, other)) for figure in _OF_PERSON}
        for name in {**present, **other}
    ]
    return sorted(people, key=lambda person: -max(filter(None, person["tickets"].values()), default=0))


_OF_PERSON = ("tickets", "hours_in_hand")
