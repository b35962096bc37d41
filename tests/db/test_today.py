"""How the service stands at a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from db import media, today
from domain.lifecycle import CommandName, TicketState
from domain.messages import Medium
from tests.desk import Desk


def _read(desk: Desk, **after: float) -> dict[str, Any]:
    return today.read(desk.connection, now=desk.after(**after))


def test_without_work_everything_is_nothing(desk: Desk) -> None:
    found = _read(desk)

    assert not any(found.values()), found


def test_open_tickets_are_counted_by_state_in_the_order_of_their_life(desk: Desk) -> None:
    for state in (TicketState.IN_WORK, TicketState.NEW, TicketState.NEW, TicketState.CLOSED):
        desk.bring_to(state)
    desk.open("There is smoke", impact=None)

    assert _read(desk)["open"] == [
        {"state": "new", "counts": {"P1": 1, "P2": 2, "P3": 0}},
        {"state": "in_work", "counts": {"P1": 0, "P2": 1, "P3": 0}},
    ]


def test_promises_are_due_soon_then_overdue_until_they_are_met(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.ASSIGNED)
    due = {kind: clock["due_at"] for kind, clock in desk.clocks(ticket_id).items() if clock["stopped_at"] is None}
    first = min(due.values()) - desk.now

    assert _read(desk, seconds=first.total_seconds() - 3601)["due_soon"] == 0
    assert _read(desk, seconds=first.total_seconds() - 60)["due_soon"] == 1
    late = _read(desk, seconds=first.total_seconds())
    assert late["overdue"] == 1
    desk.give(ticket_id, CommandName.FIRST_CONTACT, summary="called", at=desk.now + first + timedelta(minutes=1))
    assert _read(desk, seconds=first.total_seconds() + 120)["overdue"] == 0


def test_what_waits_says_since_when(desk: Desk) -> None:
    desk.open()

    found = _read(desk, minutes=5)

    assert (found["events_pending"], found["events_pending_since"]) == (1, desk.now)
    desk.bring_to(TicketState.DIAGNOSING)
    found = _read(desk, hours=12)
    assert found["messages_waiting"] > 0
    assert found["messages_wait_since"] >= desk.now


def test_a_stopped_channel_is_named(desk: Desk) -> None:
    media.stop(desk.connection, Medium.SMS, "20003", now=desk.now)

    assert [row["medium"] for row in _read(desk)["stopped"]] == ["sms"]
