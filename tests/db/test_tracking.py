"""The rows of the progress tracking sheet (S-60)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from db import tracking
from domain.lifecycle import CommandName, TicketState
from tests.desk import Desk

C = CommandName


def _rows(desk: Desk, *, until: float = 1) -> list[dict[str, Any]]:
    return list(tracking.rows(desk.connection, since=desk.now, until=desk.now + timedelta(hours=until)))


def test_a_ticket_is_shown_as_it_stands(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.IN_WORK)
    desk.give(ticket_id, C.LOG_STEP, step="looked at it", at=desk.after(minutes=5))
    desk.give(ticket_id, C.LOG_STEP, step="changed the part", at=desk.after(minutes=9))

    [row] = _rows(desk)

    ticket, clocks = desk.ticket(ticket_id), desk.clocks(ticket_id)
    assert {name: row[name] for name in ("number", "state", "priority", "assignee_name", "customer_name")} == {
        name: ticket[name] for name in ("number", "state", "priority", "assignee_name", "customer_name")
    }
    assert (row["last_step"], row["last_step_at"]) == ("changed the part", desk.after(minutes=9))
    assert row["responded_at"] == clocks["response"]["stopped_at"]
    assert row["resolve_by"] == clocks["resolution"]["due_at"]
    assert (row["response_kept"], row["resolution_kept"]) == (True, None)
    assert row["plan_deadline"] == desk.now + timedelta(days=3)
    assert (row["times_reopened"], row["overall"], row["callback_state"]) == (0, None, None)


def test_a_reopened_ticket_shows_its_present_promises(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.CLOSED)
    desk.give(ticket_id, C.REOPEN, reason="again", at=desk.after(minutes=30))

    [row] = _rows(desk)

    assert row["times_reopened"] == 1
    assert (row["responded_at"], row["completed_at"], row["closed_at"]) == (None, None, None)


def test_who_wishes_anonymity_has_no_name(desk: Desk) -> None:
    desk.open(wants_anonymity=True)

    assert [row["customer_name"] for row in _rows(desk)] == [None]


def test_only_what_was_opened_in_the_time_is_there_oldest_first(desk: Desk) -> None:
    times = (desk.now - timedelta(seconds=1), desk.now + timedelta(minutes=59), desk.now, desk.now + timedelta(hours=1))
    ids = [desk.open(at=at) for at in times]

    found = [row["number"] for row in _rows(desk)]

    assert found == [desk.ticket(ids[2])["number"], desk.ticket(ids[1])["number"]]
    assert tracking.count(desk.connection, since=desk.now, until=desk.now + timedelta(hours=1)) == 2
