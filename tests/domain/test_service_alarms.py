"""When those who run the service are told that something is wrong, and how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.service_alarms import ServiceAlarm, find_alarms

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ALL_WELL = {
    "messages_waiting": 0,
    "messages_wait_since": None,
    "events_pending": 0,
    "events_pending_since": None,
    "stopped": [],
    "breaches_lately": 0,
    "breaches_before": 0,
    "breaches_usual": 0.0,
}


def told(**today: Any) -> list[ServiceAlarm]:
    return [finding.alarm for finding in find_alarms(ALL_WELL | today, now=NOW)]


def test_a_service_that_is_well_alarms_nobody() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("minutes", "is_told"), [(4, False), (5, True), (9.9, True), (10, False), (64.9, False), (65, True), (70, False)]
)
def test_an_outbox_that_waits_is_told_after_five_minutes_and_then_once_an_hour(minutes: float, is_told: bool) -> None:
    since = NOW - timedelta(minutes=minutes)

    assert told(messages_waiting=3, messages_wait_since=since) == [ServiceAlarm.OUTBOX_LATE] * is_told


def test_the_figures_explain_it_and_name_nobody() -> None:
    since = NOW - timedelta(minutes=7)
    (found,) = find_alarms(ALL_WELL | {"events_pending": 4, "events_pending_since": since}, now=NOW)

    assert (found.alarm, found.figures) == (ServiceAlarm.FOLLOW_UPS_LATE, {"count": 4, "minutes": 7})


def test_a_stopped_channel_is_told_at_once() -> None:
    channel = {"medium": "sms", "stop_code": "20003", "waiting": 12, "stopped_at": NOW - timedelta(minutes=1)}

    assert told(stopped=[channel]) == [ServiceAlarm.CHANNEL_STOPPED]


@pytest.mark.parametrize(
    ("lately", "before", "usual", "is_told"),
    [(4, 0, 0.0, False), (5, 0, 0.0, True), (9, 0, 4.0, False), (12, 11, 4.0, True), (13, 12, 4.0, False)],
)
def test_breaches_are_told_when_they_have_just_risen(lately: int, before: int, usual: float, is_told: bool) -> None:
    rising = {"breaches_lately": lately, "breaches_before": before, "breaches_usual": usual}

    assert told(**rising) == [ServiceAlarm.BREACHES_RISE] * is_told
