"""SendGrid's events are believed only when they are signed, and read whatever they hold."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from channels.base import ForgedError, UnreadableError, WebhookRequest
from channels.sendgrid_email import SendGridEmail
from clock import utc_now
from domain.delivery import Accepted, Received, Rejected, Remedy, Report, Unsubscribed
from tests.channels.conftest import EVENTS_URL, as_request, letter, sendgrid_at
from tests.vendors.fixtures import Vendors
from tests.vendors.signing import EventKey

KEY = EventKey(7)
TRANSPORT = sendgrid_at("http://127.0.0.1:1", webhook_public_key=KEY.public)
EVENT = {
    "email": "li@example.com",
    "timestamp": 1764000000,
    "event": "delivered",
    "sg_message_id": "m.1.filter0001.16648.5515E0B88.0",
    "sg_event_id": "e-1",
    "aftercare_mid": "1024-2",
}


def _signed(body: bytes, *, key: EventKey = KEY) -> WebhookRequest:
    headers = {name.lower(): value for name, value in key.headers(body, "1764000000").items()}
    return WebhookRequest(EVENTS_URL, headers, body)


def _read(*events: Any) -> list[Received]:
    return list(TRANSPORT.parse_webhook(_signed(json.dumps(events).encode())))


def _reports(sendgrid: SendGridEmail, vendors: Vendors, address: str) -> dict[str, Received]:
    """What SendGrid tells of a mail to an address, by the vendor's word."""
    vendors.knobs(batch_ms=300)
    assert isinstance(sendgrid.send(letter(7, attempt=3, address=address), now=utc_now()), Accepted)
    received = sendgrid.parse_webhook(as_request(vendors.callbacks(1)[0]))
    return {one.status if isinstance(one, Report) else type(one).__name__: one for one in received}


class TestEvents:
    def test_every_event_of_a_mail_names_the_attempt(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        reports = _reports(sendgrid, vendors, "li@example.com")

        (mail,) = vendors.messages("sendgrid")
        for status, outcome in (
            ("processed", Accepted(mail["message_id"])),
            ("delivered", Accepted(mail["message_id"], delivered=True)),
        ):
            report = reports[status]
            assert isinstance(report, Report)
            assert (report.message_id, report.attempt, report.outcome) == (7, 3, outcome)

    @pytest.mark.parametrize(
        ("name", "status", "code", "remedy"),
        [
            ("bounce", "bounce", "bounce 5.1.1", Remedy.BAD_ADDRESS),
            ("full", "bounce", "bounce 5.2.2", Remedy.TRY_LATER),
            ("blocked", "blocked", "blocked 5.7.1", Remedy.OTHER_MEDIUM),
            ("dropped-bounced", "dropped", "dropped bounced address", Remedy.BAD_ADDRESS),
            ("dropped-invalid", "dropped", "dropped invalid", Remedy.BAD_ADDRESS),
            ("dropped-spam", "dropped", "dropped spam reporting address", Remedy.COMPLAINED),
            ("dropped-unsubscribed", "dropped", "dropped unsubscribed address", Remedy.OPTED_OUT),
            ("dropped-odd", "dropped", "dropped", Remedy.GIVE_UP),
        ],
    )
    def test_a_failure_is_judged_by_its_type_and_reason(
        self, sendgrid: SendGridEmail, vendors: Vendors, name: str, status: str, code: str, remedy: Remedy
    ) -> None:
        report = _reports(sendgrid, vendors, f"{name}@example.com")[status]

        (mail,) = vendors.messages("sendgrid")
        assert isinstance(report, Report)
        assert report.outcome == Rejected(code, remedy, mail["message_id"])

    def test_a_deferred_mail_has_no_fate_yet(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        report = _reports(sendgrid, vendors, "deferred@example.com")["deferred"]

        assert isinstance(report, Report)
        assert report.outcome is None

    @pytest.mark.parametrize(
        ("event", "remedy"),
        [
            ("spamreport", Remedy.COMPLAINED),
            ("unsubscribe", Remedy.OPTED_OUT),
            ("group_unsubscribe", Remedy.OPTED_OUT),
        ],
    )
    def test_who_wants_no_more_is_told_with_the_address(self, event: str, remedy: Remedy) -> None:
        assert _read(EVENT | {"event": event}) == [Unsubscribed("e-1", "li@example.com", remedy)]

    def test_a_recipient_who_complained_gets_nothing_more(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        assert "Unsubscribed" in _reports(sendgrid, vendors, "spamreport@example.com")

        sendgrid.send(letter(8, address="spamreport@example.com"), now=utc_now())
        received = sendgrid.parse_webhook(as_request(vendors.callbacks(2)[1]))

        fates = {
            one.outcome.remedy for one in received if isinstance(one, Report) and isinstance(one.outcome, Rejected)
        }
        assert fates == {Remedy.COMPLAINED}

    def test_opens_clicks_and_unknown_words_are_left_out(self, sendgrid: SendGridEmail, vendors: Vendors) -> None:
        assert set(_reports(sendgrid, vendors, "opener@example.com")) == {"processed", "delivered"}
        assert _read(EVENT | {"event": "a word of tomorrow"}) == []

    def test_other_peoples_mail_is_left_out(self) -> None:
        unmarked = {name: value for name, value in EVENT.items() if name != "aftercare_mid"}

        assert (
            _read(unmarked, EVENT | {"aftercare_mid": "abc"}, EVENT | {"aftercare_mid": 5}, "text", None, [EVENT]) == []
        )

    def test_a_batch_without_events_says_nothing(self) -> None:
        assert _read() == []

    def test_the_id_of_a_mail_is_that_of_its_answer(self) -> None:
        for full in ("m.1.filter0001.16648.5515E0B88.0", "m.1.recvd-5f6b8c9d-7x2kq-1-2A.0", "m.1"):
            (report,) = _read(EVENT | {"sg_message_id": full})
            assert isinstance(report, Report)
            assert report.outcome == Accepted("m.1", delivered=True)

    def test_a_bounce_takes_the_status_of_its_reason_when_it_has_none(self) -> None:
        reason = "552 5.2.2 <li@example.com> mailbox of host 10.5.1.1 is full"
        (report,) = _read(EVENT | {"event": "bounce", "type": "bounce", "reason": reason})

        assert isinstance(report, Report)
        assert report.outcome == Rejected("bounce 5.2.2", Remedy.TRY_LATER, "m.1")

    def test_a_code_holds_no_address(self) -> None:
        for reason in ("550 <li@example.com> unknown", "li@example.com"):
            for event in ("bounce", "dropped"):
                (report,) = _read(EVENT | {"event": event, "type": "bounce", "reason": reason})
                assert isinstance(report, Report)
                assert "li@" not in repr(report)


class TestKeys:
    def test_the_same_event_twice_has_the_same_key(self) -> None:
        assert _read(EVENT, EVENT)[0] == _read(EVENT)[0]

    def test_an_event_without_an_id_is_known_by_its_fields(self) -> None:
        without = EVENT | {"sg_event_id": None}
        (first,), (again,) = _read(without), _read(without | {"reason": "new"})
        others = [_read(without | {name: "x"})[0] for name in ("email", "timestamp", "sg_message_id")]

        assert first.key == again.key
        assert len({first.key, *(other.key for other in others)}) == 4
        assert len(first.key) == 64


class TestSignature:
    def test_json_that_was_written_anew_is_forged(self) -> None:
        request = _signed(json.dumps([EVENT], ensure_ascii=False).encode() + b"\r\n")
        assert TRANSPORT.parse_webhook(request)

        for body in (request.body.rstrip(), json.dumps(json.loads(request.body), indent=1).encode(), b""):
            with pytest.raises(ForgedError):
                TRANSPORT.parse_webhook(WebhookRequest(request.url, request.headers, body))

    def test_another_key_is_forged(self) -> None:
        with pytest.raises(ForgedError):
            TRANSPORT.parse_webhook(_signed(b"[]", key=EventKey(8)))

    def test_another_timestamp_is_forged(self) -> None:
        request = _signed(b"[]")
        headers = {**request.headers, "x-twilio-email-event-webhook-timestamp": "1764000001"}

        with pytest.raises(ForgedError):
            TRANSPORT.parse_webhook(WebhookRequest(request.url, headers, request.body))

    def test_without_a_public_key_nothing_is_believed(self) -> None:
        with pytest.raises(ForgedError):
            sendgrid_at("http://127.0.0.1:1").parse_webhook(_signed(b"[]"))

    @pytest.mark.parametrize("missing", ["signature", "timestamp"])
    def test_a_missing_header_is_forged(self, missing: str) -> None:
        request = _signed(b"[]")
        headers = {name: value for name, value in request.headers.items() if not name.endswith(missing)}

        with pytest.raises(ForgedError):
            TRANSPORT.parse_webhook(WebhookRequest(request.url, headers, request.body))

    def test_a_public_key_that_is_none_is_refused_at_the_start(self) -> None:
        other = rsa.generate_private_key(65_537, 2048).public_key()
        der = other.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        for key in ("abc", base64.b64encode(der).decode()):
            with pytest.raises(ValueError):
                sendgrid_at("http://127.0.0.1:1", webhook_public_key=key)

    @given(
        body=st.binary(max_size=300),
        signature=st.text(max_size=100) | st.binary(max_size=80).map(lambda raw: base64.b64encode(raw).decode()),
        timestamp=st.text(max_size=20),
    )
    def test_garbage_is_forged_and_nothing_else(self, body: bytes, signature: str, timestamp: str) -> None:
        headers = {
            "x-twilio-email-event-webhook-signature": signature,
            "x-twilio-email-event-webhook-timestamp": timestamp,
        }
        with pytest.raises(ForgedError):
            TRANSPORT.parse_webhook(WebhookRequest(EVENTS_URL, headers, body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


class TestWhateverIsSigned:
    @given(changes=st.dictionaries(st.sampled_from([*EVENT, "type", "reason", "status"]), JSON))
    def test_an_event_with_odd_fields_is_read_or_left_out(self, changes: dict[str, Any]) -> None:
        for received in _read(EVENT | changes):
            text = repr(received).encode()  # no half of a surrogate pair
            assert b"\x00" not in text

    @given(body=st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | JSON.map(json.dumps))
    def test_a_body_of_any_kind_is_read_or_unreadable(self, body: str) -> None:
        try:
            assert list(TRANSPORT.parse_webhook(_signed(body.encode()))) == []
        except UnreadableError:
            return

    @pytest.mark.parametrize("body", [b"[" * 100_000, b"[" + b"9" * 5_000 + b"]", b'{"event": "delivered"}', b""])
    def test_json_that_breaks_readers_is_unreadable(self, body: bytes) -> None:
        with pytest.raises(UnreadableError):
            TRANSPORT.parse_webhook(_signed(body))
