"""``message_delivery`` with the vendors' real SDKs: the night, news said together, refusals, stops, answers by SMS."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from sqlalchemy import select, text

from db import media, outbox
from db.models import Message
from db.session import transaction
from domain.lifecycle import CommandName
from domain.messages import Medium, MessageKind
from flows.message_delivery import message_delivery
from flows.survey_dispatch import survey_dispatch
from settings import get_settings, written_standard
from tasks.credentials import DOCUMENT, SendGridCredentials, SmtpCredentials, TwilioCredentials
from tasks.transports import transport
from tests.conftest import read_cast
from tests.desk import Desk
from tests.vendors.fixtures import Vendors
from tests.vendors.sendgrid_api import API_KEY
from tests.vendors.twilio_api import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER
from web.app import create_app

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # in Shanghai
NIGHT = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
PHONE, ADDRESS, PUBLIC = "+8613800138000", "li@example.com", "https://care.example.com"
K = MessageKind
_numbers = itertools.count(1)
ENVIRONMENT = {
    "AFTERCARE_PUBLIC_URL": PUBLIC,
    "AFTERCARE_SECRET_KEY": "the key of the delivery tests",
    "AFTERCARE_SMS": "twilio",
    "AFTERCARE_EMAIL": "sendgrid",
    "AFTERCARE_VENDOR_TIMEOUT": "2",
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
    "TWILIO_FROM": OUR_NUMBER,
    "SENDGRID_API_KEY": API_KEY,
    "SENDGRID_FROM": "care@example.com",
}


@pytest.fixture
def by_vendors(product: str, vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The product sends by Twilio and SendGrid; the environment may be changed before the first run."""
    addresses = {"TWILIO_API_BASE_URL": vendors.url, "SENDGRID_API_BASE_URL": vendors.url}
    addresses["SENDGRID_WEBHOOK_PUBLIC_KEY"] = vendors.public_key()
    for name, value in (ENVIRONMENT | addresses).items():
        monkeypatch.setenv(name, value)
    vendors.knobs(public_url=PUBLIC)
    for cached in (get_settings, transport):
        cached.cache_clear()
    yield monkeypatch
    transport.cache_clear()


def run(now: datetime = NOON) -> Any:
    return message_delivery(now=now, return_state=True)


def ticket(
    *, phone: str | None = PHONE, email: str | None = ADDRESS, at: datetime = NOON, words: str = "It leaks"
) -> int:
    """A ticket in diagnosis, whose messages so far do not matter."""
    with transaction() as connection:
        desk = Desk(connection, written_standard(), at, read_cast(connection).supervisor)
        real = phone and f"+861390000{next(_numbers):04d}"
        ticket_id = desk.open(words, impact=None, phone=real, email=email, language="en")
        desk.follow_up(ticket_id)
        desk.give(ticket_id, CommandName.FIRST_CONTACT, summary="called")
        connection.execute(text("DELETE FROM messages WHERE ticket_id = :id"), {"id": ticket_id})
        # Some of the vendor's numbers are no real ones.
        values = {"phone": phone, "id": desk.ticket(ticket_id)["customer_id"]}
        connection.execute(text("UPDATE customers SET phone = :phone WHERE id = :id"), values)
    return ticket_id


def log(ticket_id: int, step: str, *, at: datetime = NOON) -> None:
    """Queue one notice of progress to the customer."""
    with transaction() as connection:
        desk = Desk(connection, written_standard(), at, read_cast(connection).supervisor)
        desk.give(ticket_id, CommandName.LOG_STEP, step=step, at=at)


def messages() -> list[dict[str, Any]]:
    with transaction() as connection:
        rows = connection.execute(select(Message.__table__).order_by(Message.id)).mappings().all()
    return [dict(row) for row in rows]


def take_callbacks(vendors: Vendors, at_least: int) -> list[int]:
    """Post what the vendors have to say to the pages; returns the answers."""
    with TestClient(create_app(), base_url=PUBLIC) as client:
        answers = []
        for callback in vendors.callbacks(at_least):
            path = callback["url"].removeprefix(PUBLIC)
            answers.append(client.post(path, content=callback["body"].encode(), headers=callback["headers"]))
    return [answer.status_code for answer in answers]


class TestNews:
    def test_of_one_ticket_within_minutes_is_said_in_one_sms(self, by_vendors: Any, vendors: Vendors) -> None:
        ticket_id = ticket()
        log(ticket_id, "The part has arrived.")
        run()
        for minute, step in ((1, "The engineer is on the way."), (2, "The motor is replaced.")):
            log(ticket_id, step, at=NOON + timedelta(minutes=minute))
            assert "postponed: 1" in run(NOON + timedelta(minutes=minute)).message

        state = run(NOON + timedelta(minutes=3))

        assert state.message == "accepted: 1, merged: 2"
        first, second = vendors.messages("twilio")
        assert "The part has arrived." in first["body"]
        assert "The engineer is on the way" in second["body"]
        assert "The motor is replaced" in second["body"]
        assert [row["state"] for row in messages()] == ["accepted", "merged", "merged", "accepted"]


class TestTheNight:
    def test_holds_an_ordinary_notice_and_not_an_urgent_one(self, by_vendors: Any, vendors: Vendors) -> None:
        log(ticket(at=NIGHT), "on the way", at=NIGHT)
        assert run(NIGHT).message == "postponed: 1"
        log(ticket(phone="+8613800138001", email=None, words="There is smoke", at=NIGHT), "hurrying", at=NIGHT)

        run(NIGHT)
        assert [message["to"] for message in vendors.messages("twilio")] == ["+8613800138001"]
        run(MORNING)

        assert [message["to"] for message in vendors.messages("twilio")] == ["+8613800138001", PHONE]


class TestARefusal:
    def test_of_the_number_at_once_is_followed_by_mail_and_remembered(self, by_vendors: Any, vendors: Vendors) -> None:
        ticket_id = ticket(phone="+15005550009")  # a landline
        log(ticket_id, "one")

        run()
        log(ticket_id, "two", at=NOON + timedelta(minutes=9))
        run(NOON + timedelta(minutes=9))

        assert vendors.messages("twilio") == []
        assert [mail["to"] for mail in vendors.messages("sendgrid")] == [ADDRESS, ADDRESS]
        assert [(row["state"], row["medium"]) for row in messages()] == [("accepted", "email")] * 2
        assert vendors.requests("twilio.send") == 1

    def test_that_a_carrier_reports_later_is_followed_by_mail(self, by_vendors: Any, vendors: Vendors) -> None:
        log(ticket(phone="+150055630006"), "one")
        run()

        assert set(take_callbacks(vendors, 2)) == {204}
        run(NOON + timedelta(seconds=1))

        assert [(row["state"], row["medium"]) for row in messages()] == [("accepted", "email")]

    def test_of_mail_and_sms_reaches_the_assignee(self, by_vendors: Any, vendors: Vendors) -> None:
        log(ticket(phone="+15005550009", email="bounce@example.com"), "one")
        run()
        take_callbacks(vendors, 1)

        run(NOON + timedelta(seconds=1))

        states = {row["kind"]: row["state"] for row in messages()}
        assert states[K.PROGRESS_STEP] == "failed"
        assert K.STAFF_MESSAGE_FAILED in states


class TestWrongCredentials:
    def test_stop_the_channel_instead_of_burning_the_queue(self, by_vendors: Any, vendors: Vendors) -> None:
        for number in range(3):
            log(ticket(phone=f"+861380013800{number}", email=None), "one")
        vendors.fault("twilio.send", "refuse", times=99, status=401, body='{"code": 20003, "message": "Authenticate"}')

        state = run()
        again = run(NOON + timedelta(minutes=1))

        assert state.is_failed()
        assert "the vendor refuses our sms: see 'aftercare channel list'" in state.message
        assert again.is_failed()  # it stays red until somebody mends it
        customers = [row for row in messages() if row["customer_id"]]
        assert {row["state"] for row in customers} == {"queued"}
        assert vendors.requests("twilio.send") <= 3
        assert any(row["kind"] == K.STAFF_CHANNEL_STOPPED and row["state"] == "accepted" for row in messages())

        vendors.reset()
        with transaction() as connection:
            assert media.resume(connection, Medium.SMS)
        run(NOON + timedelta(minutes=2))
        assert len(vendors.messages("twilio")) == 3

    def test_that_are_missing_are_named_and_nothing_is_claimed(self, by_vendors: Any, vendors: Vendors) -> None:
        log(ticket(), "one")
        by_vendors.delenv("TWILIO_AUTH_TOKEN")
        get_settings.cache_clear()

        state = run()

        assert state.is_failed()
        assert "AFTERCARE_SMS=twilio needs TWILIO_AUTH_TOKEN" in state.message
        assert [row["state"] for row in messages()] == ["queued"]

    def test_may_come_from_a_prefect_block(self, by_vendors: Any, vendors: Vendors) -> None:
        block = TwilioCredentials(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, sender=OUR_NUMBER)
        block.save(DOCUMENT, overwrite=True)
        for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"):
            by_vendors.delenv(name)
        get_settings.cache_clear()
        log(ticket(), "one")

        try:
            run()
        finally:
            TwilioCredentials.delete(DOCUMENT)

        assert len(vendors.messages("twilio")) == 1

    @pytest.mark.parametrize(
        ("block", "secret"),
        [
            (TwilioCredentials(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, sender=OUR_NUMBER), "auth_token"),
            (SendGridCredentials(api_key=API_KEY, sender="care@example.com"), "api_key"),
            (SmtpCredentials(host="mail.example.com", sender="care@example.com", password=AUTH_TOKEN), "password"),
        ],
        ids=lambda row: type(row).__name__ if isinstance(row, Block) else row,
    )
    def test_in_a_block_are_not_shown_by_prefect(self, product: str, block: Block, secret: str) -> None:
        kept = block.save("shown", overwrite=True)

        with get_client(sync_client=True) as client:
            shown = client.read_block_document(kept, include_secrets=False).data
            client.delete_block_document(kept)

        assert set(shown.pop(secret)) == {"*"}
        assert shown.pop("sender") == block.sender
        assert AUTH_TOKEN not in repr(block) + str(shown)
        assert API_KEY not in repr(block) + str(shown)


class TestAnSmsOfACustomer:
    def test_is_taken_in_from_the_callback_to_the_ticket(self, by_vendors: Any, vendors: Vendors) -> None:
        ticket_id = ticket()
        vendors.inbound(PHONE, "可以晚一点来吗？")

        assert take_callbacks(vendors, 1) == [200]
        state = run()

        assert "in: note on the ticket: 1" in state.message
        with transaction() as connection:
            told = [row for row in outbox.list_of(connection, ticket_id) if row["kind"] == K.STAFF_CUSTOMER_WROTE]
        assert "可以晚一点来吗？" in told[0]["body"]

    def test_that_stops_us_is_obeyed_and_the_mail_leaves_instead(self, by_vendors: Any, vendors: Vendors) -> None:
        ticket_id = ticket()
        vendors.inbound(PHONE, "退订")
        take_callbacks(vendors, 1)
        log(ticket_id, "one")

        run()

        assert vendors.messages("twilio") == []
        assert [mail["to"] for mail in vendors.messages("sendgrid")] == [ADDRESS]


class TestADaysSegments:
    def test_used_up_let_urgent_ones_pass_and_turn_the_others_to_mail(
        self, by_vendors: Any, vendors: Vendors, tmp_path: Any
    ) -> None:
        own = tmp_path / "own.toml"
        own.write_text("[courtesy]\nsms_segments_per_day = 1\n")
        by_vendors.setenv("AFTERCARE_STANDARD", str(own))
        for cached in (get_settings, written_standard):
            cached.cache_clear()
        log(ticket(), "one")
        log(ticket(phone="+8613800138001", email="second@example.com"), "two")
        log(ticket(phone="+8613800138002", email=None), "three")
        log(ticket(phone="+8613800138003", email=None, words="There is smoke"), "four")
        with transaction() as connection:
            connection.execute(text("UPDATE media SET spent_on = '2026-11-24', segments = 1 WHERE medium = 'sms'"))

        run()

        assert [message["to"] for message in vendors.messages("twilio")] == ["+8613800138003"]
        assert {mail["to"] for mail in vendors.messages("sendgrid")} == {ADDRESS, "second@example.com"}
        waiting = [row for row in messages() if row["state"] == "queued"]
        assert [row["send_after"] for row in waiting] == [MORNING]


def test_a_survey_can_be_declined_by_one_click(by_vendors: Any, vendors: Vendors) -> None:
    ticket_id, day = ticket(phone=None), timedelta(days=1)
    with transaction() as connection:
        desk = Desk(connection, written_standard(), NOON, read_cast(connection).supervisor)
        desk.give(ticket_id, CommandName.COMPLETE, summary="explained", guidance_only=True)
        connection.execute(text("DELETE FROM messages"))
    survey_dispatch(now=NOON + day, return_state=True)
    run(NOON + day)

    (mail,) = vendors.messages("sendgrid")
    headers = mail["request"]["headers"]
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = headers["List-Unsubscribe"].strip("<>")
    assert address in mail["request"]["content"][1]["value"]
    with TestClient(create_app(), base_url=PUBLIC) as client:
        assert client.post(address.removeprefix(PUBLIC), data={"List-Unsubscribe": "One-Click"}).status_code == 200
    survey_dispatch(now=NOON + 3 * day, return_state=True)
    run(NOON + 3 * day)

    reminder = messages()[-1]
    assert (reminder["kind"], reminder["state"], reminder["error_code"]) == ("survey_reminder", "withheld", "declined")
