"""Whatever happens to a hand-over to Twilio, the outcome says what may have left."""

from __future__ import annotations

import json
import socket
import ssl
import time
from datetime import datetime
from pathlib import Path

import pytest

from channels.twilio_sms import TwilioSms
from domain.delivery import Accepted, NotSent, Outcome, Rejected, Remedy, Stopped, Unknown
from tests.channels.conftest import TIMEOUT, full_server, raw_server, read_request, text, twilio_at
from tests.vendors.fixtures import Vendors, free_port
from tests.vendors.smtp_server import tls_context


class TestWhatIsHandedOver:
    def test_words_number_mark_and_validity_arrive_as_they_are(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        outcome = twilio.send(text(7, attempt=3, valid_for=3600), now=now)

        (stored,) = vendors.messages("twilio")
        assert outcome == Accepted(stored["sid"])
        assert (stored["to"], stored["sent_body"], stored["mark"]) == (text().address, text(7).body, "7-3")
        assert stored["callback"].endswith("/webhooks/twilio/status?mid=7-3#rc=5&rp=all")

    def test_a_messaging_service_takes_the_place_of_the_sender(self, vendors: Vendors, now: datetime) -> None:
        service = "MG" + "0" * 32
        outcome = twilio_at(vendors.url, messaging_service_sid=service).send(text(), now=now)

        (stored,) = vendors.messages("twilio")
        assert isinstance(outcome, Accepted)
        assert (stored["service"], stored["sender"]) == (service, None)

    def test_without_a_public_address_no_callback_is_asked_for(self, vendors: Vendors, now: datetime) -> None:
        assert isinstance(twilio_at(vendors.url, callback_url=None).send(text(), now=now), Accepted)
        assert vendors.messages("twilio")[0]["callback"] is None

    def test_a_callback_address_with_a_query_keeps_it(self, vendors: Vendors, now: datetime) -> None:
        twilio_at(vendors.url, callback_url="https://a.example/status?tenant=1").send(text(), now=now)

        assert vendors.messages("twilio")[0]["callback"] == "https://a.example/status?tenant=1&mid=1024-1#rc=5&rp=all"

    @pytest.mark.parametrize("valid_for", [0, 99_999_999])
    def test_a_validity_that_twilio_would_refuse_is_brought_into_its_bounds(
        self, twilio: TwilioSms, valid_for: int, now: datetime
    ) -> None:
        assert isinstance(twilio.send(text(valid_for=valid_for), now=now), Accepted)

    def test_a_transport_without_a_sender_cannot_be_made(self) -> None:
        with pytest.raises(ValueError, match="sender"):
            twilio_at("http://127.0.0.1", sender=None)


class TestWhatFails:
    @pytest.mark.parametrize(
        ("kind", "outcome", "stored"),
        [
            ("429", NotSent("20429"), 0),
            ("502_html", Unknown("http_502"), 0),
            ("503_before", Unknown("http_503"), 0),
            ("503_after", Unknown("http_503"), 1),
            ("drop_before", Unknown("connection_lost"), 0),
            ("drop_after", Unknown("connection_lost"), 1),
            ("hang_before", Unknown("read_timeout"), 0),
            ("hang_after", Unknown("read_timeout"), 1),
            ("garbled_after", Unknown("unreadable_answer"), 1),
            ("empty_after", Unknown("unreadable_answer"), 1),
        ],
    )
    def test_each_fault_has_its_outcome_and_is_never_posted_twice(
        self, twilio: TwilioSms, vendors: Vendors, kind: str, outcome: Outcome, stored: int, now: datetime
    ) -> None:
        vendors.fault("twilio.send", kind)

        assert twilio.send(text(), now=now) == outcome
        assert vendors.requests("twilio.send") == 1
        assert len(vendors.messages("twilio")) == stored

    @pytest.mark.parametrize(
        "payload", ["[]", "null", '"sid"', '{"sid": 5}', '{"sid": "S", "date_created": 5}', "{", ""]
    )
    def test_a_success_that_cannot_be_read_is_unclear(
        self, twilio: TwilioSms, vendors: Vendors, payload: str, now: datetime
    ) -> None:
        vendors.fault("twilio.send", "refuse", status=201, body=payload)

        assert twilio.send(text(), now=now) == Unknown("unreadable_answer")

    def test_a_silent_vendor_is_waited_for_no_longer_than_the_timeout(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        vendors.fault("twilio.send", "hang_after")
        began = time.monotonic()

        twilio.send(text(), now=now)

        assert TIMEOUT <= time.monotonic() - began < TIMEOUT + 1

    @pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "http://nobody.invalid"])
    def test_where_nobody_listens_nothing_has_left(self, vendors: Vendors, address: str, now: datetime) -> None:
        transport = twilio_at(address.format(port=free_port()))

        assert transport.send(text(), now=now) == NotSent("no_connection")

    def test_a_connect_that_takes_too_long_sent_nothing(self, vendors: Vendors, now: datetime) -> None:
        with full_server() as port:
            assert twilio_at(f"http://127.0.0.1:{port}").send(text(), now=now) == NotSent("no_connection")

    def test_a_region_of_the_environment_changes_no_address(
        self, vendors: Vendors, monkeypatch: pytest.MonkeyPatch, now: datetime
    ) -> None:
        monkeypatch.setenv("TWILIO_EDGE", "dublin")
        monkeypatch.setenv("TWILIO_REGION", "ie1")

        assert isinstance(twilio_at(vendors.url).send(text(), now=now), Accepted)

    def test_a_failed_tls_handshake_sent_nothing(self, vendors: Vendors, now: datetime) -> None:
        transport = twilio_at(vendors.url.replace("http://", "https://"))

        assert transport.send(text(), now=now) == NotSent("no_connection")

    def test_a_certificate_that_nobody_trusts_sent_nothing(self, certificate: Path, now: datetime) -> None:
        with raw_server(_Tls(certificate).refuse) as port:
            assert twilio_at(f"https://127.0.0.1:{port}").send(text(), now=now) == NotSent("no_connection")

    def test_tls_that_breaks_after_the_request_is_unclear(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch, now: datetime
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        with raw_server(_Tls(certificate).break_after_request) as port:
            assert twilio_at(f"https://127.0.0.1:{port}").send(text(), now=now) == Unknown("connection_lost")

    @pytest.mark.parametrize("address", ["api.twilio.com", "http://", "ftp://127.0.0.1", "http://[::1"])
    def test_an_address_that_is_none_stops_everything(self, address: str, now: datetime) -> None:
        assert twilio_at(address).send(text(), now=now) == Stopped("api_base_url")

    def test_wrong_credentials_stop_everything(self, vendors: Vendors, now: datetime) -> None:
        assert twilio_at(vendors.url, auth_token="wrong").send(text(), now=now) == Stopped("20003")

    @pytest.mark.parametrize(
        ("address", "outcome"),
        [
            ("+15005550001", Rejected("21211", Remedy.BAD_ADDRESS)),
            ("nobody", Rejected("21211", Remedy.BAD_ADDRESS)),
            ("+15005550002", Rejected("21612", Remedy.BAD_ADDRESS)),
            ("+15005550003", Rejected("21408", Remedy.OTHER_MEDIUM)),
            ("+15005550004", Rejected("21610", Remedy.OPTED_OUT)),
            ("+15005550009", Rejected("21614", Remedy.BAD_ADDRESS)),
            ("+150055721606", Stopped("21606")),
            ("+150055721611", NotSent("21611")),
            ("+150055799999", Rejected("99999", Remedy.GIVE_UP)),
        ],
    )
    def test_a_refusal_is_judged_by_its_code(
        self, twilio: TwilioSms, address: str, outcome: Outcome, now: datetime
    ) -> None:
        assert twilio.send(text(address=address), now=now) == outcome

    def test_a_text_that_is_too_long_or_empty_is_our_own_fault(self, twilio: TwilioSms, now: datetime) -> None:
        assert twilio.send(text(body="长" * 1601), now=now) == Rejected("21617")
        assert twilio.send(text(body=""), now=now) == Rejected("21619")

    @pytest.mark.parametrize(
        ("status", "body", "outcome"),
        [
            (401, "<html>", Stopped("401")),
            (404, "<html>", Stopped("404")),
            (429, "slow down", NotSent("429")),
            (400, '{"code": 12345678901, "message": "news"}', Rejected("12345678901")),
            (400, '{"type": "t", "title": "t", "status": 400, "code": 21610}', Rejected("21610", Remedy.OPTED_OUT)),
            (503, '{"type": "t", "title": "t", "status": 503, "code": 20503}', Unknown("http_503")),
            (307, "", Stopped("307")),
            (418, "", Rejected("418")),
        ],
    )
    def test_an_error_of_any_form_has_an_outcome(
        self, twilio: TwilioSms, vendors: Vendors, status: int, body: str, outcome: Outcome, now: datetime
    ) -> None:
        vendors.fault("twilio.send", "refuse", status=status, body=body)

        assert twilio.send(text(), now=now) == outcome

    def test_who_stopped_us_is_refused_until_they_start_again(
        self, twilio: TwilioSms, vendors: Vendors, now: datetime
    ) -> None:
        vendors.inbound(text().address, "stop")
        assert twilio.send(text(), now=now) == Rejected("21610", Remedy.OPTED_OUT)

        vendors.inbound(text().address, "START")
        assert isinstance(twilio.send(text(), now=now), Accepted)


class TestConnections:
    @pytest.mark.parametrize(("longest_rest", "connections"), [(15.0, 1), (0.0, 3)])
    def test_a_connection_is_used_again_unless_it_rested_too_long(
        self, monkeypatch: pytest.MonkeyPatch, longest_rest: float, connections: int, now: datetime
    ) -> None:
        accepted: list[socket.socket] = []
        body = json.dumps({"sid": "SM1", "status": "queued"}).encode()

        def serve(connection: socket.socket) -> None:
            accepted.append(connection)
            for _ in range(3 // connections):
                assert read_request(connection)
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        monkeypatch.setattr("channels.twilio_sms.LONGEST_REST", longest_rest)
        with raw_server(serve) as port:
            transport = twilio_at(f"http://127.0.0.1:{port}")
            assert [transport.send(text(), now=now) for _ in range(3)] == [Accepted("SM1")] * 3

        assert len(accepted) == connections


class _Tls:
    """Both ends of a TLS connection that goes wrong."""

    def __init__(self, certificate: Path) -> None:
        self._context = tls_context(certificate)

    def refuse(self, connection: socket.socket) -> None:
        try:
            self._context.wrap_socket(connection, server_side=True)
        except ssl.SSLError:
            return

    def break_after_request(self, connection: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        connection.settimeout(5)
        asked = b""
        while b"\r\n\r\n" not in asked:
            try:
                asked += tls.read(65_536)
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65_536))
        connection.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)  # a record that nobody can decrypt
