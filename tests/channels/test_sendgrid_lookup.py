"""What became of a mail whose answer was lost is found in the Email Logs, where the account has them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from channels.sendgrid_email import SendGridEmail
from clock import utc_now
from domain.delivery import Accepted, CannotTell, NotFound, Rejected, Remedy, Unknown
from tests.channels.conftest import attempt_of, letter, sendgrid_at
from tests.vendors.fixtures import Vendors, free_port


def _lose(sendgrid: SendGridEmail, vendors: Vendors, message_id: int = 1024, **words: Any) -> str:
    """Send a mail whose answer is lost; returns its id at SendGrid."""
    vendors.fault("sendgrid.send", "drop_after")
    assert isinstance(sendgrid.send(letter(message_id, **words), now=utc_now()), Unknown)
    return str(vendors.messages("sendgrid")[-1]["message_id"])


def _page(created: object) -> str:
    """A page of logs with one delivered mail that could be ours."""
    line = {"sg_message_id": "m.recvd-1", "subject": letter().subject, "status": "delivered"}
    return json.dumps({"messages": [line | {"sg_message_id_created_at": created}]})


class TestFound:
    def test_a_mail_whose_answer_was_lost_is_found_with_what_became_of_it(
        self, sendgrid: SendGridEmail, vendors: Vendors
    ) -> None:
        vendors.knobs(step_ms=60_000)
        first = _lose(sendgrid, vendors, 1)
        vendors.knobs(step_ms=1)
        second = _lose(sendgrid, vendors, 2)
        bounced = _lose(sendgrid, vendors, 3, address="bounce@example.com")
        dropped = _lose(sendgrid, vendors, 4, address="dropped-spam@example.com")
        vendors.callbacks(1)

        assert sendgrid.lookup(attempt_of(letter(1))) == Accepted(first)
        assert sendgrid.lookup(attempt_of(letter(2))) == Accepted(second, delivered=True)
        assert sendgrid.lookup(attempt_of(letter(3, address="bounce@example.com"))) == Rejected(
            "bounce 5.1.1", Remedy.BAD_ADDRESS, bounced
        )
        assert sendgrid.lookup(attempt_of(letter(4, address="dropped-spam@example.com"))) == Rejected(
            "dropped spam reporting address", Remedy.COMPLAINED, dropped
        )

    def test_two_equal_mails_are_told_apart_by_their_mark(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        vendors.knobs(step_ms=60_000)
        ids = {number: _lose(sendgrid, vendors, number, subject="同一个主题") for number in (1, 2, 3)}

        for number in (3, 1, 2):
            asked = attempt_of(letter(number, subject="同一个主题"))
            assert sendgrid.lookup(asked) == Accepted(ids[number])
        assert sendgrid.lookup(attempt_of(letter(4, subject="同一个主题"))) == NotFound()

    def test_an_earlier_attempt_of_the_same_message_is_the_message(
        self, sendgrid: SendGridEmail, vendors: Vendors
    ) -> None:
        vendors.knobs(step_ms=60_000)
        first = _lose(sendgrid, vendors, 1)

        assert sendgrid.lookup(attempt_of(letter(1, attempt=2))) == Accepted(first)

    @pytest.mark.parametrize("subject", ['TK-1: "quoted"', "TK-1: it's", "TK-1: back\\slash", "TK-1:  two  spaces"])
    def test_a_subject_that_would_break_the_query_is_found(
        self, sendgrid: SendGridEmail, vendors: Vendors, subject: str
    ) -> None:
        vendors.knobs(step_ms=60_000)
        lost = _lose(sendgrid, vendors, subject=subject)

        assert sendgrid.lookup(attempt_of(letter(subject=subject))) == Accepted(lost)

    def test_a_known_id_is_found_by_its_beginning(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        vendors.knobs(step_ms=1)
        sent = [sendgrid.send(letter(), now=utc_now()) for _ in range(2)]
        vendors.callbacks(1)

        for outcome in sent:
            assert isinstance(outcome, Accepted)
            asked = attempt_of(letter(), provider_id=outcome.provider_id)
            assert sendgrid.lookup(asked) == Accepted(outcome.provider_id, delivered=True)


class TestNotFound:
    def test_a_mail_that_never_arrived_is_not_found_but_not_for_certain(
        self, sendgrid: SendGridEmail, vendors: Vendors
    ) -> None:
        vendors.fault("sendgrid.send", "drop_before")
        sendgrid.send(letter(), now=utc_now())

        assert sendgrid.lookup(attempt_of(letter())) == NotFound(is_certain=False)

    def test_logs_that_lag_find_it_later(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        vendors.knobs(lag_s=600, step_ms=60_000)
        lost = _lose(sendgrid, vendors)
        assert sendgrid.lookup(attempt_of(letter())) == NotFound()

        vendors.knobs(lag_s=0)

        assert sendgrid.lookup(attempt_of(letter())) == Accepted(lost)

    def test_another_subject_address_or_time_and_known_mails_are_not_ours(
        self, sendgrid: SendGridEmail, vendors: Vendors
    ) -> None:
        lost = _lose(sendgrid, vendors)

        for asked in (
            attempt_of(letter(subject="another")),
            attempt_of(letter(address="wang@example.com")),
            attempt_of(letter(), started_at=utc_now() + timedelta(minutes=2)),
            attempt_of(letter(), known_ids=frozenset({lost})),
        ):
            assert sendgrid.lookup(asked) == NotFound()

    def test_an_accepted_mail_that_is_not_listed_proves_nothing(self, sendgrid: SendGridEmail) -> None:
        assert sendgrid.lookup(attempt_of(letter(), provider_id="m")) == CannotTell("not_listed")


class TestFailing:
    def test_an_account_without_logs_cannot_tell(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        vendors.knobs(logs_bought=False)

        assert sendgrid.lookup(attempt_of(letter())) == CannotTell("http_403", is_final=True)

    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            ("429", "http_429"),
            ("502_html", "http_502"),
            ("503_before", "http_503"),
            ("hang_before", "no_connection"),
            ("drop_before", "no_connection"),
        ],
    )
    def test_a_look_up_that_fails_says_so_and_guesses_nothing(
        self, sendgrid: SendGridEmail, vendors: Vendors, kind: str, code: str
    ) -> None:
        vendors.fault("sendgrid.lookup", kind)

        assert sendgrid.lookup(attempt_of(letter())) == CannotTell(code)

    @pytest.mark.parametrize("payload", ["", "<html>", "[]", "{}", '{"messages": 5}', '{"messages": [5]}'])
    def test_logs_that_cannot_be_read_tell_nothing(
        self, sendgrid: SendGridEmail, vendors: Vendors, payload: str
    ) -> None:
        vendors.fault("sendgrid.lookup", "refuse", status=200, body=payload)

        assert sendgrid.lookup(attempt_of(letter())) == CannotTell("unreadable_answer")

    @pytest.mark.parametrize("created", ["", "yesterday", None, 5])
    def test_a_line_without_a_moment_is_not_ours(
        self, sendgrid: SendGridEmail, vendors: Vendors, created: object
    ) -> None:
        vendors.fault("sendgrid.lookup", "refuse", status=200, body=_page(created))

        assert sendgrid.lookup(attempt_of(letter())) == NotFound()

    def test_a_mail_whose_mark_cannot_be_asked_for_is_taken_by_time(
        self, sendgrid: SendGridEmail, vendors: Vendors
    ) -> None:
        vendors.fault("sendgrid.lookup", "refuse", status=200, body=_page(f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"))
        vendors.fault("sendgrid.lookup", "refuse", status=404)

        assert sendgrid.lookup(attempt_of(letter())) == Accepted("m", delivered=True)

    def test_nobody_there_tells_nothing(self, vendors: Vendors) -> None:
        assert sendgrid_at(f"http://127.0.0.1:{free_port()}").lookup(attempt_of(letter())) == CannotTell(
            "no_connection"
        )
