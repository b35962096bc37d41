"""The standard changes for tickets to come; those that are there keep the figures they were promised by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from db import alarms, standards
from domain.escalation import AlarmKind
from domain.exceptions import ChangedMeanwhileError, StandardError
from domain.lifecycle import CommandName, TicketState
from domain.standard import load_version
from domain.tickets import Impact
from tests.desk import Desk

C = CommandName
S = TicketState
SLOWER = {"priorities": {"P2": {"response": "6h"}, "P3": {"response": "10h"}}}
PRIORITY = {"impact": Impact.PARTIAL, "is_safety_risk": False, "reason": "asked for"}


@pytest.fixture(autouse=True)
def _looked_anew() -> Iterator[None]:
    standards.forget()
    yield
    standards.forget()


def adopted(desk: Desk, changes: dict[str, Any], version: int = 1) -> Desk:
    """The desk under a version that was just adopted."""
    standard = load_version(None, version, changes)
    standards.adopt(desk.connection, standard, changes, reason="spring", by="operations", now=desk.now)
    return replace(desk, standard=standard)


def test_a_ticket_keeps_the_version_it_was_opened_under(desk: Desk) -> None:
    before = desk.open(impact=Impact.PARTIAL)
    later = adopted(desk, SLOWER)
    after = later.open(impact=Impact.PARTIAL)

    targets = [desk.clocks(ticket_id)["response"]["target"] for ticket_id in (before, after)]
    assert targets == [timedelta(hours=4), timedelta(hours=6)]
    assert [desk.ticket(ticket_id)["standard_version"] for ticket_id in (before, after)] == [None, 1]

    # A promise that is made anew later is made by the same figures (S-11), whoever gives the command.
    for ticket_id in (before, after):
        later.give(ticket_id, C.CHANGE_PRIORITY, **PRIORITY | {"impact": Impact.MINOR})
    targets = [desk.clocks(ticket_id)["response"]["target"] for ticket_id in (before, after)]
    assert targets == [timedelta(hours=8), timedelta(hours=10)]


def test_what_is_reckoned_later_for_a_ticket_is_reckoned_by_its_own_version(desk: Desk) -> None:
    ladder = [{"at": 1.0, "tells": ["assignee"]}]
    before = desk.open()
    later = adopted(desk, {"escalation": ladder, "completion": {"close_without_answer_after": "24h"}})
    after = later.open()

    raised = alarms.raise_due(desk.connection, standard=later.standard, now=desk.after(days=30))
    for ticket_id in (before, after):
        later.bring_to(S.COMPLETED, ticket_id=ticket_id)

    manager_told = {alarm.ticket_number for alarm in raised if alarm.kind is AlarmKind.ESCALATION}
    assert desk.ticket(before)["number"] in manager_told
    assert desk.ticket(after)["number"] not in manager_told
    waits = [desk.ticket(ticket_id)["close_due_at"] - desk.now for ticket_id in (before, after)]
    assert waits == [timedelta(hours=72), timedelta(hours=24)]


def test_of_two_changes_at_once_one_wins_and_the_other_is_told(desk: Desk) -> None:
    adopted(desk, SLOWER)

    with pytest.raises(ChangedMeanwhileError, match="adopted meanwhile"):
        adopted(desk, {})

    (version,) = standards.history(desk.connection)
    assert (version["id"], version["changes"], version["reason"]) == (1, SLOWER, "spring")


def test_a_calendar_stays_while_somebody_works_by_it(desk: Desk, connection: Connection) -> None:
    night = {"time_zone": "Asia/Shanghai", "weekly": {"mon": ["20:00-24:00"]}}
    with_night = adopted(desk, {"calendars": {"night": night}, "channels": {"hotline": "night"}})
    ticket_id = with_night.open()
    assert desk.clocks(ticket_id)["response"]["calendar"] == "night"

    with pytest.raises(StandardError, match="aftercare_calendars: night: open tickets or people work"):
        adopted(desk, {}, version=2)
