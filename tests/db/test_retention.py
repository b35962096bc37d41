"""What is past its time goes, and nothing before it; two runs share the work (S-71)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from db import attachments, contact_views, events, retention
from db.retention import Past
from db.session import transaction
from domain.lifecycle import CommandName, TicketState
from domain.pictures import Photo
from domain.standard import Standard
from tests.conftest import read_cast
from tests.desk import Desk

DAY = timedelta(days=1)


def _let_go(desk: Desk, what: Past, *, after: timedelta, limit: int = 100) -> int:
    return retention.let_go(desk.connection, what, standard=desk.standard, now=desk.now + after, limit=limit)


def _count(connection: Connection, what: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {what}")).scalar_one())


def test_a_ticket_and_then_its_customer_go_when_their_time_is_over(desk: Desk) -> None:
    ticket_id, lasts = desk.bring_to(TicketState.CLOSED), desk.standard.retention.tickets

    assert _let_go(desk, Past.TICKETS, after=lasts - DAY) == 0
    assert _let_go(desk, Past.CUSTOMERS, after=lasts + DAY) == 0  # the ticket is still kept
    assert _let_go(desk, Past.TICKETS, after=lasts + DAY) == 1
    assert _let_go(desk, Past.CUSTOMERS, after=lasts + DAY) == 1

    ticket = desk.ticket(ticket_id)
    assert (ticket["description"], ticket["customer_name"], ticket["customer_email"]) == ("—", "—", None)
    assert list(events.find_flaws(desk.connection)) == []
    assert _let_go(desk, Past.TICKETS, after=lasts + DAY) == _let_go(desk, Past.CUSTOMERS, after=lasts + DAY) == 0


def test_an_open_ticket_stays_and_keeps_its_customer_however_old(desk: Desk) -> None:
    desk.bring_to(TicketState.IN_WORK)

    assert _let_go(desk, Past.TICKETS, after=9999 * DAY) == 0
    assert _let_go(desk, Past.CUSTOMERS, after=9999 * DAY) == 0


def test_photos_go_before_the_words(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.IN_WORK)
    step = desk.give(ticket_id, CommandName.LOG_STEP, step="seen")
    attachments.add(desk.connection, ticket_id, step.event_id, Photo("a.jpg", "image/jpeg", b"x"), now=desk.now)
    assert _let_go(desk, Past.PHOTOS, after=9999 * DAY) == 0
    desk.give(ticket_id, CommandName.COMPLETE, summary="done", tested=True)
    desk.give(ticket_id, CommandName.CONFIRM_COMPLETION, desk.customer_of(ticket_id), signed_by="me")

    assert _let_go(desk, Past.PHOTOS, after=desk.standard.retention.photos - DAY) == 0
    assert _let_go(desk, Past.PHOTOS, after=desk.standard.retention.photos + DAY) == 1
    assert desk.ticket(ticket_id)["description"] != "—"


def test_messages_lose_their_words_once_they_are_settled(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.CLOSED)
    lasts = desk.standard.retention.messages
    assert _let_go(desk, Past.MESSAGES, after=lasts + DAY) == 0  # all of them are still queued
    desk.connection.execute(
        text("UPDATE messages SET state = 'delivered', body = 'dear', address = 'a' WHERE ticket_id = :t"),
        {"t": ticket_id},
    )

    assert _let_go(desk, Past.MESSAGES, after=lasts - DAY) == 0
    assert _let_go(desk, Past.MESSAGES, after=lasts + DAY, limit=2) == 2
    assert _let_go(desk, Past.MESSAGES, after=lasts + DAY) > 0
    assert _let_go(desk, Past.MESSAGES, after=lasts + DAY) == 0
    assert _count(desk.connection, "messages WHERE body <> '' OR address IS NOT NULL") == 0


@pytest.mark.parametrize(
    ("what", "table", "row", "lasts"),
    [
        (Past.INBOX, "inbox", "(source, key, kind, content, received_at, handled_at) "
         "VALUES ('t', 'k', 'x', '{}', :n, :n)",
         "inbox"),
        (Past.SESSIONS, "staff_sessions", "(token_hash, staff_id, created_at, last_seen_at, expires_at) "
         "VALUES ('x', 1, :n, :n, :n)", None),
        (Past.SIGN_INS, "sign_in_attempts", "(name_hash, first_at, attempts) VALUES ('x', :n, 1)", None),
        (Past.FORM_PHOTOS, "form_photos", "(form_key, file_name, media_type, sha256, content, added_at) "
         "VALUES ('f', 'f', 'image/png', 'x', 'x', :n)", None),
    ],
)  # fmt: skip
def test_what_only_passes_through_goes(desk: Desk, what: Past, table: str, row: str, lasts: str | None) -> None:
    desk.connection.execute(text(f"INSERT INTO {table} {row}"), {"n": desk.now})
    kept_for = getattr(desk.standard.retention, lasts) if lasts else 2 * DAY

    assert _let_go(desk, what, after=timedelta(seconds=-1)) == 0
    assert _let_go(desk, what, after=kept_for + DAY) == 1
    assert _count(desk.connection, table) == 0


def test_what_nobody_has_handled_waits(desk: Desk) -> None:
    row = "(source, key, kind, content, received_at) VALUES ('t', 'k', 'x', '{}', :n)"
    desk.connection.execute(text(f"INSERT INTO inbox {row}"), {"n": desk.now})

    assert _let_go(desk, Past.INBOX, after=9999 * DAY) == 0


def test_looks_go_only_by_their_time_and_only_so(desk: Desk) -> None:
    customer = desk.ticket(desk.open())["customer_id"]
    for days in (0, 100):
        contact_views.note(desk.connection, desk.clerk, [customer], where="ticket", now=desk.after(days=days))

    assert _let_go(desk, Past.CONTACT_VIEWS, after=desk.standard.retention.contact_views + DAY) == 1
    with pytest.raises(DBAPIError, match="append-only"):
        desk.connection.execute(text("DELETE FROM contact_views"))


def test_two_runs_at_once_share_the_work(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        for _ in range(6):
            desk.bring_to(TicketState.CANCELLED)

    def run(_: Any) -> int:
        total = 0
        while True:
            with transaction(database) as connection:
                later = now + standard.retention.tickets + DAY
                gone = retention.let_go(connection, Past.TICKETS, standard=standard, now=later, limit=2)
            total += gone
            if not gone:
                return total

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(run, range(2)))

    assert sum(done) == 6
    with transaction(database) as connection:
        assert _count(connection, "ticket_events WHERE kind = 'erased'") == 6
        assert list(events.find_flaws(connection)) == []
