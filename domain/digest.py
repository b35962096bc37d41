"""The weekly digest: rows in, figures out, each beside the week before (S-61). The one module that knows pandas.

A figure that cannot be computed (a share of nothing) is None, never zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from domain.breaches import BreachCause
from domain.business_hours import BusinessCalendar
from domain.exceptions import InvalidInputError
from domain.lifecycle import CommandName, TicketState
from domain.satisfaction import DIMENSIONS, STAGES, needs_callback
from domain.sla import ClockKind
from domain.standard import Standard
from domain.tickets import Category, Channel, Priority

MOST_DAYS = 92
_MOST_CASES = 20
_WORKING_DAY = timedelta(hours=9)


@dataclass(frozen=True, slots=True)
class Week:
    """An ISO week, or another span of whole days, in the organisation's zone; ``since`` inclusive, ``until`` exclusive
    (aware). ``before`` begins the span of the same length that it is compared with."""

    label: str
    before: datetime
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class DigestRows:
    """What the database knows about a week and the one before it; one mapping per row, moments aware UTC.

    opened: id, state, opened_at, channel, category, priority, region, responded_at, completed_at.
    finished: kind (a command's name), at. promises: kind, priority, at, met, ticket_number, due_at, assignee_name,
    team_name. asked: at. answers: at, ticket_number, comment and the four scores, reason, callback_state, in_time.
    callbacks: at (due), in_time. open_now and open_before: open tickets at the end of each week.
    """

    opened: Sequence[Mapping[str, Any]]
    finished: Sequence[Mapping[str, Any]]
    promises: Sequence[Mapping[str, Any]]
    asked: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]
    callbacks: Sequence[Mapping[str, Any]]
    open_now: int
    open_before: int


def week_of(day: date, time_zone: str) -> Week:
    """The ISO week that contains ``day``, with its borders at local midnight."""
    zone = ZoneInfo(time_zone)
    monday = day - timedelta(days=day.weekday())
    borders = [datetime.combine(monday + timedelta(days=shift), datetime.min.time(), zone) for shift in (-7, 0, 7)]
    iso = monday.isocalendar()
    return Week(f"{iso.year}-W{iso.week:02d}", *borders)


def week_named(label: str, time_zone: str) -> Week:
    """The week that is written ``2026-W47``. Raises InvalidInputError when there is none."""
    match = re.fullmatch(r"(20\d\d)-W(\d\d)", label)
    try:
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        monday = None
    if monday is None:
        raise InvalidInputError("week", "is no week; write it like 2026-W47")
    return week_of(monday, time_zone)


def days_between(first: date, last: date, time_zone: str) -> Week:
    """The days from ``first`` to ``last``, both included, beside as many days before. Raises InvalidInputError."""
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        raise InvalidInputError("last_day", f"must be the first day or one of the {MOST_DAYS - 1} after it")
    if not 2000 <= first.year <= 2099:
        raise InvalidInputError("first_day", "is not of this century")
    zone = ZoneInfo(time_zone)
    days = (first - timedelta(days=count), first, last + timedelta(days=1))
    return Week(f"{first}/{last}", *(datetime.combine(day, datetime.min.time(), zone) for day in days))


def last_full_week(now: datetime, time_zone: str) -> Week:
    """The week before the one that contains ``now``."""
    return week_of(now.astimezone(ZoneInfo(time_zone)).date() - timedelta(days=7), time_zone)


def compute(rows: DigestRows, week: Week, standard: Standard) -> dict[str, Any]:
    """All figures of the digest as JSON values, for templates and artifacts."""
    opened = _frame(rows.opened, ["opened_at", "channel", "category", "priority", "region"], at="opened_at")
    finished = _frame(rows.finished, ["at", "kind"])
    promises = _frame(rows.promises, ["at", "kind", "priority", "met"])
    answers = _frame(rows.answers, ["at", *DIMENSIONS])
    callbacks = _frame(rows.callbacks, ["at", "in_time"])
    now, before = _halves(opened, week)
    return {
        "week": week.label,
        "since": week.since.isoformat(),
        "until": week.until.isoformat(),
        "volume": {
            "opened": _pair(len(now), len(before)),
            "completed": _count_of(finished, week, [CommandName.COMPLETE]),
            "closed": _count_of(finished, week, [CommandName.CONFIRM_COMPLETION, CommandName.CLOSE]),
            "cancelled": _count_of(finished, week, [CommandName.CANCEL]),
            "open_at_end": _pair(rows.open_now, rows.open_before),
            "by_channel": _by(now, before, "channel", [word.value for word in Channel]),
            "by_category": _by(now, before, "category", [word.value for word in Category]),
            "by_priority": _by(now, before, "priority", [word.value for word in Priority]),
            "by_region": _by(now, before, "region", []),
        },
        "sla": _sla(promises, week)
        | {"by_category": {}, "by_region": {}, "by_team": {}}
        | {"by_priority": {p.value: _sla(promises[promises["priority"] == p.value], week) for p in Priority}},
        "breaches": _breaches(rows.promises, week),
        "satisfaction": _satisfaction(answers, rows.asked, week, standard.callback.low_score),
        "low_scores": _low_scores(rows.answers, week, standard.callback.low_score),
        "callbacks": {
            "due": _pair(*(len(half) for half in _halves(callbacks, week))),
            "in_time_share": _pair(*(_share(half["in_time"]) for half in _halves(callbacks, week))),
        },
        "benchmarks": _benchmarks(rows.opened, week, standard),
        **_to_come(standard),
    }


def _to_come(standard: Standard) -> dict[str, Any]:
    """The entries that are read already and not counted yet, as in a span without anything."""
    followed = ("response_share", "resolution_share", "overall_mean", "low_share", "callbacks_in_time_share")
    return {
        "span": {"kind": "week", "region": None},
        "trend": [{"label": "", "opened": 0, **dict.fromkeys(followed)} for _ in range(5)],
        "breach_causes": [],
        "targets": standard.targets.model_dump(),
        "headline": {"kind": "nothing", "values": {}},
        **{name: [] for name in ("words", "actions", "best", "coaching")},
    }


def _frame(rows: Sequence[Mapping[str, Any]], columns: list[str], *, at: str = "at") -> pd.DataFrame:
    frame = pd.DataFrame.from_records([dict(row) for row in rows], columns=columns)
    return frame.assign(at=pd.to_datetime(frame[at], utc=True))


def _halves(frame: pd.DataFrame, week: Week) -> tuple[pd.DataFrame, pd.DataFrame]:
    at = frame["at"]
    this = frame[(at >= week.since) & (at < week.until)]
    last = frame[(at >= week.before) & (at < week.since)]
    return this, last


def _pair(now: Any, before: Any) -> dict[str, Any]:
    return {"now": now, "before": before}


def _share(flags: pd.Series[Any]) -> float | None:
    return None if flags.empty else round(float(flags.astype(bool).mean()), 4)


def _count_of(finished: pd.DataFrame, week: Week, kinds: list[CommandName]) -> dict[str, Any]:
    names = [kind.value for kind in kinds]
    return _pair(*(int(half["kind"].isin(names).sum()) for half in _halves(finished, week)))


def _by(now: pd.DataFrame, before: pd.DataFrame, column: str, known: list[str]) -> dict[str, Any]:
    counts_now, counts_before = now[column].value_counts(), before[column].value_counts()
    words = known or sorted({str(word) for word in [*counts_now.index, *counts_before.index]})
    pairs = {word: _pair(int(counts_now.get(word, 0)), int(counts_before.get(word, 0))) for word in words}
    return {word: pair for word, pair in pairs.items() if pair["now"] or pair["before"]}


def _sla(promises: pd.DataFrame, week: Week) -> dict[str, Any]:
    return {kind.value: _promise(promises[promises["kind"] == kind.value], week) for kind in _JUDGED}


_JUDGED = (ClockKind.RESPONSE, ClockKind.RESOLUTION)


def _promise(promises: pd.DataFrame, week: Week) -> dict[str, Any]:
    halves = _halves(promises, week)
    met = [int(half["met"].astype(bool).sum()) for half in halves]
    return {
        "met": _pair(*met),
        "missed": _pair(*(len(half) - kept for half, kept in zip(halves, met, strict=True))),
        "share": _pair(*(_share(half["met"]) for half in halves)),
    }


def _in_week(moment: datetime, week: Week) -> bool:
    return week.since <= moment < week.until


def _breaches(promises: Sequence[Mapping[str, Any]], week: Week) -> list[dict[str, Any]]:
    broken = [row for row in promises if not row["met"] and _in_week(row["at"], week)]
    broken.sort(key=lambda row: (row["priority"], row["at"]))
    names = ("ticket_number", "priority", "assignee_name", "team_name")
    return [
        {name: row[name] for name in names}
        | {"cause": BreachCause.TOOK_LONGER.value}
        | {"clock": row["kind"], "due_at": row["at"].isoformat()}
        for row in broken[:_MOST_CASES]
    ]


def _satisfaction(
    answers: pd.DataFrame, asked: Sequence[Mapping[str, Any]], week: Week, low_score: int
) -> dict[str, Any]:
    halves = _halves(answers, week)
    invitations = _halves(_frame(asked, ["at"]), week)
    means = {dimension: _pair(*(_mean(half[dimension]) for half in halves)) for dimension in DIMENSIONS}
    return {
        "asked": _pair(*(len(half) for half in invitations)),
        "answered": _pair(*(len(half) for half in halves)),
        "means": means,
        "low_share": _pair(*(_share(half["overall"] <= low_score) for half in halves)),
        "stages": {
            stage: dict.fromkeys(("mean", "low_share"), _pair(None, None)) | {"given": _pair(0, 0)} for stage in STAGES
        },
    }


def _mean(scores: pd.Series[Any]) -> float | None:
    """The mean of the scores that were given; a reply by SMS gives the overall one only."""
    given = pd.to_numeric(scores.dropna())
    return None if given.empty else round(float(given.mean()), 2)


def _low_scores(answers: Sequence[Mapping[str, Any]], week: Week, low_score: int) -> list[dict[str, Any]]:
    low = [r for r in answers if _in_week(r["at"], week) and needs_callback(r["overall"], low_score=low_score)]
    low.sort(key=lambda row: (row["overall"], row["at"]))
    names = ("ticket_number", "overall", "comment", "reason", "callback_state", "in_time")
    return [{name: row[name] for name in names} for row in low[:_MOST_CASES]]


def _benchmarks(opened: Sequence[Mapping[str, Any]], week: Week, standard: Standard) -> dict[str, Any]:
    """Of the tickets opened in the week and not cancelled: contacted in 24 h; completed in 3 working days (S-61)."""
    targets = standard.benchmarks
    office = next((c for c in map(standard.calendar, standard.calendars) if not c.always_open), None)
    tickets = [row for row in opened if _in_week(row["opened_at"], week) and row["state"] != TicketState.CANCELLED]
    answered = [_within(row, "responded_at", targets.answered_within, None) for row in tickets]
    limit = targets.informed_within_working_days * _WORKING_DAY
    informed = [_within(row, "completed_at", limit, office) for row in tickets]
    return {
        "answered": {"share": _share(pd.Series(answered, dtype=bool)), "target": targets.answered_share},
        "informed": {"share": _share(pd.Series(informed, dtype=bool)), "target": targets.informed_share},
    }


def _within(row: Mapping[str, Any], column: str, limit: timedelta, calendar: BusinessCalendar | None) -> bool:
    if row[column] is None:
        return False
    if calendar is None:
        return bool(row[column] - row["opened_at"] <= limit)
    return calendar.between(row["opened_at"], row[column]) <= limit
