"""Handing over to a real server: what its answers mean, when patience ends, and where nothing is sent."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels import webhooks
from channels.webhooks import hand_over
from domain.rate_limit import Network
from domain.webhooks import Answer, Verdict, headers
from tests.receiver import Receiver, receiving

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
HERE: Sequence[Network] = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
BODY = b'{"type":"ticket.opened"}'
V = Verdict


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def _told(url: str, *, inside: Sequence[Network] = HERE, seconds: float = 5) -> Answer:
    sent = headers([b"secret"], "TK-00000001_1", NOW, BODY)
    return hand_over(url, sent, BODY, inside=inside, seconds=seconds, now=NOW)


@pytest.mark.parametrize(
    ("order", "answer"),
    [
        (204, Answer(V.TAKEN, "204")),
        (200, Answer(V.TAKEN, "200")),
        (500, Answer(V.REFUSED, "500")),
        (410, Answer(V.GONE, "410")),
        ((429, {"Retry-After": "7"}), Answer(V.OUT_OF_REACH, "429", timedelta(seconds=7))),
        ("drop", Answer(V.OUT_OF_REACH, "no_http")),
        ("garbage", Answer(V.OUT_OF_REACH, "no_http")),
    ],
)
def test_an_answer_says_what_came_of_it(receiver: Receiver, order: Any, answer: Answer) -> None:
    receiver.orders.append(order)

    assert _told(receiver.url) == answer


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    for status in (301, 302, 303, 307, 308):
        receiver.orders.append((status, {"Location": f"http://127.0.0.1:{receiver.port}/inside"}))

        assert _told(receiver.url) == Answer(V.REFUSED, str(status))
    assert set(receiver.asked) == {"POST /hook"}


@pytest.mark.parametrize("order", ["hang", "drip"])
def test_nobody_is_waited_for_longer_than_allowed(receiver: Receiver, order: str) -> None:
    receiver.orders.append(order)
    began = time.monotonic()

    assert _told(receiver.url, seconds=0.5) == Answer(V.OUT_OF_REACH, "timeout")
    assert time.monotonic() - began < 2


def test_who_does_not_listen_is_out_of_reach() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    assert _told(f"http://127.0.0.1:{port}/") == Answer(V.OUT_OF_REACH, "unreachable")
    assert _told("https://nowhere.invalid/") == Answer(V.OUT_OF_REACH, "unreachable")


class TestAnAddressInside:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0"])
    def test_is_not_reached_however_it_is_written(self, receiver: Receiver, host: str) -> None:
        assert _told(f"http://{host}:{receiver.port}/hook", inside=[]).code in {"address_not_allowed", "unreachable"}
        assert receiver.asked == []

    def test_is_not_reached_by_a_name_that_leads_outside_too(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def answer(*_args: object, **_more: object) -> list[Any]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", receiver.port)),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port)),
            ]

        monkeypatch.setattr(webhooks.socket, "getaddrinfo", answer)

        assert _told("http://rebound.example.com/hook", inside=[]).code == "address_not_allowed"
        assert receiver.asked == []

    def test_is_looked_up_once_and_reached_where_it_was_looked_up(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        really = socket.getaddrinfo

        def answer(host: str, *args: Any, **more: Any) -> list[Any]:
            if host[0].isdigit():  # a number leads to itself
                return list(really(host, *args, **more))
            asked.append(host)
            place = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, receiver.port))]

        with monkeypatch.context() as patch:
            patch.setattr(webhooks.socket, "getaddrinfo", answer)
            said = _told(f"http://crm.example.com:{receiver.port}/hook")

        assert said.verdict is V.TAKEN
        assert asked == ["crm.example.com"]
        assert receiver.taken[0]["headers"]["host"] == f"crm.example.com:{receiver.port}"


def test_a_certificate_that_nobody_vouches_for_is_not_believed(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(days=999), NOW + timedelta(days=9999))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    whole = tmp_path / "whole.pem"
    plain = serialization.NoEncryption()
    whole.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            taken, _ = server.accept()
            with pytest.raises((ssl.SSLError, OSError)), context.wrap_socket(taken, server_side=True) as secure:
                secure.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        said = _told(f"https://localhost:{server.getsockname()[1]}/")
        thread.join(5)

    assert said == Answer(V.OUT_OF_REACH, "unreachable")
