"""Codes are data: each has a verdict, and what is not there is never tried again by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.codes import Codes, Handover, failed_later, refused, table
from domain.delivery import NotSent, Rejected, Remedy, Stopped


@pytest.mark.parametrize("codes", Codes)
def test_every_verdict_is_a_remedy_or_a_word_about_the_hand_over(codes: Codes) -> None:
    assert table(codes)
    assert all(isinstance(verdict, Remedy | Handover) for verdict in table(codes).values())


@pytest.mark.parametrize("codes", Codes)
def test_an_unknown_code_is_given_up(codes: Codes) -> None:
    assert refused(codes, "99999") == Rejected("99999", Remedy.GIVE_UP)
    assert failed_later(codes, "99999", provider_id="x") == Rejected("99999", Remedy.GIVE_UP, "x")


@pytest.mark.parametrize(
    ("remedy", "codes"),
    [
        (Remedy.BAD_ADDRESS, "21211 21612 21614 30005 30006"),
        (Remedy.OPTED_OUT, "21610"),
        (Remedy.OTHER_MEDIUM, "21408 30450 30004 30007"),
        (Remedy.TRY_LATER, "30003 30008 30036 30610"),
        (Remedy.GIVE_UP, "21617 21658 21619 35114 35117 90007 30045"),
    ],
)
def test_twilios_codes_ask_for_what_the_vendor_says(remedy: Remedy, codes: str) -> None:
    assert {refused(Codes.TWILIO, code) for code in codes.split()} == {Rejected(code, remedy) for code in codes.split()}


@pytest.mark.parametrize("code", ["20429", "21611", "30001", "30047"])
def test_what_twilio_had_no_room_for_is_tried_again(code: str) -> None:
    wait = timedelta(seconds=3)

    assert refused(Codes.TWILIO, code, retry_after=wait) == NotSent(code, wait)
    assert failed_later(Codes.TWILIO, code, provider_id="x") == Rejected(code, Remedy.TRY_LATER, "x")


@pytest.mark.parametrize("code", ["20003", "21603", "21606", "30034"])
def test_a_wrong_account_or_sender_stops_everything_but_reaches_who_was_accepted_otherwise(code: str) -> None:
    assert refused(Codes.TWILIO, code) == Stopped(code)
    assert failed_later(Codes.TWILIO, code, provider_id="x") == Rejected(code, Remedy.OTHER_MEDIUM, "x")


def test_the_most_exact_name_decides() -> None:
    assert refused(Codes.SMTP, "550 5.7.1", "5.7.1", "5.7", "rcpt 550") == Rejected("550 5.7.1", Remedy.OTHER_MEDIUM)
    assert refused(Codes.SMTP, "550", "rcpt 550") == Rejected("550", Remedy.BAD_ADDRESS)
