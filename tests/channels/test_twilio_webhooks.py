"""Twilio's callbacks are believed only when they are signed, and read whatever they hold."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from channels.base import ForgedError, UnreadableError, WebhookRequest
from channels.twilio_sms import TwilioSms
from clock import utc_now
from domain.delivery import Accepted, InboundText, Rejected, Remedy, Report
from tests.channels.conftest import INBOUND_URL, PHONE, STATUS_URL, as_request, text, twilio_at
from tests.vendors.fixtures import Vendors
from tests.vendors.signing import twilio_headers
from tests.vendors.twilio_api import AUTH_TOKEN

TRANSPORT = twilio_at("http://127.0.0.1:1")
MARKED_URL = f"{STATUS_URL}?mid=1024-2"
SENT = {"MessageSid": "SM1", "MessageStatus": "sent", "To": PHONE}
INBOUND = {"MessageSid": "SM2", "From": PHONE, "Body": " 好的 ", "NumMedia": "0"}


def _signed(
    url: str, form: dict[str, str], *, token: str = AUTH_TOKEN, signed_url: str | None = None
) -> WebhookRequest:
    headers = {name.lower(): value for name, value in twilio_headers(token, signed_url or url, form).items()}
    return WebhookRequest(url, headers, urlencode(form).encode())


class TestStatus:
    def test_every_callback_of_a_message_names_the_attempt(self, twilio: TwilioSms, vendors: Vendors) -> None:
        sent = twilio_at(vendors.url, messaging_service_sid="MG" + "0" * 32).send(text(7, attempt=3), now=utc_now())
        assert isinstance(sent, Accepted)

        reports = [twilio.parse_webhook(as_request(callback)) for callback in vendors.callbacks(3)]

        sid = sent.provider_id
        assert reports == [
            [Report(f"{sid}:queued", 7, 3, Accepted(sid), "queued")],
            [Report(f"{sid}:sent", 7, 3, Accepted(sid), "sent")],
            [Report(f"{sid}:delivered", 7, 3, Accepted(sid, delivered=True), "delivered")],
        ]

    def test_a_failure_is_judged_by_its_code(self, twilio: TwilioSms, vendors: Vendors) -> None:
        sent = twilio.send(text(address="+150055630006"), now=utc_now())
        assert isinstance(sent, Accepted)

        (report,) = twilio.parse_webhook(as_request(vendors.callbacks(2)[-1]))

        assert isinstance(report, Report)
        assert report.outcome == Rejected("30006", Remedy.BAD_ADDRESS, sent.provider_id)

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            ("scheduled", Accepted("SM1")),
            ("sending", Accepted("SM1")),
            ("partially_delivered", Accepted("SM1")),
            ("read", Accepted("SM1", delivered=True)),
            ("canceled", Rejected("canceled", Remedy.GIVE_UP, "SM1")),
            ("undelivered", Rejected("undelivered", Remedy.OTHER_MEDIUM, "SM1")),
            ("a word of tomorrow", None),
        ],
    )
    def test_each_status_word_has_its_meaning(self, status: str, outcome: Accepted | Rejected | None) -> None:
        (report,) = TRANSPORT.parse_webhook(_signed(MARKED_URL, SENT | {"MessageStatus": status, "ErrorCode": ""}))

        assert report == Report(f"SM1:{status}", 1024, 2, outcome, status)

    def test_the_same_callback_twice_has_the_same_key(self) -> None:
        first = TRANSPORT.parse_webhook(_signed(MARKED_URL, SENT))
        again = TRANSPORT.parse_webhook(_signed(MARKED_URL, SENT | {"RawDlrDoneDate": "2611240200"}))

        assert first == again

    @pytest.mark.parametrize(
        ("url", "form"),
        [
            (STATUS_URL, SENT),
            (f"{STATUS_URL}?mid=abc", SENT),
            (f"{STATUS_URL}?mid=", SENT),
            (MARKED_URL, {}),
            (MARKED_URL, {"MessageSid": "SM1"}),
            (MARKED_URL, SENT | {"MessageSid": "\x00"}),
            (STATUS_URL.replace("/status", "/elsewhere"), SENT),
        ],
    )
    def test_what_names_no_message_of_ours_is_unreadable(self, url: str, form: dict[str, str]) -> None:
        with pytest.raises(UnreadableError):
            TRANSPORT.parse_webhook(_signed(url, form))


class TestInbound:
    def test_an_sms_to_us_comes_with_its_sender_and_words(self, twilio: TwilioSms, vendors: Vendors) -> None:
        sid = vendors.inbound(PHONE, "  好的，明天见 ")

        assert twilio.parse_webhook(as_request(vendors.callbacks(1)[0])) == [InboundText(sid, PHONE, "好的，明天见")]

    def test_a_picture_without_words_has_no_text(self) -> None:
        assert TRANSPORT.parse_webhook(_signed(INBOUND_URL, INBOUND | {"Body": ""})) == [InboundText("SM2", PHONE, "")]

    def test_what_a_database_cannot_keep_is_taken_out(self) -> None:
        (received,) = TRANSPORT.parse_webhook(_signed(INBOUND_URL, INBOUND | {"Body": "a\x00b"}))

        assert received == InboundText("SM2", PHONE, "ab")

    @pytest.mark.parametrize("other", [{"From": "10086"}, {"From": "whatsapp:+8613800138000"}, {"MessageSid": ""}])
    def test_a_sender_that_is_no_phone_cannot_be_answered(self, other: dict[str, str]) -> None:
        with pytest.raises(UnreadableError):
            TRANSPORT.parse_webhook(_signed(INBOUND_URL, INBOUND | other))


class TestSignature:
    def test_blank_fields_are_part_of_it(self) -> None:
        form = INBOUND | {"FromCity": "", "FromState": "", "FromZip": ""}

        assert TRANSPORT.parse_webhook(_signed(INBOUND_URL, form))

    def test_a_field_that_occurs_twice_is_part_of_it(self) -> None:
        fields = [*INBOUND.items(), ("Tag", "x"), ("Tag", "w")]
        headers = twilio_headers(AUTH_TOKEN, INBOUND_URL, QueryParams(fields))
        signed = {name.lower(): value for name, value in headers.items()}

        assert TRANSPORT.parse_webhook(WebhookRequest(INBOUND_URL, signed, urlencode(fields).encode()))

    def test_the_previous_token_still_counts_while_tokens_change(self) -> None:
        changed = twilio_at("http://127.0.0.1:1", auth_token="new", previous_auth_token=AUTH_TOKEN)

        assert changed.parse_webhook(_signed(MARKED_URL, SENT))
        assert changed.parse_webhook(_signed(MARKED_URL, SENT, token="new"))
        with pytest.raises(ForgedError):
            changed.parse_webhook(_signed(MARKED_URL, SENT, token="older"))

    @pytest.mark.parametrize(
        "signed_url",
        [
            MARKED_URL.replace("https://", "http://"),  # TLS ended at a proxy
            MARKED_URL.replace("aftercare.example", "10.0.0.1"),
            MARKED_URL.replace("/webhooks", ""),
            STATUS_URL,
            f"{STATUS_URL}?mid=1025-2",
        ],
    )
    def test_another_address_than_ours_is_forged(self, signed_url: str) -> None:
        with pytest.raises(ForgedError):
            TRANSPORT.parse_webhook(_signed(MARKED_URL, SENT, signed_url=signed_url))

    def test_the_port_of_https_may_be_named_or_not(self) -> None:
        named = MARKED_URL.replace("aftercare.example", "aftercare.example:443")

        assert TRANSPORT.parse_webhook(_signed(MARKED_URL, SENT, signed_url=named))

    def test_a_changed_missing_or_added_field_is_forged(self) -> None:
        request = _signed(MARKED_URL, SENT)
        for body in (b"", request.body.replace(b"sent", b"delivered"), request.body + b"&ErrorCode=30003"):
            with pytest.raises(ForgedError):
                TRANSPORT.parse_webhook(WebhookRequest(request.url, request.headers, body))

    @pytest.mark.parametrize("headers", [{}, {"x-twilio-signature": ""}, {"x-twilio-signature": "签名"}])
    def test_a_missing_or_odd_signature_is_forged(self, headers: dict[str, str]) -> None:
        with pytest.raises(ForgedError):
            TRANSPORT.parse_webhook(WebhookRequest(MARKED_URL, headers, urlencode(SENT).encode()))

    @given(body=st.binary(max_size=300), signature=st.text(max_size=40))
    def test_garbage_is_forged_and_nothing_else(self, body: bytes, signature: str) -> None:
        with pytest.raises(ForgedError):
            TRANSPORT.parse_webhook(WebhookRequest(MARKED_URL, {"x-twilio-signature": signature}, body))

    @given(
        form=st.dictionaries(
            st.sampled_from(["MessageSid", "MessageStatus", "ErrorCode", "From", "Body", "X"]),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        ),
        url=st.sampled_from([MARKED_URL, STATUS_URL, INBOUND_URL, "https://aftercare.example/"]),
    )
    def test_whatever_is_signed_is_read_or_unreadable(self, form: dict[str, str], url: str) -> None:
        try:
            received = TRANSPORT.parse_webhook(_signed(url, form))
        except UnreadableError:
            return
        assert len(received) == 1
        assert "\x00" not in repr(received)
