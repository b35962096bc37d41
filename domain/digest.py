"""The digest's figures as one dictionary: counts of the database in, pairs, shares, causes and headline out (S-61).

A figure that cannot be computed (a share of nothing) is None, never zero. What each one means: domain/metrics.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from domain.breaches import BrokenPromise, cause_of
from domain.headline import headline
from domain.lifecycle import CommandName
from domain.satisfaction import DIMENSIONS, STAGES
from domain.sla import ClockKind
from domain.spans import PERIODS, Span
from domain.standard import Standard
from domain.tickets import Category, Channel, Priority
from domain.words import Frequency

Rows = Sequence[Mapping[str, Any]]
Pair = dict[str, Any]

_NOW, _BEFORE = PERIODS - 1, PERIODS - 2
_JUDGED = (ClockKind.RESPONSE, ClockKind.RESOLUTION)
_CLOSING = (CommandName.CONFIRM_COMPLETION, CommandName.CLOSE)
_KNOWN = {
    "channel": [channel.value for channel in Channel],
    "category": [category.value for category in Category],
    "priority": [priority.value for priority in Priority],
}
_SIGNS = tuple(field.name for field in fields(BrokenPromise))


@dataclass(frozen=True, slots=True)
class Counts:
    """What the database counted in a span; ``period`` 0 is the oldest, a part is a priority, a region, and so on.

    opened: period, part, word, tickets. finished: period, kind (a command's name), times. open_at: open tickets at the
    end of the reported period and of the one before. promises: period, kind, part, word, met, missed. signs: period,
    the fields of a BrokenPromise, promises. breaches and low_scores: one row per case. asked: period, surveys.
    answers: period, answers, and mean, low and given of each dimension and stage. callbacks: period, due, in_time.
    words: those of the most answers. actions: those open at the end. answered and informed: tickets, in_time.
    people: the lists ``best`` and ``coaching``.
    """

    opened: Rows
    finished: Rows
    open_at: tuple[int, int]
    promises: Rows
    signs: Rows
    breaches: Rows
    asked: Rows
    answers: Rows
    low_scores: Rows
    callbacks: Rows
    words: Sequence[Frequency]
    actions: Rows
    answered: Mapping[str, Any]
    informed: Mapping[str, Any]
    people: Mapping[str, Rows]


def compute(counts: Counts, span: Span, standard: Standard) -> dict[str, Any]:
    """All figures of the digest as JSON values, for templates and artifacts."""
    marks = standard.benchmarks
    figures = {
        "week": span.label,
        "span": {"kind": span.kind.value, "region": span.region},
        "since": span.since.isoformat(),
        "until": span.until.isoformat(),
        "volume": _volume(counts),
        "sla": _kept(counts.promises, "all", [""])[""]
        | {"by_priority": _kept(counts.promises, "priority", _KNOWN["priority"])}
        | {
            f"by_{part}": _kept(counts.promises, part, _words(counts.promises, part))
            for part in ("category", "region", "team")
        },
        "breach_causes": _causes(counts.signs, _JUDGED),
        "breaches": [_breach(row) for row in counts.breaches],
        "satisfaction": _satisfaction(counts),
        "low_scores": [dict(row) for row in counts.low_scores],
        "callbacks": {
            "due": _pair_of(counts.callbacks, "due"),
            "in_time_share": _pair(*(_called(counts, period) for period in (_NOW, _BEFORE))),
        },
        "benchmarks": {
            "answered": {"share": _in_time(counts.answered), "target": marks.answered_share},
            "informed": {"share": _in_time(counts.informed), "target": marks.informed_share},
        },
        "trend": [{"label": label} | _figures_of(counts, period) for period, label in enumerate(span.labels)],
        "targets": standard.targets.model_dump(),
        "words": [asdict(word) for word in counts.words],
        "actions": [dict(row) for row in counts.actions],
        **{name: list(people) for name, people in counts.people.items()},
    }
    by_clock = {clock.value: _causes(counts.signs, [clock]) for clock in _JUDGED}
    return figures | {"headline": headline(figures, by_clock)}


def _pair(now: Any, before: Any) -> Pair:
    return {"now": now, "before": before}


def _share(part: int, rest: int) -> float | None:
    return round(part / (part + rest), 4) if part + rest else None


def _sum(rows: Iterable[Mapping[str, Any]], count: str, period: int) -> int:
    return sum(row[count] for row in rows if row["period"] == period)


def _pair_of(rows: Iterable[Mapping[str, Any]], count: str) -> Pair:
    rows = list(rows)
    return _pair(_sum(rows, count, _NOW), _sum(rows, count, _BEFORE))


def _of_part(rows: Rows, part: str, word: str = "") -> Rows:
    return [row for row in rows if row["part"] == part and row["word"] == word]


def _words(rows: Rows, part: str) -> list[str]:
    """The words that a part has in the reported period or the one before: known ones in their order, then the others
    sorted, then the empty one."""
    known = _KNOWN.get(part, [])
    found = {row["word"] for row in rows if row["part"] == part and row["period"] in (_NOW, _BEFORE)}
    others = sorted(found.difference(known), key=lambda word: (not word, word))
    return [*(word for word in known if word in found), *others]


def _volume(counts: Counts) -> dict[str, Any]:
    def finished(*kinds: CommandName) -> Pair:
        return _pair_of((row for row in counts.finished if row["kind"] in kinds), "times")

    return {
        "opened": _pair_of(_of_part(counts.opened, "all"), "tickets"),
        "completed": finished(CommandName.COMPLETE),
        "closed": finished(*_CLOSING),
        "cancelled": finished(CommandName.CANCEL),
        "open_at_end": _pair(*counts.open_at),
        **{
            f"by_{part}": {
                word: _pair_of(_of_part(counts.opened, part, word), "tickets") for word in _words(counts.opened, part)
            }
            for part in ("channel", "category", "priority", "region")
        },
    }


def _kept(promises: Rows, part: str, words: Iterable[str]) -> dict[str, Any]:
    """By the words of a part, and by clock: promises met, missed, and the share that was met."""
    return {
        word: {clock.value: _promise(_of_clock(promises, clock, part, word)) for clock in _JUDGED} for word in words
    }


def _of_clock(promises: Rows, clock: ClockKind, part: str = "all", word: str = "") -> Rows:
    return [row for row in _of_part(promises, part, word) if row["kind"] == clock]


def _promise(promises: Rows) -> dict[str, Pair]:
    met, missed = _pair_of(promises, "met"), _pair_of(promises, "missed")
    return {"met": met, "missed": missed, "share": {half: _share(met[half], missed[half]) for half in met}}


def _breach(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("ticket_number", "priority", "clock", "assignee_name", "team_name")
    shown = {name: row[name] for name in names}
    return shown | {"due_at": row["due_at"].isoformat(), "cause": cause_of(_broken(row)).value}


def _broken(row: Mapping[str, Any]) -> BrokenPromise:
    return BrokenPromise(**{name: row[name] for name in _SIGNS} | {"clock": ClockKind(row["clock"])})


def _causes(signs: Rows, clocks: Collection[ClockKind]) -> list[dict[str, Any]]:
    """How many promises of these clocks broke by which cause, the most frequent first."""
    counted: dict[int, Counter[str]] = {_NOW: Counter(), _BEFORE: Counter()}
    for row in signs:
        if row["clock"] in clocks:
            counted[row["period"]][cause_of(_broken(row)).value] += row["promises"]
    now, before = counted[_NOW], counted[_BEFORE]
    causes = sorted(now | before, key=lambda cause: (-now[cause], -before[cause], cause))
    return [{"cause": cause, **_pair(now[cause], before[cause])} for cause in causes]


def _satisfaction(counts: Counts) -> dict[str, Any]:
    return {
        "asked": _pair_of(counts.asked, "surveys"),
        "answered": _pair_of(counts.answers, "answers"),
        "means": {dimension: _scored(counts.answers, dimension)["mean"] for dimension in DIMENSIONS},
        "low_share": _scored(counts.answers, "overall")["low_share"],
        "stages": {stage: _scored(counts.answers, stage) for stage in STAGES},
    }


def _scored(answers: Rows, name: str) -> dict[str, Pair]:
    """Mean, share of low scores and number of the scores that were given for a dimension or stage."""
    halves = [_score(answers, name, period) for period in (_NOW, _BEFORE)]
    return {figure: _pair(*(half[figure] for half in halves)) for figure in ("mean", "low_share", "given")}


def _score(answers: Rows, name: str, period: int) -> dict[str, Any]:
    row = next((row for row in answers if row["period"] == period), None)
    if row is None or not row[f"{name}_given"]:
        return {"mean": None, "low_share": None, "given": 0}
    given, low = row[f"{name}_given"], row[f"{name}_low"]
    return {"mean": round(row[f"{name}_mean"], 2), "low_share": _share(low, given - low), "given": given}


def _called(counts: Counts, period: int) -> float | None:
    in_time, due = (_sum(counts.callbacks, name, period) for name in ("in_time", "due"))
    return _share(in_time, due - in_time)


def _in_time(counted: Mapping[str, Any]) -> float | None:
    return _share(counted["in_time"], counted["tickets"] - counted["in_time"])


def _figures_of(counts: Counts, period: int) -> dict[str, Any]:
    """The figures that are followed over all periods."""
    kept = {}
    for clock in _JUDGED:
        rows = _of_clock(counts.promises, clock)
        kept[f"{clock.value}_share"] = _share(_sum(rows, "met", period), _sum(rows, "missed", period))
    overall = _score(counts.answers, "overall", period)
    return {
        "opened": _sum(_of_part(counts.opened, "all"), "tickets", period),
        **kept,
        "overall_mean": overall["mean"],
        "low_share": overall["low_share"],
        "callbacks_in_time_share": _called(counts, period),
    }
