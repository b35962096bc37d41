"""What is due, read along the promises that run (S-10, S-12)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update

from db import worklists
from db.models import SlaClock, Ticket
from domain.sla import ClockKind
from tests.desk import Desk

HOUR = timedelta(hours=1)


def _promise(desk: Desk, ticket_id: int, kind: ClockKind, due_at: datetime | None) -> None:
    mine = (SlaClock.ticket_id == ticket_id) & (SlaClock.kind == kind.value)
    desk.connection.execute(update(SlaClock).where(mine).values(due_at=due_at))


def _due(desk: Desk, **when: datetime) -> list[tuple[int, str]]:
    return [(row["id"], row["due_kind"]) for row in worklists.due(desk.connection, limit=9, **when)]


def test_a_ticket_stands_once_where_its_first_running_promise_is_due(desk: Desk) -> None:
    late, near, paused = (desk.open(phone=f"+861380013810{n}") for n in range(3))
    for ticket_id in (late, near, paused):
        for kind in ClockKind:
            _promise(desk, ticket_id, kind, desk.now + 9 * HOUR)
    _promise(desk, late, ClockKind.RESPONSE, desk.now - HOUR)
    _promise(desk, late, ClockKind.ASSIGNMENT, desk.now - 2 * HOUR)
    _promise(desk, late, ClockKind.RESOLUTION, desk.now + HOUR)
    _promise(desk, near, ClockKind.RESOLUTION, desk.now + HOUR)
    _promise(desk, paused, ClockKind.RESOLUTION, None)

    assert _due(desk, until=desk.now) == [(late, "assignment")]
    assert _due(desk, until=desk.now + 2 * HOUR, after=desk.now) == [(near, "resolution")]
    assert [ticket_id for ticket_id, _ in _due(desk, until=desk.now + 10 * HOUR)] == [late, near, paused]


def test_what_is_kept_or_over_is_not_due(desk: Desk) -> None:
    kept, over = (desk.open(phone=f"+861380013811{n}") for n in range(2))
    for ticket_id in (kept, over):
        for kind in ClockKind:
            _promise(desk, ticket_id, kind, desk.now - HOUR)
    stopped = {"stopped_at": desk.now + HOUR, "next_alarm_at": None}
    desk.connection.execute(update(SlaClock).where(SlaClock.ticket_id == kept).values(stopped))
    ended = {"state": "cancelled", "closed_at": desk.now + HOUR}
    desk.connection.execute(update(Ticket).where(Ticket.id == over).values(ended))

    assert _due(desk, until=desk.now) == []
