"""A ticket's history cannot be altered unnoticed, even by somebody who may do everything (S-70)."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from db import events
from domain.lifecycle import TicketState
from tests.desk import Desk

S = TicketState


def _flaws(desk: Desk) -> list[str]:
    return list(events.find_flaws(desk.connection))


def _tamper(connection: Connection, statement: str, ticket_id: int) -> None:
    """As a superuser who turns the guards off for a moment."""
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    connection.execute(text("ALTER TABLE ticket_events DISABLE TRIGGER USER"))
    connection.execute(text(statement), {"t": ticket_id} if ":t" in statement else {})
    connection.execute(text("ALTER TABLE ticket_events ENABLE TRIGGER USER"))


@pytest.mark.parametrize("state", TicketState)
def test_an_honest_history_has_no_flaw_in_any_state(desk: Desk, state: TicketState) -> None:
    desk.bring_to(state)

    assert _flaws(desk) == []


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'add_note'",
        "actor_role = 'manager'",
        "actor_id = 987",
        "at = at - interval '1 microsecond'",
        "to_state = 'closed'",
        """payload = payload || '{"summary": "never called"}'""",
        """facts = facts || '{"told": []}'""",
        "idempotency_key = 'mine'",
    ],
)
def test_an_altered_event_is_found_and_named(desk: Desk, change: str) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    honest = desk.bring_to(S.DIAGNOSING)

    _tamper(desk.connection, f"UPDATE ticket_events SET {change} WHERE ticket_id = :t AND seq = 4", ticket_id)

    assert _flaws(desk) == [f"{desk.ticket(ticket_id)['number']}: event 4 was altered"]
    assert honest != ticket_id


def test_a_forger_who_recomputes_one_digest_is_found_by_the_next(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    second = events.list_of(desk.connection, ticket_id)[1] | {"payload": {"forged": True}}
    first = events.list_of(desk.connection, ticket_id)[0]
    forged = events.link(first["digest"], second).hex()

    _tamper(
        desk.connection,
        f"""UPDATE ticket_events SET payload = '{{"forged": true}}', digest = '\\x{forged}'
        WHERE ticket_id = :t AND seq = 2""",
        ticket_id,
    )

    assert _flaws(desk) == [f"{desk.ticket(ticket_id)['number']}: event 3 was altered"]


@pytest.mark.parametrize("seq", [1, 2, 4])
def test_a_missing_event_is_found(desk: Desk, seq: int) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)

    _tamper(desk.connection, f"DELETE FROM ticket_events WHERE ticket_id = :t AND seq = {seq}", ticket_id)

    assert _flaws(desk) == [f"{desk.ticket(ticket_id)['number']}: has 3 events, its row says 4"]


def test_a_history_cut_short_with_its_count_is_found(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)

    _tamper(desk.connection, "DELETE FROM ticket_events WHERE ticket_id = :t AND seq = 4", ticket_id)
    _tamper(desk.connection, "UPDATE tickets SET event_count = 3 WHERE id = :t", ticket_id)

    assert _flaws(desk) == [f"{desk.ticket(ticket_id)['number']}: the last event is not the one its row names"]


def test_two_events_that_changed_places_are_found(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)

    for old, new in ((2, 99), (3, 2), (99, 3)):
        _tamper(
            desk.connection, f"UPDATE ticket_events SET seq = {new} WHERE ticket_id = :t AND seq = {old}", ticket_id
        )

    assert len(_flaws(desk)) == 1


def test_an_event_moved_to_another_ticket_is_found_at_both(desk: Desk) -> None:
    one, two = desk.bring_to(S.DIAGNOSING), desk.bring_to(S.ASSIGNED)

    _tamper(desk.connection, f"UPDATE ticket_events SET ticket_id = {two} WHERE ticket_id = :t AND seq = 4", one)

    assert len(_flaws(desk)) == 2


def test_a_state_that_no_event_leads_to_is_found(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)

    _tamper(desk.connection, "UPDATE tickets SET state = 'in_work' WHERE id = :t", ticket_id)

    number = desk.ticket(ticket_id)["number"]
    assert _flaws(desk) == [f"{number}: its events lead to 'diagnosing', its row says 'in_work'"]


def test_flaws_are_found_however_many_tickets_are_read_at_once(desk: Desk) -> None:
    bad = [desk.bring_to(S.ASSIGNED) for _ in range(5)]
    for ticket_id in bad[1::2]:
        _tamper(desk.connection, "DELETE FROM ticket_events WHERE ticket_id = :t AND seq = 3", ticket_id)
    expected = [desk.ticket(ticket_id)["number"] for ticket_id in bad[1::2]]

    for batch in (1, 2, 5, 500):
        found = list(events.find_flaws(desk.connection, batch=batch))
        assert [flaw.partition(":")[0] for flaw in found] == expected
