"""What became of an SMS whose answer was lost is found without a mark: by number, time and words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from channels.twilio_sms import TwilioSms
from clock import utc_now
from domain.delivery import Accepted, CannotTell, NotFound, Rejected, Remedy, Unknown
from tests.channels.conftest import attempt_of, text, twilio_at
from tests.vendors.fixtures import Vendors, free_port


def _lose(twilio: TwilioSms, vendors: Vendors, now: datetime, **words: Any) -> str:
    """Send a text whose answer is lost; returns the sid it has at Twilio."""
    vendors.fault("twilio.send", "drop_after")
    assert isinstance(twilio.send(text(**words), now=now), Unknown)
    return str(vendors.messages("twilio")[-1]["sid"])


class TestByWords:
    def test_a_text_whose_answer_was_lost_is_found(self, twilio: TwilioSms, vendors: Vendors, now: datetime) -> None:
        vendors.knobs(step_ms=60_000)
        sid = _lose(twilio, vendors, now)

        assert twilio.lookup(attempt_of(text())) == Accepted(sid)

    def test_what_became_of_it_since_is_told(self, twilio: TwilioSms, vendors: Vendors, now: datetime) -> None:
        sid = _lose(twilio, vendors, now)
        vendors.callbacks(2)

        assert twilio.lookup(attempt_of(text())) == Accepted(sid, delivered=True)

    def test_a_text_that_the_carrier_refused_since_is_rejected_by_its_code(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        sid = _lose(twilio, vendors, now, address="+150055630003")
        vendors.callbacks(2)

        found = twilio.lookup(attempt_of(text(address="+150055630003")))

        assert found == Rejected("30003", Remedy.TRY_LATER, sid)

    def test_a_text_that_never_arrived_is_not_found_but_not_for_certain(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        vendors.fault("twilio.send", "drop_before")
        twilio.send(text(), now=now)

        assert twilio.lookup(attempt_of(text())) == NotFound(is_certain=False)

    def test_a_list_that_lags_finds_it_later(self, twilio: TwilioSms, vendors: Vendors, now: datetime) -> None:
        vendors.knobs(lag_s=600)
        sid = _lose(twilio, vendors, now)
        vendors.callbacks(2)  # the callbacks with our mark come before the list knows
        assert twilio.lookup(attempt_of(text())) == NotFound()

        vendors.knobs(lag_s=0)

        assert twilio.lookup(attempt_of(text())) == Accepted(sid, delivered=True)

    def test_a_text_that_waits_to_be_sent_is_found_though_it_has_no_date_of_sending(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        vendors.knobs(step_ms=60_000)
        sid = _lose(twilio, vendors, now)

        assert twilio.lookup(attempt_of(text())) == Accepted(sid)

    @pytest.mark.parametrize("edits", [["smart"], ["shorten"], ["footer"], ["smart", "shorten", "footer"]])
    def test_smart_encoding_short_links_and_footers_hide_nothing(
        self, twilio: TwilioSms, vendors: Vendors, edits: list[str], now: datetime
    ) -> None:
        vendors.knobs(edits=edits)
        body = "TK-00001024 – visit “tomorrow”, 09:00–11:00…\u00a0Track: https://aftercare.example/p/abc.def?x=1，谢谢"
        sid = _lose(twilio, vendors, now, body=body)

        found = twilio.lookup(attempt_of(text(body=body)))

        assert isinstance(found, Accepted)
        assert found.provider_id == sid
        assert vendors.messages("twilio")[0]["body"] != body

    @pytest.mark.parametrize(
        "other",
        [
            {"body": "【售后】工单 TK-00001025 已分配给张伟。"},
            {"body": "…"},
            {"body": "https://aftercare.example/p/abc.def"},
            {"address": "+8613900139000"},
        ],
    )
    def test_other_words_or_another_number_are_not_ours(
        self, twilio: TwilioSms, vendors: Vendors, other: dict[str, Any], now: datetime
    ) -> None:
        _lose(twilio, vendors, now)

        assert twilio.lookup(attempt_of(text(**other))) == NotFound()

    def test_words_without_a_letter_are_compared_as_they_are(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        sid = _lose(twilio, vendors, now, body="👍")

        found = twilio.lookup(attempt_of(text(body="👍")))

        assert isinstance(found, Accepted)
        assert found.provider_id == sid
        assert twilio.lookup(attempt_of(text(body="👎"))) == NotFound()


class TestWhoseItIs:
    def test_of_two_equal_texts_the_known_one_is_left_out(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        known = twilio.send(text(1, body="同样的话"), now=now)
        assert isinstance(known, Accepted)
        asked = attempt_of(text(2, body="同样的话"), known_ids=frozenset({known.provider_id}))
        assert twilio.lookup(asked) == NotFound()

        sid = _lose(twilio, vendors, now, body="同样的话")
        found = twilio.lookup(asked)

        assert isinstance(found, Accepted)
        assert found.provider_id == sid

    def test_a_text_from_before_the_attempt_is_not_ours_but_a_minute_of_skew_is_granted(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        _lose(twilio, vendors, now)

        assert twilio.lookup(attempt_of(text(), started_at=utc_now() + timedelta(minutes=2))) == NotFound()
        within = twilio.lookup(attempt_of(text(), started_at=utc_now() + timedelta(seconds=50)))
        assert isinstance(within, Accepted)

    @pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
    def test_the_zone_of_the_attempts_moment_changes_nothing(
        self, twilio: TwilioSms, vendors: Vendors, zone: str, now: datetime
    ) -> None:
        sid = _lose(twilio, vendors, now)

        found = twilio.lookup(attempt_of(text(), started_at=utc_now().astimezone(ZoneInfo(zone))))

        assert isinstance(found, Accepted)
        assert found.provider_id == sid

    def test_the_nearest_in_time_is_ours(self, twilio: TwilioSms, vendors: Vendors, now: datetime) -> None:
        first = _lose(twilio, vendors, now)
        vendors.knobs(step_ms=1_100)
        vendors.callbacks(2)
        second = _lose(twilio, vendors, now)
        messages = {
            message["sid"]: datetime.fromisoformat(message["created"]) for message in vendors.messages("twilio")
        }

        for sid in (first, second):
            found = twilio.lookup(attempt_of(text(), started_at=messages[sid]))
            assert isinstance(found, Accepted)
            assert messages[found.provider_id] == messages[sid]


class TestById:
    def test_a_known_id_is_asked_for_directly(self, twilio: TwilioSms, vendors: Vendors, now: datetime) -> None:
        vendors.knobs(lag_s=60)
        sent = twilio.send(text(), now=now)
        assert isinstance(sent, Accepted)
        vendors.callbacks(2)

        assert twilio.lookup(attempt_of(text(), provider_id=sent.provider_id)) == Accepted(sent.provider_id, True)

    def test_an_id_that_twilio_does_not_know_proves_nothing(self, twilio: TwilioSms) -> None:
        assert twilio.lookup(attempt_of(text(), provider_id="SM" + "0" * 32)) == CannotTell("20404")


class TestFailing:
    @pytest.mark.parametrize("provider_id", [None, "SM" + "0" * 32])
    @pytest.mark.parametrize(
        ("kind", "codes"),
        [
            ("429", {"http_429", "20429"}),
            ("502_html", {"http_502", "502"}),
            ("503_before", {"http_503", "20503"}),
            ("hang_before", {"no_connection"}),
            ("drop_before", {"no_connection"}),
        ],
    )
    def test_a_look_up_that_fails_says_so_and_guesses_nothing(
        self, twilio: TwilioSms, vendors: Vendors, kind: str, codes: set[str], provider_id: str | None
    ) -> None:
        vendors.fault("twilio.lookup", kind)

        found = twilio.lookup(attempt_of(text(), provider_id=provider_id))

        assert isinstance(found, CannotTell)
        assert found.code in codes

    @pytest.mark.parametrize("payload", ["", "<html>", "[]", "5", "null", '{"a": 1, "b": 2}', '{"messages": [5]}'])
    def test_a_list_that_cannot_be_read_tells_nothing(self, twilio: TwilioSms, vendors: Vendors, payload: str) -> None:
        vendors.fault("twilio.lookup", "refuse", status=200, body=payload)

        assert twilio.lookup(attempt_of(text())) == CannotTell("unreadable_answer")

    def test_wrong_credentials_or_nobody_there_tell_nothing(self, vendors: Vendors) -> None:
        assert twilio_at(vendors.url, auth_token="wrong").lookup(attempt_of(text())) == CannotTell("http_401")
        nobody = twilio_at(f"http://127.0.0.1:{free_port()}")
        assert nobody.lookup(attempt_of(text())) == CannotTell("no_connection")
