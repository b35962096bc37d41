"""Whatever a vendor says, late, twice or out of order, and whatever a look-up finds: one honest fate a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from db import doubts, fates, media, messages, outbox, suppressions
from db.models import Message
from domain.delivery import (
    Accepted,
    CannotTell,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    Remedy,
    Report,
    Stopped,
    Unknown,
)
from domain.lifecycle import CommandName, TicketState
from domain.messages import Medium, MessageKind
from domain.standard import load_standard
from tests.desk import Desk

POLICY = load_standard().delivery
PHONE = "+8613800138000"


@pytest.fixture
def ticket(desk: Desk) -> int:
    """A ticket at work; its customer has a phone and an address, its one due message is a progress step by SMS."""
    ticket_id = desk.open(phone=PHONE, email="both@example.com")
    desk.bring_to(TicketState.IN_WORK, ticket_id=ticket_id)
    for medium in Medium:
        due = {row["id"]: "out_of_date" for row in outbox.claim(desk.connection, medium, now=desk.now, limit=99)}
        outbox.withhold(desk.connection, due, now=desk.now)
    desk.give(ticket_id, CommandName.LOG_STEP, step="the part is here")
    return ticket_id


def send(desk: Desk, medium: Medium = Medium.SMS, *, at: datetime | None = None) -> dict[str, Any]:
    """Claim the one due message of a medium as a sender would."""
    moment = at or desk.now
    (row,) = outbox.claim(desk.connection, medium, now=moment, limit=9)
    address = row["phone"] if medium is Medium.SMS else row["email"]
    ready = row | {"subject": None, "body": "words", "html": None, "segments": 1, "address": address}
    outbox.freeze(desk.connection, [ready], provider="twilio", look_at=moment + POLICY.unknown_after, now=moment)
    return outbox.frozen(desk.connection, [row["id"]])[0]


def settle(desk: Desk, row: dict[str, Any], outcome: Outcome, *, at: datetime | None = None) -> int:
    attempt = fates.Attempt(row["id"], row["attempts"], outcome)
    return fates.settle(desk.connection, [attempt], provider="twilio", policy=POLICY, now=at or desk.now)


def report(desk: Desk, row: dict[str, Any], outcome: Accepted | Rejected | None, *, attempt: int = 0) -> str:
    said = Report("key", row["id"], attempt or row["attempts"], outcome, "word")
    return fates.report(desk.connection, said, provider="twilio", policy=POLICY, now=desk.now)


def stored(desk: Desk, row: dict[str, Any]) -> Any:
    return desk.connection.execute(select(Message.__table__).where(Message.id == row["id"])).one()


def look(desk: Desk, found: Any, *, at: datetime) -> str:
    """Look up the one message in doubt."""
    (doubt,) = doubts.claim(desk.connection, policy=POLICY, now=at, limit=9)
    return doubts.settle(desk.connection, doubt, found, provider="twilio", policy=POLICY, now=at)


def staff_told(desk: Desk, ticket_id: int) -> list[str]:
    return [kind for kind, _ in desk.told(ticket_id) if kind == MessageKind.STAFF_MESSAGE_FAILED]


class TestAVendorsReport:
    def test_that_comes_before_the_senders_own_outcome_is_believed(self, desk: Desk, ticket: int) -> None:
        row = send(desk)

        assert report(desk, row, Accepted("SM1", delivered=True)) == "delivered"
        assert settle(desk, row, Unknown("timeout")) == 0
        assert settle(desk, row, Accepted("SM1")) == 0

        assert (stored(desk, row).state, stored(desk, row).provider_id) == ("delivered", "SM1")

    def test_out_of_order_moves_a_message_only_forward(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Accepted("SM1"))

        words = [report(desk, row, Accepted("SM1", delivered=d)) for d in (True, False, True)]

        assert words == ["delivered", "late", "late"]
        assert stored(desk, row).state == "delivered"

    def test_resolves_what_is_unknown_without_a_look_up(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Unknown("timeout"))
        assert stored(desk, row).state == "unknown"

        report(desk, row, Accepted("SM1"))

        assert stored(desk, row).state == "accepted"

    def test_that_an_earlier_attempt_arrived_cancels_the_one_that_waits(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, NotSent("refused"))
        assert stored(desk, row).state == "queued"

        assert report(desk, row, Accepted("SM1", delivered=True)) == "delivered"

        assert outbox.claim(desk.connection, Medium.SMS, now=desk.after(days=1), limit=9) == []

    def test_that_it_was_taken_cancels_the_resending_of_what_left_no_trace(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Unknown("timeout"))
        moment = desk.now
        for wait in POLICY.look_up_after:
            moment += wait
            look(desk, NotFound(), at=moment)
        assert stored(desk, row).state == "queued"

        assert report(desk, row, Accepted("SM1")) == "accepted"

    def test_that_it_was_taken_is_late_once_it_was_refused(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Rejected("30003", Remedy.TRY_LATER))

        assert report(desk, row, Accepted("SM1")) == "late"

        assert stored(desk, row).state == "queued"
        settle(desk, send(desk, at=desk.after(hours=1)), Rejected("30005", Remedy.BAD_ADDRESS))
        mail = send(desk, Medium.EMAIL, at=desk.after(hours=1))
        assert report(desk, mail, Accepted("SM1"), attempt=1) == "late"
        assert stored(desk, mail).state == "sending"

    def test_that_it_arrived_after_all_cancels_the_switch_to_the_other_medium(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Rejected("30003", Remedy.OTHER_MEDIUM))
        assert stored(desk, row).medium == "email"

        assert report(desk, row, Accepted("SM1", delivered=True)) == "delivered"

        assert (stored(desk, row).medium, stored(desk, row).switched_from) == ("sms", None)
        assert outbox.claim(desk.connection, Medium.EMAIL, now=desk.after(days=1), limit=9) == []

    def test_of_a_refusal_of_an_earlier_attempt_changes_nothing(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, NotSent("refused"))
        again = send(desk, at=desk.after(hours=1))

        assert report(desk, again, Rejected("30003", Remedy.OTHER_MEDIUM), attempt=1) == "late"
        assert stored(desk, again).state == "sending"

    @pytest.mark.parametrize(
        ("change", "word"), [({"message_id": 10**15}, "no such message"), ({"attempt": 9}, "no such message")]
    )
    def test_of_what_we_never_sent_is_noted_as_such(
        self, desk: Desk, ticket: int, change: dict[str, int], word: str
    ) -> None:
        row = send(desk)
        said = replace(Report("key", row["id"], 1, Accepted("SM1"), "sent"), **change)

        assert fates.report(desk.connection, said, provider="twilio", policy=POLICY, now=desk.now) == word

    def test_that_changes_nothing_is_kept_for_staff_to_read(self, desk: Desk, ticket: int) -> None:
        row = send(desk)

        assert report(desk, row, None) == "noted"
        assert [(s["source"], s["status"]) for s in fates.story(desk.connection, row["id"])] == [("twilio", "word")]


class TestARefusal:
    @pytest.mark.parametrize("by", ["sender", "report", "lookup"])
    def test_of_the_number_marks_it_and_the_mail_leaves_instead(self, desk: Desk, ticket: int, by: str) -> None:
        row, refused = send(desk), Rejected("21211", Remedy.BAD_ADDRESS)
        match by:
            case "sender":
                settle(desk, row, refused)
            case "report":
                settle(desk, row, Accepted("SM1"))
                report(desk, row, refused)
            case "lookup":
                look(desk, refused, at=desk.now + POLICY.unknown_after)

        assert suppressions.find(desk.connection, [PHONE]) == {PHONE: Remedy.BAD_ADDRESS}
        mail = send(desk, Medium.EMAIL, at=desk.after(minutes=6))
        assert (mail["id"], mail["address"], mail["switched_from"]) == (row["id"], "both@example.com", "sms")
        assert staff_told(desk, ticket) == []

    def test_by_both_media_fails_and_the_assignee_hears_of_it(self, desk: Desk, ticket: int) -> None:
        settle(desk, send(desk), Rejected("30003", Remedy.OTHER_MEDIUM))
        mail = send(desk, Medium.EMAIL)

        settle(desk, mail, Rejected("550", Remedy.BAD_ADDRESS))

        assert (stored(desk, mail).state, stored(desk, mail).error_code) == ("failed", "550")
        assert staff_told(desk, ticket) == ["staff_message_failed"]

    def test_of_a_customer_with_one_address_fails(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(TicketState.IN_WORK, ticket_id=desk.open(phone="+8613800138009", email=None))
        desk.give(ticket_id, CommandName.LOG_STEP, step="s")
        rows = outbox.claim(desk.connection, Medium.SMS, now=desk.now, limit=99)
        ready = [r | {"subject": None, "body": "w", "html": None, "segments": 1, "address": r["phone"]} for r in rows]
        outbox.freeze(desk.connection, ready, provider="twilio", look_at=desk.now, now=desk.now)

        for row in outbox.frozen(desk.connection, [r["id"] for r in rows]):
            settle(desk, row, Rejected("30006", Remedy.BAD_ADDRESS))

        assert {stored(desk, row).state for row in rows} == {"failed"}
        assert staff_told(desk, ticket_id) == ["staff_message_failed"]  # once for the ticket, not once a message

    def test_with_a_code_nobody_knows_is_never_sent_again(self, desk: Desk, ticket: int) -> None:
        row = send(desk)

        settle(desk, row, Rejected("99999"))

        assert stored(desk, row).state == "failed"
        for medium in Medium:
            late = outbox.claim(desk.connection, medium, now=desk.after(days=9), limit=9)
            assert row["id"] not in [r["id"] for r in late]

    def test_by_a_phone_out_of_reach_is_tried_twice_more_and_then_by_mail(self, desk: Desk, ticket: int) -> None:
        out_of_reach, moment = Rejected("30003", Remedy.TRY_LATER), desk.now
        for wait in (timedelta(minutes=30), timedelta(hours=2)):
            settle(desk, send(desk, at=moment), out_of_reach, at=moment)
            assert outbox.claim(desk.connection, Medium.SMS, now=moment + wait - timedelta(seconds=1), limit=9) == []
            moment += wait
        settle(desk, send(desk, at=moment), out_of_reach, at=moment)

        assert send(desk, Medium.EMAIL, at=moment)["switched_from"] == "sms"
        assert suppressions.find(desk.connection, [PHONE]) == {}


class TestWhatDidNotLeave:
    def test_costs_no_segments(self, desk: Desk, ticket: int) -> None:
        today = desk.now.date()
        media.spend(desk.connection, Medium.SMS, messages=1, segments=5, today=today)

        settle(desk, send(desk), NotSent("refused"))

        assert media.allowance(desk.connection, Medium.SMS, per_second=9, today=today, most=9).segments == 4

    def test_is_not_given_up_for_the_time_a_stopped_channel_held_it(self, desk: Desk, ticket: int) -> None:
        settle(desk, send(desk), Stopped("20003"))
        later = desk.after(days=3)
        media.resume(desk.connection, Medium.SMS)

        row = send(desk, at=later)
        settle(desk, row, NotSent("429"), at=later)

        assert stored(desk, row).state == "queued"


class TestSomebodysNo:
    def test_replaces_a_bad_address_and_is_not_replaced(self, connection: Connection, now: datetime) -> None:
        for reason in (Remedy.BAD_ADDRESS, Remedy.OPTED_OUT, Remedy.BAD_ADDRESS):
            suppressions.add(connection, Medium.SMS, PHONE, reason, code="c", now=now)

        assert suppressions.find(connection, [PHONE]) == {PHONE: Remedy.OPTED_OUT}

    def test_to_a_survey_by_sms_is_none_to_be_asked_by_mail(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        desk.connection.execute(update(Message).where(Message.id == row["id"]).values(kind="survey_reminder"))

        settle(desk, row, Rejected("21610", Remedy.OPTED_OUT))

        assert (stored(desk, row).state, stored(desk, row).medium) == ("failed", "sms")


class TestSendingAgainByHand:
    def test_takes_only_what_is_over(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        assert not messages.resend(desk.connection, row["id"], now=desk.now)
        settle(desk, row, Rejected("99999"))

        assert messages.resend(desk.connection, row["id"], now=desk.now)
        assert send(desk)["body"] == row["body"]

    def test_makes_words_anew_that_never_were(self, desk: Desk, ticket: int) -> None:
        (row,) = outbox.claim(desk.connection, Medium.SMS, now=desk.now, limit=9)
        outbox.refuse(desk.connection, row["id"], code="words", now=desk.now)
        messages.resend(desk.connection, row["id"], now=desk.now)

        (again,) = outbox.claim(desk.connection, Medium.SMS, now=desk.now, limit=9)

        assert (again["body"], again["address"]) == (None, None)


class TestWrongCredentials:
    def test_stop_the_channel_keep_the_message_and_tell_managers_once(self, desk: Desk, ticket: int) -> None:
        row = send(desk)

        settle(desk, row, Stopped("20003"))

        assert stored(desk, row).state == "queued"
        allowed = media.allowance(desk.connection, Medium.SMS, per_second=99, today=desk.now.date(), most=9)
        assert (allowed.messages, allowed.is_stopped) == (0, True)
        told = desk.connection.execute(select(Message.staff_id).where(Message.kind == "staff_channel_stopped")).all()
        assert len(told) >= 2
        assert len(set(told)) == len(told)
        assert not media.stop(desk.connection, Medium.SMS, "20003", now=desk.now)

    def test_are_mended_by_a_person_and_the_message_leaves(self, desk: Desk, ticket: int) -> None:
        settle(desk, send(desk), Stopped("20003"))

        assert media.resume(desk.connection, Medium.SMS)

        assert media.allowance(desk.connection, Medium.SMS, per_second=99, today=desk.now.date(), most=9).messages == 9
        assert send(desk)["attempts"] == 2
        assert not media.resume(desk.connection, Medium.SMS)


class TestAnUnknownFate:
    def test_is_sent_again_once_after_two_looks_that_found_no_trace(self, desk: Desk, ticket: int) -> None:
        first = send(desk)
        settle(desk, first, Unknown("timeout"))
        looks = [desk.now + POLICY.look_up_after[0]]
        looks.append(looks[0] + POLICY.look_up_after[1])

        assert look(desk, NotFound(), at=looks[0]) == "not found yet"
        assert doubts.claim(desk.connection, policy=POLICY, now=looks[1] - timedelta(seconds=1), limit=9) == []
        assert look(desk, NotFound(), at=looks[1]) == "not found: sent again, once"
        again = send(desk, at=looks[1])

        assert (again["id"], again["attempts"], again["body"]) == (first["id"], 2, first["body"])

    def test_of_the_second_sending_stays_unknown_and_staff_see_it(self, desk: Desk, ticket: int) -> None:
        moment = desk.now
        for _ in range(2):
            row = send(desk, at=moment)
            settle(desk, row, Unknown("timeout"), at=moment)
            for wait in POLICY.look_up_after:
                moment += wait
                word = look(desk, NotFound(), at=moment)

        assert word == "stays unknown"
        assert stored(desk, row).state == "unknown"
        assert doubts.claim(desk.connection, policy=POLICY, now=desk.after(days=99), limit=9) == []
        assert staff_told(desk, ticket) == ["staff_message_failed"]

    def test_that_nobody_can_tell_is_not_sent_again(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Unknown("timeout"))
        moment = desk.now
        for wait in POLICY.look_up_after:
            moment += wait
            word = look(desk, CannotTell("no_lookup", is_final=True), at=moment)

        assert word == "stays unknown"
        assert stored(desk, row).attempts == 1

    def test_is_looked_up_anew_when_a_look_could_not_be_made(self, desk: Desk, ticket: int) -> None:
        row, moment = send(desk), desk.now
        settle(desk, row, Unknown("timeout"))
        for _ in range(4):
            moment += POLICY.look_up_after[0]
            assert look(desk, CannotTell("no_connection"), at=moment) == "not looked up yet"
        moment += POLICY.look_up_after[0]
        assert look(desk, NotFound(), at=moment) == "not found yet"

        assert look(desk, NotFound(), at=moment + POLICY.look_up_after[1]) == "not found: sent again, once"

    def test_a_look_whose_process_died_is_none(self, desk: Desk, ticket: int) -> None:
        settle(desk, send(desk), Unknown("timeout"))
        moment = desk.now + POLICY.look_up_after[0]
        for _ in range(5):  # claimed and never settled
            assert len(doubts.claim(desk.connection, policy=POLICY, now=moment, limit=9)) == 1
            moment += POLICY.unknown_after

        assert look(desk, CannotTell("no_connection"), at=moment) == "not looked up yet"
        moment += POLICY.look_up_after[0]
        assert look(desk, NotFound(), at=moment) == "not found yet"

    def test_of_one_of_two_equal_messages_is_not_settled_by_the_other(self, desk: Desk, ticket: int) -> None:
        settle(desk, send(desk), Unknown("timeout"))
        desk.give(ticket, CommandName.LOG_STEP, step="the part is here")
        settle(desk, send(desk), Unknown("timeout"))
        moment = desk.now + POLICY.look_up_after[0]
        both = doubts.claim(desk.connection, policy=POLICY, now=moment, limit=9)

        words = [
            doubts.settle(desk.connection, doubt, Accepted("SM1"), provider="twilio", policy=POLICY, now=moment)
            for doubt in both
        ]

        assert words == ["found accepted", "not found yet"]

    def test_found_by_one_look_that_lagged_is_not_sent_again(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Unknown("timeout"))
        first = desk.now + POLICY.look_up_after[0]
        look(desk, NotFound(), at=first)

        assert look(desk, Accepted("SM1"), at=first + POLICY.look_up_after[1]) == "found accepted"
        assert stored(desk, row).attempts == 1

    def test_that_settled_while_it_was_looked_up_is_left_alone(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        (doubt,) = doubts.claim(desk.connection, policy=POLICY, now=desk.now + POLICY.unknown_after, limit=9)
        report(desk, row, Accepted("SM1", delivered=True))

        word = doubts.settle(
            desk.connection, doubt, NotFound(is_certain=True), provider="twilio", policy=POLICY, now=desk.now
        )

        assert (word, stored(desk, row).state) == ("moved on", "delivered")


class TestAMessageOfWhichNothingIsHeardAgain:
    def test_is_asked_for_three_times_and_then_let_be(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Accepted("SM1"))
        moment = desk.now
        for wait in POLICY.poll_after:
            assert doubts.claim(desk.connection, policy=POLICY, now=moment + wait - timedelta(seconds=1), limit=9) == []
            moment += wait
            look(desk, Accepted("SM1"), at=moment)

        assert doubts.claim(desk.connection, policy=POLICY, now=desk.after(days=99), limit=9) == []
        assert stored(desk, row).state == "accepted"

    def test_is_delivered_when_the_vendor_says_so_on_being_asked(self, desk: Desk, ticket: int) -> None:
        row = send(desk)
        settle(desk, row, Accepted("SM1"))

        look(desk, Accepted("SM1", delivered=True), at=desk.now + POLICY.poll_after[0])

        assert (stored(desk, row).state, stored(desk, row).look_at) == ("delivered", None)

    def test_knows_the_vendors_ids_of_the_other_messages_to_the_address(self, desk: Desk, ticket: int) -> None:
        settle(desk, send(desk), Accepted("SM1"))
        desk.give(ticket, CommandName.LOG_STEP, step="another")
        settle(desk, send(desk, at=desk.after(minutes=5)), Unknown("timeout"))

        found = doubts.claim(desk.connection, policy=POLICY, now=desk.after(minutes=6), limit=9)

        assert [doubt.known_ids for doubt in found] == [frozenset({"SM1"})]


class TestTheBucket:
    def test_gives_no_more_than_a_second_holds_and_fills_again(self, connection: Connection, now: datetime) -> None:
        def allowed(most: int = 99) -> int:
            return media.allowance(connection, Medium.SMS, per_second=10, today=now.date(), most=most).messages

        assert allowed() == 10
        media.spend(connection, Medium.SMS, messages=10, segments=0, today=now.date())
        assert allowed() == 0
        connection.exec_driver_sql("UPDATE media SET refilled_at = refilled_at - interval '500 ms'")
        assert 5 <= allowed() <= 6
        assert allowed(most=3) == 3

    def test_counts_the_segments_of_one_day(self, connection: Connection, now: datetime) -> None:
        today, tomorrow = now.date(), now.date() + timedelta(days=1)
        media.spend(connection, Medium.SMS, messages=1, segments=7, today=today)

        def segments(day: Any) -> int:
            return media.allowance(connection, Medium.SMS, per_second=10, today=day, most=9).segments

        assert (segments(today), segments(tomorrow)) == (7, 0)
