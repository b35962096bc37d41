"""The digest's figures, computed once by the product and once by hand from the plain tables (S-61)."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from db import alarms, callbacks, follow_ups, reports, surveys
from domain.digest import Week, compute, last_full_week, week_of
from domain.lifecycle import CommandName
from domain.people import CustomerTier
from domain.satisfaction import SurveyAnswer
from domain.tickets import Channel, Impact
from tests.desk import Desk

C = CommandName
WEEK = week_of(date(2026, 11, 24), "Asia/Shanghai")
Rows = list[dict[str, Any]]


def _table(connection: Connection, name: str) -> Rows:
    return [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]


def _halves(rows: Rows, column: str) -> tuple[Rows, Rows]:
    """The rows of the week and of the week before, by a moment."""
    dated = [row for row in rows if row[column] is not None]
    this = [row for row in dated if WEEK.since <= row[column] < WEEK.until]
    return this, [row for row in dated if WEEK.since - timedelta(days=7) <= row[column] < WEEK.since]


def _live(desk: Desk, dice: random.Random, opened: datetime) -> None:
    """One ticket from its opening to wherever chance leads it."""
    ticket_id = desk.open(
        at=opened,
        impact=dice.choice(list(Impact)),
        channel=dice.choice(list(Channel)),
        region=dice.choice(["east", "west"]),
        tier=dice.choice([CustomerTier.STANDARD, CustomerTier.STANDARD, CustomerTier.VALUED]),
    )
    at = opened + timedelta(minutes=dice.randint(0, 50))
    if dice.random() < 0.1:
        desk.give(ticket_id, C.CANCEL, at=at, reason="r")
        return
    follow_ups.carry_out_next(desk.connection, ticket_id, standard=desk.standard, now=at)
    at += timedelta(hours=dice.choice([1, 3, 9, 30]))
    desk.give(ticket_id, C.FIRST_CONTACT, at=at, summary="s")
    if dice.random() < 0.15:
        return
    at += timedelta(hours=dice.choice([2, 20, 60, 90]))
    desk.give(ticket_id, C.COMPLETE, at=at, summary="s", guidance_only=True)
    if dice.random() < 0.2:
        desk.give(ticket_id, C.REPORT_NOT_FIXED, at=at + timedelta(hours=1), reason="r")
        at += timedelta(hours=7)
        desk.give(ticket_id, C.COMPLETE, at=at, summary="s", guidance_only=True)
    if dice.random() < 0.6:
        desk.give(ticket_id, C.CONFIRM_COMPLETION, at=at + timedelta(hours=2), signed_by="s")
    elif dice.random() < 0.6:
        closing = at + timedelta(hours=72)
        follow_ups.close_unanswered(desk.connection, ticket_id, standard=desk.standard, now=closing)
    asked = at + timedelta(hours=24)
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=asked)
    survey = desk.surveys(ticket_id)[-1]
    if dice.random() < 0.8 and survey["state"] == "sent":
        _answer(desk, dice, ticket_id, survey["id"], asked + timedelta(hours=dice.randint(1, 40)))


def _answer(desk: Desk, dice: random.Random, ticket_id: int, survey_id: int, at: datetime) -> None:
    scores = {name: dice.randint(1, 5) for name in ("efficiency", "attitude", "solution", "overall")}
    answer = SurveyAnswer(**scores, comment="c")
    surveys.record_answer(
        desk.connection, survey_id, answer, desk.customer_of(ticket_id), standard=desk.standard, now=at
    )
    for call in desk.callbacks(ticket_id):
        if call["state"] == "open" and dice.random() < 0.8:
            called = at + timedelta(minutes=dice.choice([10, 59, 61, 300]))
            callbacks.complete(desk.connection, call["id"], desk.clerk, reason="r", suggestion="", now=called)


@pytest.fixture(params=[1, 2, 3])
def lived(desk: Desk, request: pytest.FixtureRequest) -> Desk:
    """Some weeks of tickets around the week of the digest."""
    dice = random.Random(request.param)
    begin = WEEK.since - timedelta(days=12)
    for _ in range(50):
        _live(desk, dice, begin + timedelta(minutes=dice.randint(0, 60 * 24 * 20)))
    alarms.raise_due(desk.connection, standard=desk.standard, now=WEEK.until + timedelta(days=20))
    return desk


def test_every_figure_is_what_a_count_by_hand_says(lived: Desk) -> None:
    digest = compute(reports.digest_rows(lived.connection, WEEK), WEEK, lived.standard)

    assert digest["volume"] == _volume(lived.connection)
    assert {kind: digest["sla"][kind] for kind in ("response", "resolution")} == _sla(lived.connection, None)
    digest["satisfaction"].pop("stages")
    assert digest["sla"]["by_priority"] == {p: _sla(lived.connection, p) for p in ("P1", "P2", "P3")}
    assert digest["satisfaction"] == _satisfaction(lived.connection)
    assert digest["callbacks"] == _callbacks(lived.connection)
    assert digest["benchmarks"]["answered"]["share"] == _answered_in_a_day(lived.connection)
    assert digest["volume"]["opened"]["now"] > 10  # chance has made something to count
    assert digest["sla"]["resolution"]["missed"]["now"] > 0


def test_the_cases_are_the_worst_first(lived: Desk) -> None:
    digest = compute(reports.digest_rows(lived.connection, WEEK), WEEK, lived.standard)

    answers = _halves(_table(lived.connection, "survey_answers"), "answered_at")[0]
    expected = sorted(row["overall"] for row in answers if row["overall"] <= 3)[:20]
    assert [row["overall"] for row in digest["low_scores"]] == expected
    priorities = [row["priority"] for row in digest["breaches"]]
    assert priorities == sorted(priorities)
    assert len(priorities) == min(20, sum(digest["sla"][kind]["missed"]["now"] for kind in ("response", "resolution")))


def _pair(halves: tuple[Any, Any]) -> dict[str, Any]:
    return {"now": halves[0], "before": halves[1]}


def _share(flags: list[bool]) -> float | None:
    return round(sum(flags) / len(flags), 4) if flags else None


def _volume(connection: Connection) -> dict[str, Any]:
    tickets, events = _table(connection, "tickets"), _table(connection, "ticket_events")
    opened = _halves(tickets, "opened_at")

    def by(column: str) -> dict[str, Any]:
        counts = [Counter(row[column] for row in half) for half in opened]
        return {word: _pair((counts[0][word], counts[1][word])) for word in sorted(counts[0] | counts[1])}

    def happened(*kinds: str) -> dict[str, int]:
        found = _halves([event for event in events if event["kind"] in kinds], "at")
        return _pair((len(found[0]), len(found[1])))

    def open_at(moment: datetime) -> int:
        return sum(t["opened_at"] < moment and not (t["closed_at"] and t["closed_at"] < moment) for t in tickets)

    return {
        "opened": _pair((len(opened[0]), len(opened[1]))),
        "completed": happened("complete"),
        "closed": happened("confirm_completion", "close"),
        "cancelled": happened("cancel"),
        "open_at_end": _pair((open_at(WEEK.until), open_at(WEEK.since))),
        "by_channel": by("channel"),
        "by_category": by("category"),
        "by_priority": by("priority"),
        "by_region": by("region"),
    }


def _sla(connection: Connection, priority: str | None) -> dict[str, Any]:
    tickets = {row["id"]: row for row in _table(connection, "tickets")}
    figures = {}
    for kind in ("response", "resolution"):
        clocks = [
            clock
            for clock in _table(connection, "sla_clocks")
            if clock["kind"] == kind and priority in (None, tickets[clock["ticket_id"]]["priority"])
        ]
        kept = [
            clock
            for clock in clocks
            if clock["breached_at"] is None and tickets[clock["ticket_id"]]["state"] != "cancelled"
        ]
        met = [len(half) for half in _halves(kept, "stopped_at")]
        missed = [len(half) for half in _halves(clocks, "breached_at")]
        shares = [round(m / (m + b), 4) if m + b else None for m, b in zip(met, missed, strict=True)]
        figures[kind] = {"met": _pair((*met,)), "missed": _pair((*missed,)), "share": _pair((*shares,))}
    return figures


def _satisfaction(connection: Connection) -> dict[str, Any]:
    asked = _halves(_table(connection, "surveys"), "sent_at")
    answers = _halves(_table(connection, "survey_answers"), "answered_at")

    def mean(half: Rows, dimension: str) -> float | None:
        return round(sum(row[dimension] for row in half) / len(half), 2) if half else None

    return {
        "asked": _pair((len(asked[0]), len(asked[1]))),
        "answered": _pair((len(answers[0]), len(answers[1]))),
        "means": {
            dimension: _pair((mean(answers[0], dimension), mean(answers[1], dimension)))
            for dimension in ("efficiency", "attitude", "solution", "overall")
        },
        "low_share": _pair(tuple(_share([row["overall"] <= 3 for row in half]) for half in answers)),
    }


def _callbacks(connection: Connection) -> dict[str, Any]:
    calls = [call for call in _table(connection, "callbacks") if call["kind"] != "follow_up_visit"]
    owed = [call for call in calls if call["state"] != "cancelled"]
    due = _halves(owed, "due_at")
    in_time = [[bool(call["done_at"] and call["done_at"] <= call["due_at"]) for call in half] for half in due]
    return {
        "due": _pair((len(due[0]), len(due[1]))),
        "in_time_share": _pair((_share(in_time[0]), _share(in_time[1]))),
    }


def _answered_in_a_day(connection: Connection) -> float | None:
    stopped = {
        clock["ticket_id"]: clock["stopped_at"]
        for clock in _table(connection, "sla_clocks")
        if clock["kind"] == "response" and clock["round"] == 1
    }
    opened = [t for t in _halves(_table(connection, "tickets"), "opened_at")[0] if t["state"] != "cancelled"]
    waits = [stopped[t["id"]] - t["opened_at"] if stopped[t["id"]] else None for t in opened]
    return _share([wait is not None and wait <= timedelta(hours=24) for wait in waits])


def test_a_week_without_anything_has_no_shares_rather_than_zeros(desk: Desk) -> None:
    digest = compute(reports.digest_rows(desk.connection, WEEK), WEEK, desk.standard)

    assert digest["volume"]["opened"] == {"now": 0, "before": 0}
    assert digest["sla"]["response"]["share"] == {"now": None, "before": None}
    assert digest["satisfaction"]["means"]["overall"] == {"now": None, "before": None}
    assert digest["benchmarks"]["answered"]["share"] is None


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
def test_a_week_begins_and_ends_at_midnight_where_the_organisation_is(desk: Desk, zone: str) -> None:
    # In New York the clocks went back on the Sunday before: that week has an hour more.
    week = week_of(date(2026, 11, 1), zone)
    midnight = datetime(2026, 10, 26, tzinfo=ZoneInfo(zone))
    next_midnight = datetime(2026, 11, 2, tzinfo=ZoneInfo(zone))
    instant = timedelta(microseconds=1)
    for moment in (midnight - instant, midnight, next_midnight - instant, next_midnight):
        desk.open(at=datetime.fromtimestamp(moment.timestamp(), ZoneInfo("UTC")))

    digest = compute(reports.digest_rows(desk.connection, week), week, desk.standard)

    assert digest["volume"]["opened"] == {"now": 2, "before": 1}
    assert (week.since, week.until, week.label) == (midnight, next_midnight, "2026-W44")


def test_the_last_full_week_is_the_one_before_this_where_the_organisation_is() -> None:
    sunday_evening_utc = datetime(2026, 11, 29, 16, 0, tzinfo=ZoneInfo("UTC"))  # Monday 00:00 in Shanghai

    def label(moment: datetime) -> str:
        week: Week = last_full_week(moment, "Asia/Shanghai")
        return week.label

    assert label(sunday_evening_utc) == "2026-W48"
    assert label(sunday_evening_utc - timedelta(seconds=1)) == "2026-W47"


def test_only_active_managers_get_the_digest(desk: Desk) -> None:
    desk.connection.execute(text("UPDATE staff SET is_active = false WHERE email LIKE 'grace%'"))

    assert [manager["language"] for manager in reports.managers(desk.connection)] == ["zh-CN"]
