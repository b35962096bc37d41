"""Whatever happens to a hand-over to SendGrid, the outcome says what may have left."""

from __future__ import annotations

import socket
import time
from base64 import b64decode
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from channels.sendgrid_email import SendGridEmail
from clock import utc_now
from domain.delivery import Accepted, NotSent, Outcome, Rejected, Remedy, Stopped, Unknown
from tests.channels.conftest import PICTURE, SHEET, TIMEOUT, full_server, letter, raw_server, read_request, sendgrid_at
from tests.vendors.fixtures import Vendors, free_port
from tests.vendors.smtp_server import tls_context

UNSUBSCRIBE = "https://aftercare.example/unsubscribe/abc.def"


class TestWhatIsHandedOver:
    def test_sender_recipient_words_and_mark_arrive_as_they_are(
        self, sendgrid: SendGridEmail, vendors: Vendors, now: datetime
    ) -> None:
        outcome = sendgrid.send(letter(7, attempt=3), now=now)

        (stored,) = vendors.messages("sendgrid")
        asked = stored["request"]
        assert outcome == Accepted(stored["message_id"])
        assert asked["from"] == {"email": "care@aftercare.example", "name": "售后"}
        assert asked["personalizations"] == [
            {"to": [{"email": letter().address}], "custom_args": {"aftercare_mid": "7-3"}}
        ]
        assert asked["subject"] == letter(7).subject
        assert asked["content"] == [
            {"type": "text/plain", "value": letter().body},
            {"type": "text/html", "value": letter().html},
        ]

    def test_nobody_is_tracked(self, sendgrid: SendGridEmail, vendors: Vendors, now: datetime) -> None:
        sendgrid.send(letter(), now=now)

        assert vendors.messages("sendgrid")[0]["request"]["tracking_settings"] == {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        }

    def test_a_survey_can_be_declined_with_one_click_and_other_mail_says_nothing_of_it(
        self, sendgrid: SendGridEmail, vendors: Vendors, now: datetime
    ) -> None:
        sendgrid.send(letter(1, unsubscribe_url=UNSUBSCRIBE), now=now)
        sendgrid.send(letter(2), now=now)

        survey, notice = (mail["request"] for mail in vendors.messages("sendgrid"))
        assert survey["headers"] == {
            "List-Unsubscribe": f"<{UNSUBSCRIBE}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        assert "headers" not in notice

    def test_files_leave_with_the_mail_pictures_by_the_name_its_html_gives_them(
        self, sendgrid: SendGridEmail, vendors: Vendors, now: datetime
    ) -> None:
        outcome = sendgrid.send(letter(enclosures=[PICTURE, SHEET]), now=now)

        (stored,) = vendors.messages("sendgrid")
        assert outcome == Accepted(stored["message_id"])
        picture, sheet = stored["request"]["attachments"]
        assert (picture["content_id"], picture["disposition"]) == ("promises", "inline")
        assert (sheet["filename"], sheet["disposition"], sheet["type"]) == (SHEET.name, "attachment", SHEET.media_type)
        assert [b64decode(file["content"]) for file in (picture, sheet)] == [PICTURE.content, SHEET.content]

    def test_a_mail_without_html_has_text_only(self, sendgrid: SendGridEmail, vendors: Vendors, now: datetime) -> None:
        sendgrid.send(letter(html=None), now=now)

        (stored,) = vendors.messages("sendgrid")
        assert [part["type"] for part in stored["request"]["content"]] == ["text/plain"]

    def test_a_text_that_looks_like_an_api_key_is_refused_by_the_sdk(
        self, sendgrid: SendGridEmail, now: datetime
    ) -> None:
        assert sendgrid.send(letter(body="SG.abc.def"), now=now) == Rejected("api_key_in_text")


class TestWhatFails:
    @pytest.mark.parametrize(
        ("kind", "outcome", "stored"),
        [
            ("502_html", Unknown("http_502"), 0),
            ("503_before", Unknown("http_503"), 0),
            ("503_after", Unknown("http_503"), 1),
            ("drop_before", Unknown("connection_lost"), 0),
            ("drop_after", Unknown("connection_lost"), 1),
            ("hang_before", Unknown("read_timeout"), 0),
            ("hang_after", Unknown("read_timeout"), 1),
            ("garbled_after", Unknown("unreadable_answer"), 1),
        ],
    )
    def test_each_fault_has_its_outcome_and_is_never_posted_twice(
        self, sendgrid: SendGridEmail, vendors: Vendors, kind: str, outcome: Outcome, stored: int, now: datetime
    ) -> None:
        vendors.fault("sendgrid.send", kind)

        assert sendgrid.send(letter(), now=now) == outcome
        assert vendors.requests("sendgrid.send") == 1
        assert len(vendors.messages("sendgrid")) == stored

    def test_too_many_at_once_waits_as_long_as_asked(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        vendors.fault("sendgrid.send", "429", wait=30)

        outcome = sendgrid.send(letter(), now=utc_now())

        assert isinstance(outcome, NotSent)
        assert outcome.retry_after is not None
        # The vendor names a whole second, counted from when it answered.
        assert timedelta(seconds=28) < outcome.retry_after < timedelta(seconds=31)

    @pytest.mark.parametrize(
        ("now_is", "wait"), [(timedelta(days=-1), timedelta(hours=1)), (timedelta(days=1), None)], ids=["early", "late"]
    )
    def test_an_odd_wait_is_bounded(
        self, sendgrid: SendGridEmail, vendors: Vendors, now_is: timedelta, wait: timedelta | None
    ) -> None:
        vendors.fault("sendgrid.send", "429")

        assert sendgrid.send(letter(), now=utc_now() + now_is) == NotSent("429", wait)

    def test_too_many_without_a_header_says_no_wait(
        self, sendgrid: SendGridEmail, vendors: Vendors, now: datetime
    ) -> None:
        vendors.fault("sendgrid.send", "refuse", status=429)

        assert sendgrid.send(letter(), now=now) == NotSent("429")

    def test_a_silent_vendor_is_waited_for_no_longer_than_the_timeout(
        self, sendgrid: SendGridEmail, vendors: Vendors, now: datetime
    ) -> None:
        vendors.fault("sendgrid.send", "hang_after")
        began = time.monotonic()

        sendgrid.send(letter(), now=now)

        assert TIMEOUT <= time.monotonic() - began < TIMEOUT + 1

    @pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "http://nobody.invalid"])
    def test_where_nobody_listens_nothing_has_left(self, vendors: Vendors, address: str, now: datetime) -> None:
        transport = sendgrid_at(address.format(port=free_port()))

        assert transport.send(letter(), now=now) == NotSent("no_connection")

    def test_a_connect_that_takes_too_long_sent_nothing(self, vendors: Vendors, now: datetime) -> None:
        with full_server() as port:
            assert sendgrid_at(f"http://127.0.0.1:{port}").send(letter(), now=now) == NotSent("no_connection")

    def test_a_failed_tls_handshake_sent_nothing(self, vendors: Vendors, certificate: Path, now: datetime) -> None:
        plain = sendgrid_at(vendors.url.replace("http://", "https://"))
        assert plain.send(letter(), now=now) == NotSent("no_connection")

        context = tls_context(certificate)
        with raw_server(lambda connection: context.wrap_socket(connection, server_side=True).close()) as port:
            assert sendgrid_at(f"https://127.0.0.1:{port}").send(letter(), now=now) == NotSent("no_connection")

    def test_an_answer_that_ends_in_the_middle_is_unclear(self, vendors: Vendors, now: datetime) -> None:
        def half(connection: socket.socket) -> None:
            assert read_request(connection)
            connection.sendall(b"HTTP/1.1 202 Accepted\r\nX-Message-Id: m\r\nContent-Length: 50\r\n\r\nhalf")

        with raw_server(half) as port:
            assert sendgrid_at(f"http://127.0.0.1:{port}").send(letter(), now=now) == Unknown("connection_lost")

    @pytest.mark.parametrize("address", ["api.sendgrid.com", "http://[::1", "http://127.0.0.1:port"])
    def test_an_address_that_is_none_stops_everything(self, vendors: Vendors, address: str, now: datetime) -> None:
        assert sendgrid_at(address).send(letter(), now=now) == Stopped("api_base_url")

    def test_a_wrong_key_stops_everything(self, vendors: Vendors, now: datetime) -> None:
        assert sendgrid_at(vendors.url, api_key="SG.wrong").send(letter(), now=now) == Stopped("401")

    def test_a_sender_that_is_not_verified_stops_everything(self, vendors: Vendors, now: datetime) -> None:
        unverified = sendgrid_at(vendors.url, sender="unverified@aftercare.example")
        assert unverified.send(letter(), now=now) == Stopped("403")

    def test_an_address_that_is_none_is_remembered_as_bad(self, sendgrid: SendGridEmail, now: datetime) -> None:
        assert sendgrid.send(letter(address="li@nowhere"), now=now) == Rejected("400 to", Remedy.BAD_ADDRESS)

    @pytest.mark.parametrize(
        ("status", "body", "outcome"),
        [
            (
                401,
                '{"errors": [{"message": "Maximum credits exceeded", "field": null}]}',
                Stopped("401 credits_exceeded"),
            ),
            (401, "<html>", Stopped("401")),
            (413, "<html><h1>413 Request Entity Too Large</h1></html>", Rejected("413")),
            (400, '{"errors": [{"message": "news", "field": "content.0.value"}]}', Rejected("400")),
            (400, '{"errors": [{"message": "not valid", "field": "from.email"}]}', Stopped("400 from")),
            (400, '{"errors": "news"}', Rejected("400")),
            (400, '{"errors": [5]}', Rejected("400")),
            (400, "\xff", Rejected("400")),
            (403, "", Stopped("403")),
            (307, "", Stopped("307")),
            (418, "", Rejected("418")),
            (451, "", Stopped("451")),
            (599, "", Unknown("http_599")),
        ],
    )
    def test_an_error_of_any_form_has_an_outcome(
        self, sendgrid: SendGridEmail, vendors: Vendors, status: int, body: str, outcome: Outcome, now: datetime
    ) -> None:
        vendors.fault("sendgrid.send", "refuse", status=status, body=body)

        assert sendgrid.send(letter(), now=now) == outcome
