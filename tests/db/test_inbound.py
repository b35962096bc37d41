"""What comes from outside becomes what it means: an opt-out, a score, a note for the assignee, a ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, text

from db import inbound, inbox, outbox, suppressions, surveys
from db.models import Customer, SurveyAnswer, Ticket
from domain.delivery import Accepted, InboundText, Received, Rejected, Remedy, Report, Unsubscribed
from domain.lifecycle import CommandName, TicketState
from domain.messages import Medium, MessageKind, Subscription
from tests.desk import Desk

PHONE = "+8613800138000"
Write = Callable[..., str]


@pytest.fixture
def ticket(desk: Desk) -> int:
    """A ticket at work of a customer with a phone and an address."""
    return desk.bring_to(TicketState.IN_WORK, ticket_id=desk.open(phone=PHONE, email="li@example.com"))


@pytest.fixture
def write(desk: Desk) -> Write:
    """The customer, or somebody else, sends an SMS; returns what came of it."""

    def send(words: str, *, sender: str = PHONE, key: str = "SM1", hours: float = 0) -> str:
        said = InboundText(key, sender, words)
        return inbound.handle(desk.connection, "twilio", said, standard=desk.standard, now=desk.after(hours=hours))

    return send


def survey_by_sms(desk: Desk, ticket_id: int) -> int:
    """Complete the ticket and send its survey by SMS; returns the survey's id."""
    desk.give(ticket_id, CommandName.COMPLETE, summary="done", tested=True)
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(hours=24))
    for row in outbox.claim(desk.connection, Medium.SMS, now=desk.after(hours=24), limit=99):
        ready = row | {"subject": None, "body": "b", "html": None, "segments": 1, "address": row["phone"]}
        outbox.freeze(
            desk.connection, [ready], provider="twilio", look_at=desk.after(hours=25), now=desk.after(hours=24)
        )
    return int(desk.surveys(ticket_id)[-1]["id"])


class TestStop:
    def test_is_obeyed_and_undone_by_start(self, desk: Desk, ticket: int, write: Write) -> None:
        assert write("退订") == "opted out"
        assert suppressions.find(desk.connection, [PHONE]) == {PHONE: Remedy.OPTED_OUT}
        assert write("STOP", key="SM2") == "opted out"

        assert write("恢复", key="SM3") == "opted in"
        assert suppressions.find(desk.connection, [PHONE]) == {}

    def test_of_somebody_unknown_is_obeyed_too(self, desk: Desk, write: Write) -> None:
        assert write("stop", sender="+447400123456") == "opted out"
        assert suppressions.find(desk.connection, ["+447400123456"]) == {"+447400123456": Remedy.OPTED_OUT}

    def test_yes_of_somebody_who_never_stopped_is_an_answer_to_a_person(self, ticket: int, write: Write) -> None:
        assert write("yes") == "note on the ticket"


class TestAScore:
    def test_in_reply_to_a_survey_is_its_overall_score(self, desk: Desk, ticket: int, write: Write) -> None:
        survey_id = survey_by_sms(desk, ticket)

        assert write("２", hours=25) == "survey score"

        row = desk.connection.execute(select(SurveyAnswer.__table__).where(SurveyAnswer.survey_id == survey_id)).one()
        assert (row.overall, row.efficiency, row.attitude, row.solution) == (2, None, None, None)
        assert [call["kind"] for call in desk.callbacks(ticket)] == ["low_score"]
        assert (MessageKind.CALLBACK_PROMISED, desk.customer_name(ticket)) in desk.told(ticket)

    def test_counts_once(self, desk: Desk, ticket: int, write: Write) -> None:
        survey_by_sms(desk, ticket)

        assert [write("5", hours=25), write("1", key="SM2", hours=26)] == ["survey score", "note on the ticket"]

        assert desk.surveys(ticket)[-1]["overall"] == 5

    def test_without_a_survey_is_words(self, ticket: int, write: Write) -> None:
        assert write("5") == "note on the ticket"

    def test_after_the_survey_has_expired_is_words(self, desk: Desk, ticket: int, write: Write) -> None:
        survey_by_sms(desk, ticket)

        assert write("5", hours=24 * 9) == "note on the ticket"


class TestWords:
    def test_become_a_note_that_reaches_the_assignee(self, desk: Desk, ticket: int, write: Write) -> None:
        seen = len(desk.told(ticket))

        assert write("可以晚一点来吗？") == "note on the ticket"

        event = desk.last_event(ticket)
        assert (event["kind"], event["actor_role"]) == ("add_note", "customer")
        assert event["payload"]["note"] == "可以晚一点来吗？"
        assert desk.told(ticket, since=seen) == [("staff_customer_wrote", desk.ticket(ticket)["assignee_name"])]

    def test_that_come_twice_become_one_note(self, desk: Desk, ticket: int, write: Write) -> None:
        write("later please")
        events, told = desk.kinds(ticket), desk.told(ticket)

        assert write("later please") == "note on the ticket"

        assert (desk.kinds(ticket), desk.told(ticket)) == (events, told)

    def test_answer_our_question_while_we_wait_for_it(self, desk: Desk, write: Write) -> None:
        ticket_id = desk.bring_to(TicketState.WAITING_CUSTOMER, ticket_id=desk.open(phone=PHONE))

        assert write("E4") == "reply to our question"

        assert desk.ticket(ticket_id)["state"] == TicketState.DIAGNOSING

    def test_reach_a_supervisor_while_nobody_has_the_ticket(self, desk: Desk, write: Write) -> None:
        ticket_id = desk.open(phone=PHONE)

        write("hello?")

        assert [kind for kind, _ in desk.told(ticket_id)] == ["staff_customer_wrote"]

    def test_after_the_work_go_to_the_ticket_that_was_closed_last(self, desk: Desk, ticket: int, write: Write) -> None:
        desk.give(ticket, CommandName.CANCEL, reason="r")

        assert write("it is back") == "note on the ticket"

    def test_of_a_customer_without_a_ticket_open_one(self, desk: Desk, ticket: int, write: Write) -> None:
        desk.give(ticket, CommandName.CANCEL, reason="r")

        assert write("冰箱漏水了", hours=24 * 31) == "opened a ticket"

        newest = desk.connection.execute(select(Ticket.__table__).order_by(Ticket.id.desc()).limit(1)).one()
        assert (newest.channel, newest.description) == ("sms", "冰箱漏水了")

    @pytest.mark.parametrize(("words", "word"), [("hello", "unknown sender"), ("", "unknown sender")])
    def test_of_a_stranger_open_nothing(self, write: Write, words: str, word: str) -> None:
        assert write(words, sender="+447400123456") == word

    def test_that_are_none_are_noted_nowhere(self, desk: Desk, ticket: int, write: Write) -> None:
        events = desk.kinds(ticket)

        assert write("") == "empty"
        assert desk.kinds(ticket) == events


class TestUnsubscribing:
    def test_by_the_vendors_word_ends_surveys(self, desk: Desk, ticket: int) -> None:
        said = Unsubscribed("k", "LI@example.com", Remedy.OPTED_OUT)

        word = inbound.handle(desk.connection, "sendgrid", said, standard=desk.standard, now=desk.now)

        assert word == "unsubscribed surveys"
        assert suppressions.find(desk.connection, ["li@example.com"]) == {}

    def test_by_calling_it_spam_ends_all_mail(self, desk: Desk, ticket: int) -> None:
        said = Unsubscribed("k", "li@example.com", Remedy.COMPLAINED)

        inbound.handle(desk.connection, "sendgrid", said, standard=desk.standard, now=desk.now)

        assert suppressions.find(desk.connection, ["Li@Example.com"]) == {"Li@Example.com": Remedy.COMPLAINED}

    def test_keeps_the_first_moment(self, desk: Desk, ticket: int) -> None:
        customer_id = desk.ticket(ticket)["customer_id"]
        for hours in (0, 1):
            inbound.decline(desk.connection, Subscription.SURVEYS, customer_id, now=desk.after(hours=hours))

        moment = desk.connection.execute(
            select(Customer.declined_surveys_at).where(Customer.id == customer_id)
        ).scalar_one()
        assert moment == desk.now

    def test_of_somebody_unknown_does_no_harm(self, desk: Desk) -> None:
        said = Unsubscribed("k", "nobody@example.com", Remedy.OPTED_OUT)

        word = inbound.handle(desk.connection, "sendgrid", said, standard=desk.standard, now=desk.now)

        assert word == "unsubscribed nobody we know"


class TestTheInbox:
    @pytest.mark.parametrize(
        "received",
        [
            Report("k", 1, 2, Accepted("SM1", delivered=True), "delivered"),
            Report("k", 1, 2, Rejected("30006", Remedy.BAD_ADDRESS, "SM1"), "undelivered"),
            Report("k", 1, 2, None, "deferred"),
            InboundText("k", PHONE, "你好"),
            Unsubscribed("k", "a@example.com", Remedy.COMPLAINED),
        ],
    )
    def test_gives_back_what_was_stored(self, connection: Connection, desk: Desk, received: Received) -> None:
        assert inbox.store(connection, "twilio", [received], now=desk.now) == 1

        (entry,) = inbox.claim(connection, limit=9)

        assert (entry["source"], inbox.read(entry)) == ("twilio", received)

    def test_keeps_what_comes_twice_once(self, connection: Connection, desk: Desk) -> None:
        said = [InboundText("a", PHONE, "1"), InboundText("a", PHONE, "1"), InboundText("b", PHONE, "2")]

        assert inbox.store(connection, "twilio", said, now=desk.now) == 2
        assert inbox.store(connection, "twilio", said, now=desk.after(hours=1)) == 0
        assert inbox.store(connection, "other", said[:1], now=desk.now) == 1

    def test_hands_out_each_entry_until_it_is_handled(self, connection: Connection, desk: Desk) -> None:
        inbox.store(connection, "twilio", [InboundText("a", PHONE, "1")], now=desk.now)
        entry_id = inbox.claim(connection, limit=9)[0]["id"]
        assert inbox.count_pending(connection) == 1

        inbox.settle(connection, {entry_id: "problem: test"}, now=desk.after(seconds=1))

        assert inbox.claim(connection, limit=9) == []
        assert inbox.count_problems(connection) == 1
        assert connection.execute(text("SELECT handled_at - received_at FROM inbox")).scalar_one() == timedelta(
            seconds=1
        )
