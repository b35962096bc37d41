"""What is personal of a customer goes, all of it, and what is counted stays (S-70, S-71)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError

from db import (
    attachments,
    callbacks,
    commands,
    contact_views,
    erasure,
    events,
    intake,
    messages,
    outbox,
    reports,
    suppressions,
    surveys,
)
from db.models import Base
from db.session import engine, transaction
from domain.commands import build_command
from domain.delivery import Remedy
from domain.exceptions import ErasedError, InvalidInputError
from domain.intake import CustomerDetails, build_report
from domain.lifecycle import CommandName, TicketState
from domain.messages import Medium
from domain.people import Actor, Role
from domain.pictures import Photo
from domain.satisfaction import SurveyAnswer
from domain.spans import week_of
from domain.standard import Standard
from tests.conftest import Cast, read_cast
from tests.desk import Desk

C = CommandName
MARK, PHONE, EMAIL = "MARKER7Q", "+8613912345678", "marker7q@example.com"

# Every column that can hold words, by whose data it may hold. A new column must be put here, and if it may hold a
# customer's data, into db/erasure.py: the tests below seed it and look for it afterwards.
OF_CUSTOMERS = {
    "attachments": {"file_name", "content", "sha256"},
    "callbacks": {"reason", "suggestion"},
    "care_taken": {"note"},
    "case_reviews": {"what_happened"},
    "customers": {"name", "phone", "email"},
    "enclosures": {"name", "media_type", "content_id", "content"},
    "inbox": {"key", "content", "result"},
    "mailbox_entries": {"address", "subject", "body", "html"},
    "message_reports": {"code"},
    "messages": {"context", "address", "subject", "body", "html", "provider_id"},
    "pending_events": {"problem"},
    "plan_options": {"title", "pros", "cons"},
    "plans": {"steps", "agreed_with", "objection"},
    "quality_scores": {"comments"},
    "suppressions": {"address"},
    "survey_answers": {
        *("booking_improvement", "on_site_improvement", "follow_up_improvement", "confirmation_improvement"),
        *("best_point", "most_wanted", "comment"),
    },
    "survey_drafts": {"filled_in"},
    "ticket_events": {"payload", "idempotency_key"},
    "tickets": {
        *("subject", "description", "usage_context", "wish", "product_model", "serial_number", "order_number", "tags"),
        *("category_reason", "priority_reason"),
    },
}
# Nobody's yet: a form that was not sent names no customer; it goes by the hour (db/form_photos.py).
OF_STRANGERS = {
    "article_helps": {"form_key"},
    "form_photos": {"form_key", "file_name", "sha256", "content"},
    "sign_in_attempts": {"name_hash"},
}
OF_STAFF = {
    "api_keys": {"name", "role", "prefix", "key_hash", "scopes"},
    # Lessons, in words that are to hold for more than one customer.
    "articles": {"title", "problem", "cause", "solution", "product_model", "tags"},
    "case_reviews": {"participants", "conclusions", "follow_ups"},
    "contact_views": {"seen_on"},
    "customers": {"erased_because"},
    "improvement_actions": {"measure", "expected_effect", "outcome", "product_model", "told_customers"},
    "root_causes": {"problem", "whys", "cause"},
    "staff": {"name", "email", "role", "skills", "language", "calendar", "password_hash"},
    "staff_sessions": {"token_hash"},
    "standard_versions": {"changes", "reason", "adopted_by"},
    "teams": {"name", "department", "region"},
    "webhook_subscriptions": {"name", "url", "kinds", "salt", "old_salts", "last_code", "pause_code"},
}
# Words of lists, codes, and ids: what reports count.
OF_NOBODY = {
    "articles": {"language", "audience", "category", "state"},
    "attachments": {"media_type"},
    "calendars": {"name", "time_zone", "weekly", "holidays"},
    "callbacks": {"kind", "state"},
    "care_taken": {"action", "signs"},
    "case_reviews": {"reasons"},
    "customers": {"tier", "language", "preferred_medium", "time_zone", "region"},
    "form_photos": {"media_type"},
    "handovers": {"medium", "provider", "outcome"},
    "inbox": {"source", "kind", "traceparent"},
    "improvement_actions": {"category", "department", "region", "stage", "state"},
    "media": {"medium", "stop_code"},
    "message_reports": {"source", "status"},
    "messages": {
        *("dedupe_key", "kind", "medium", "switched_from", "language", "state", "provider", "error_code"),
        "traceparent",
    },
    "pending_events": {"kind"},
    "plans": {"kind", "state"},
    "quality_samples": {"week", "population"},
    "quality_scores": {"marks", "grade"},
    "sla_clocks": {"kind", "calendar", "pauses"},
    "staff": {"digest_period", "digest_region"},
    "suppressions": {"medium", "reason", "code"},
    "surveys": {"method", "state"},
    "ticket_events": {"kind", "actor_role", "to_state", "facts", "digest", "traceparent"},
    "tickets": {
        *("number", "channel", "region", "state", "resume_state", "category", "suggested_category", "impact"),
        *("priority", "suggested_priority", "event_digest"),
    },
    "webhook_deliveries": {"last_code"},
}


def _holds_words(kind: Any) -> bool:
    return isinstance(kind, Text | LargeBinary | JSONB) or (isinstance(kind, ARRAY) and _holds_words(kind.item_type))


def test_every_column_that_can_hold_words_is_said_to_be_whose() -> None:
    found = {(table.name, column.name) for table in Base.metadata.sorted_tables for column in table.c
             if _holds_words(column.type)}  # fmt: skip
    said = [
        (table, column)
        for group in (OF_CUSTOMERS, OF_STRANGERS, OF_STAFF, OF_NOBODY)
        for table, columns in group.items()
        for column in columns
    ]

    assert sorted(said) == sorted(found)


def _live(desk: Desk, cast: Cast) -> int:
    """A ticket with everything that can happen to one, and the marker wherever somebody writes; returns its id."""
    details = CustomerDetails(name=f"{MARK} Wang", phone=PHONE, email=EMAIL, region="east")
    connection, standard, now = desk.connection, desk.standard, desk.now
    customer_id = intake.find_or_add_customer(connection, details, standard=standard, now=now)
    words = dict.fromkeys(("description", "usage_context", "wish", "product_model", "serial_number"), f"{MARK} 漏水")
    report = build_report({"channel": "hotline", **words, "order_number": MARK, "tags": [MARK]})
    actor = Actor(Role.CUSTOMER, customer_id)
    opened = intake.open_ticket(
        connection, customer_id, report, actor, standard=standard, now=now, idempotency_key=f"k-{MARK}"
    )
    ticket_id = opened.ticket_id
    desk.follow_up(ticket_id)
    desk.give(ticket_id, C.FIRST_CONTACT, summary=f"{MARK} called", key=f"first-{MARK}")
    desk.give(ticket_id, C.ADD_NOTE, note=f"{MARK} note")
    desk.give(ticket_id, C.CHANGE_CATEGORY, category="guarantee", reason=MARK)
    option = {"title": MARK, "pros": MARK, "cons": MARK}
    plan = {"kind": "repair", "steps": [MARK], "deadline_at": desk.after(days=3), "options": [option, option]}
    desk.give(ticket_id, C.PROPOSE_PLAN, **plan)
    desk.give(ticket_id, C.OBJECT_TO_PLAN, actor, reason=MARK)
    desk.give(ticket_id, C.PROPOSE_PLAN, **plan)
    desk.give(ticket_id, C.AGREE_PLAN, option=1, agreed_by_phone_with=MARK)
    step = desk.give(ticket_id, C.LOG_STEP, step=MARK)
    photo = Photo(f"{MARK}.jpg", "image/jpeg", MARK.encode())
    attachments.add(connection, ticket_id, step.event_id, photo, now=now)
    desk.give(ticket_id, C.COMPLETE, summary=MARK, tested=True)
    desk.give(ticket_id, C.CONFIRM_COMPLETION, actor, signed_by=MARK)
    surveys.dispatch_due(connection, standard=standard, now=desk.after(hours=24))
    survey_id = desk.surveys(ticket_id)[0]["id"]
    answer = SurveyAnswer(efficiency=1, attitude=2, solution=3, overall=1, comment=MARK, best_point=MARK)
    surveys.record_answer(connection, survey_id, answer, actor, standard=standard, now=desk.after(hours=25))
    callbacks.escalate_due(connection, standard=standard, now=desk.after(hours=25))
    call = desk.callbacks(ticket_id)[0]
    callbacks.complete(connection, call["id"], cast.supervisor, reason=MARK, suggestion=MARK, now=desk.after(hours=26))
    suppressions.add(connection, Medium.SMS, PHONE, Remedy.OPTED_OUT, code="reply", now=now)
    suppressions.add(connection, Medium.EMAIL, EMAIL, Remedy.BAD_ADDRESS, code="550", now=now)
    return ticket_id


_SEEDS = (
    "INSERT INTO survey_drafts SELECT id, '{\"comment\": \"MARKER7Q\"}', now() FROM surveys WHERE ticket_id = :t",
    "UPDATE survey_answers SET booking_improvement = 'MARKER7Q', on_site_improvement = 'MARKER7Q',"
    " follow_up_improvement = 'MARKER7Q', confirmation_improvement = 'MARKER7Q', most_wanted = 'MARKER7Q'"
    " WHERE survey_id IN (SELECT id FROM surveys WHERE ticket_id = :t)",
    "UPDATE tickets SET category_reason = 'MARKER7Q', priority_reason = 'MARKER7Q' WHERE id = :t",
    "INSERT INTO pending_events SELECT max(id), :t, 'opened', now(), 1, 'MARKER7Q'"
    " FROM ticket_events WHERE ticket_id = :t",
    "UPDATE messages SET address = 'MARKER7Q', subject = 'MARKER7Q', body = 'MARKER7Q', html = 'MARKER7Q',"
    " provider_id = 'MARKER7Q', state = 'accepted' WHERE ticket_id = :t AND id % 2 = 0",
    "INSERT INTO message_reports (message_id, attempt, source, status, code, at) SELECT id, 1, 'x', 'y',"
    " 'MARKER7Q', now() FROM messages WHERE ticket_id = :t",
    "INSERT INTO mailbox_entries (message_id, address, subject, body, html, received_at)"
    " SELECT id, 'MARKER7Q', 'MARKER7Q', 'MARKER7Q', 'MARKER7Q', now() FROM messages WHERE ticket_id = :t",
    "INSERT INTO inbox (source, key, kind, content, received_at, handled_at, result) SELECT 'twilio', 'MARKER7Q' || id,"
    " 'Report', jsonb_build_object('message_id', id, 'status', 'MARKER7Q'), now(), now(), 'MARKER7Q'"
    " FROM messages WHERE ticket_id = :t",
    "INSERT INTO inbox (source, key, kind, content, received_at, handled_at, result) VALUES ('twilio', 'MARKER7Q',"
    " 'InboundText', '{\"sender\": \"+8613912345678\", \"text\": \"MARKER7Q\"}', now(), now(), 'MARKER7Q'),"
    " ('sendgrid', 'MARKER7Q', 'Unsubscribed', '{\"address\": \"Marker7Q@example.com\"}', now(), NULL, 'MARKER7Q')",
    "INSERT INTO messages (dedupe_key, staff_id, kind, medium, language, context, state, body, queued_at, send_after)"
    " SELECT 'digest', 1, 'weekly_digest', 'email', 'en', jsonb_build_object('digest', number || ' MARKER7Q'),"
    " 'delivered', 'MARKER7Q', now(), now() FROM tickets WHERE id = :t",
    "INSERT INTO messages (dedupe_key, staff_id, kind, medium, language, context, state, body, queued_at, send_after)"
    " SELECT 'sheet', 1, 'weekly_digest', 'email', 'en', jsonb_build_object('digest', jsonb_build_object('since',"
    " opened_at, 'until', opened_at + interval '1 day')), 'delivered', '', now(), now() FROM tickets WHERE id = :t",
    "INSERT INTO care_taken (customer_id, action, note, signs, at, taken_by)"
    " SELECT customer_id, 'call', 'MARKER7Q', '{}', now(), 1 FROM tickets WHERE id = :t",
    "INSERT INTO case_reviews (ticket_id, reasons, held_on, participants, what_happened, conclusions, follow_ups,"
    " recorded_by, recorded_at) VALUES (:t, '{}', current_date, '', 'MARKER7Q', '', '', 1, now())",
    "INSERT INTO quality_samples (week, seed, per_person, scored_twice, population, drawn_at, drawn_by)"
    " VALUES ('2026-W40', 1, 1, 0, '{}', now(), 1)",
    "INSERT INTO quality_cases (sample_id, ticket_id, assessed_id, needs_two) SELECT max(id), :t, 1, false"
    " FROM quality_samples",
    "INSERT INTO quality_scores (case_id, inspector_id, marks, comments, percent, grade, scored_at) SELECT max(id), 1,"
    " '{}', '{\"courtesy\": \"MARKER7Q\"}', 50, 'good', now() FROM quality_cases",
    "INSERT INTO enclosures (message_id, name, media_type, content_id, content) SELECT messages.id, 'MARKER7Q',"
    " 'MARKER7Q', of_content, 'MARKER7Q' FROM messages, (VALUES (NULL), ('MARKER7Q')) AS files (of_content)"
    " WHERE dedupe_key = 'sheet'",
)  # fmt: skip


def _seeded(desk: Desk, cast: Cast) -> int:
    ticket_id = _live(desk, cast)
    for statement in _SEEDS:
        seeded = desk.connection.execute(text(statement), {"t": ticket_id} if ":t" in statement else {})
        assert seeded.rowcount > 0, statement
    return ticket_id


def _traces(connection: Connection) -> set[tuple[str, str]]:
    """Where something of the customer can be read, in any column of any table."""
    found = set()
    for table in Base.metadata.sorted_tables:
        for column in table.c:
            shown = f"encode({column.name}, 'escape')" if isinstance(column.type, LargeBinary) else column.name
            seen = text(f"SELECT EXISTS (SELECT FROM {table.name} WHERE {shown}::text ~* 'marker7q|13912345678')")
            if connection.execute(seen).scalar_one():
                found.add((table.name, column.name))
    return found


def _customer(desk: Desk, ticket_id: int) -> int:
    return int(desk.ticket(ticket_id)["customer_id"])


def _erase(desk: Desk, customer_id: int, **options: Any) -> bool:
    return erasure.erase_customer(
        desk.connection, customer_id, desk.clerk, "asked by letter", standard=desk.standard, now=desk.after(days=3),
        **options,
    )  # fmt: skip


def test_the_seeds_reach_every_column_that_can_hold_a_customers_data(desk: Desk, cast: Cast) -> None:
    _seeded(desk, cast)

    said = {(table, column) for table, columns in OF_CUSTOMERS.items() for column in columns}
    assert _traces(desk.connection) == said - {("attachments", "sha256")}


def test_nothing_of_an_erased_customer_can_be_read_anywhere(desk: Desk, cast: Cast) -> None:
    ticket_id = _seeded(desk, cast)

    assert _erase(desk, _customer(desk, ticket_id))

    assert _traces(desk.connection) == set()
    assert list(events.find_flaws(desk.connection)) == []
    assert desk.kinds(ticket_id)[-1] == "erased"


def test_what_reports_count_is_the_same_before_and_after(desk: Desk, cast: Cast) -> None:
    ticket_id = _live(desk, cast)
    week = week_of(date(2026, 11, 24), "Asia/Shanghai")

    def figures() -> dict[str, Any]:
        found = reports.digest(desk.connection, week, desk.standard)
        for row in found["low_scores"]:
            row |= {"comment": None, "reason": None}
        return found

    before = figures()
    _erase(desk, _customer(desk, ticket_id))

    assert figures() == before


def test_a_second_erasure_changes_nothing(desk: Desk, cast: Cast) -> None:
    ticket_id = _live(desk, cast)
    customer_id = _customer(desk, ticket_id)
    assert _erase(desk, customer_id)
    kinds = desk.kinds(ticket_id)

    assert not _erase(desk, customer_id)
    assert desk.kinds(ticket_id) == kinds


def test_a_customer_with_an_open_ticket_is_erased_only_when_it_is_named(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.IN_WORK)
    number, customer_id = desk.ticket(ticket_id)["number"], _customer(desk, ticket_id)

    with pytest.raises(InvalidInputError, match=number):
        _erase(desk, customer_id)
    assert _erase(desk, customer_id, cancel=[number])

    assert desk.kinds(ticket_id).count("cancel") == 1
    assert desk.kinds(ticket_id)[-1] == "erased"
    assert list(events.find_flaws(desk.connection)) == []


def test_work_that_waits_for_the_customers_word_is_closed(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.COMPLETED)

    assert _erase(desk, _customer(desk, ticket_id), cancel=[desk.ticket(ticket_id)["number"]])

    assert desk.kinds(ticket_id)[-2:] == ["close", "erased"]
    assert [survey["state"] for survey in desk.surveys(ticket_id)] == ["cancelled"]


def test_nothing_more_is_sent_and_nothing_more_is_done(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.CLOSED)
    _erase(desk, _customer(desk, ticket_id))

    for medium in Medium:
        assert not outbox.is_due(desk.connection, medium, now=desk.after(days=30))
    with pytest.raises(ErasedError):
        desk.give(ticket_id, C.REOPEN, reason="again", at=desk.after(days=4))
    withheld = outbox.list_of(desk.connection, ticket_id)
    assert {row["error_code"] for row in withheld} == {"erased"}
    assert not messages.resend(desk.connection, withheld[0]["id"], now=desk.now)


def test_a_message_that_is_being_sent_is_left_to_its_end_and_never_sent_again(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.CLOSED)
    message = outbox.list_of(desk.connection, ticket_id)[0]
    row = {**message, "address": "a@example.com", "subject": "s", "body": "b", "html": None, "segments": None}
    outbox.freeze(desk.connection, [row], provider="mailbox", look_at=desk.after(minutes=5), now=desk.now)

    _erase(desk, _customer(desk, ticket_id))

    assert not outbox.is_claimed(desk.connection, message["id"], 1)
    erased = messages.get(desk.connection, message["id"])
    assert (erased["state"], erased["look_at"], erased["body"], erased["address"]) == ("unknown", None, "", None)


def test_a_stop_is_still_obeyed_and_can_be_lifted_by_who_sent_it(desk: Desk, cast: Cast) -> None:
    ticket_id = _live(desk, cast)
    _erase(desk, _customer(desk, ticket_id))

    assert suppressions.find(desk.connection, [PHONE, EMAIL]) == {PHONE: Remedy.OPTED_OUT}
    assert suppressions.lift(desk.connection, PHONE, now=desk.now)
    assert suppressions.find(desk.connection, [PHONE]) == {}


def test_a_stop_that_nobody_has_handled_yet_is_obeyed(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.CANCELLED, ticket_id=desk.open(phone="13912345678"))
    desk.connection.execute(text(
        "INSERT INTO inbox (source, key, kind, content, received_at) VALUES ('twilio', 'k', 'InboundText',"
        " '{\"sender\": \"+8613912345678\", \"text\": \"TD\"}', now())"
    ))  # fmt: skip

    _erase(desk, _customer(desk, ticket_id))

    assert suppressions.find(desk.connection, [PHONE]) == {PHONE: Remedy.OPTED_OUT}
    assert ("suppressions", "address") not in _traces(desk.connection)


def _tamper(connection: Connection, statement: str, ticket_id: int) -> None:
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    connection.execute(text("ALTER TABLE ticket_events DISABLE TRIGGER USER"))
    connection.execute(text(statement), {"t": ticket_id})
    connection.execute(text("ALTER TABLE ticket_events ENABLE TRIGGER USER"))


@pytest.mark.parametrize(
    "change",
    [
        "actor_id = 987",
        "at = at - interval '1 microsecond'",
        'payload = \'{"summary": "never called"}\'',
        "payload = '{}'",
        "facts = '{\"told\": []}'",
        "idempotency_key = 'mine'",
        "digest = '\\x00'",
        "kind = 'add_note'",
    ],
)
def test_what_stays_of_an_erased_event_cannot_be_altered_unnoticed(desk: Desk, change: str) -> None:
    ticket_id = desk.bring_to(TicketState.CLOSED)
    _erase(desk, _customer(desk, ticket_id))
    words = "SELECT seq FROM ticket_events WHERE ticket_id = :t AND kind = 'first_contact'"
    seq = desk.connection.execute(text(words), {"t": ticket_id}).scalar_one()

    _tamper(desk.connection, f"UPDATE ticket_events SET {change} WHERE ticket_id = :t AND seq = {seq}", ticket_id)

    assert list(events.find_flaws(desk.connection)) == [f"{desk.ticket(ticket_id)['number']}: event {seq} was altered"]


def test_the_event_that_names_the_erased_ones_cannot_be_altered_unnoticed(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.CLOSED)
    _erase(desk, _customer(desk, ticket_id))

    _tamper(
        desk.connection,
        "UPDATE ticket_events SET facts = '{\"redacted\": {}}' WHERE ticket_id = :t AND kind = 'erased'",
        ticket_id,
    )

    assert len(list(events.find_flaws(desk.connection))) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ticket_events SET payload = '{\"erased\": true}', idempotency_key = NULL WHERE ticket_id = :t",
        "UPDATE ticket_events SET payload = '{}' WHERE ticket_id = :t",
        "DELETE FROM ticket_events WHERE ticket_id = :t",
    ],
)
def test_words_go_only_together_with_the_event_that_says_so(desk: Desk, statement: str) -> None:
    ticket_id = desk.bring_to(TicketState.CLOSED)

    with pytest.raises(DBAPIError, match="append-only"):
        desk.connection.execute(text(statement), {"t": ticket_id})


def test_looks_at_contact_data_can_be_neither_removed_nor_truncated(desk: Desk) -> None:
    contact_views.note(desk.connection, desk.clerk, [_customer(desk, desk.open())], where="ticket", now=desk.now)

    for statement in ("DELETE FROM contact_views", "TRUNCATE contact_views"):
        with pytest.raises(DBAPIError, match="append-only"), desk.connection.begin_nested():
            desk.connection.execute(text(statement))


def test_two_erasures_at_once_erase_once(database: str, standard: Standard, now: Any) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        ticket_id = desk.bring_to(TicketState.CLOSED)
        customer_id, clerk = _customer(desk, ticket_id), desk.clerk

    def erase(_: int) -> bool:
        with transaction(database) as connection:
            return erasure.erase_customer(connection, customer_id, clerk, "asked", standard=standard, now=now)

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(erase, range(4)))

    assert sorted(done) == [False, False, False, True]
    with transaction(database) as connection:
        assert list(events.find_flaws(connection)) == []


def test_an_erasure_that_is_broken_off_leaves_everything(database: str, standard: Standard, now: Any) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        ticket_id = desk.bring_to(TicketState.CLOSED)
        customer_id, clerk = _customer(desk, ticket_id), desk.clerk
        subject = desk.ticket(ticket_id)["subject"]

    with engine(database).connect() as connection:
        erasure.erase_customer(connection, customer_id, clerk, "asked", standard=standard, now=now)
        connection.rollback()

    with transaction(database) as connection:
        desk = Desk(connection, standard, now, clerk)
        assert desk.ticket(ticket_id)["subject"] == subject
        assert "erased" not in desk.kinds(ticket_id)


def test_a_command_that_came_too_late_is_refused(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.CLOSED)
    _erase(desk, _customer(desk, ticket_id))

    with pytest.raises(ErasedError):
        commands.apply_command(
            desk.connection, ticket_id, build_command(C.ADD_NOTE, {"note": "x"}), desk.clerk, standard=desk.standard,
            now=desk.now,
        )  # fmt: skip
