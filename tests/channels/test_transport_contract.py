"""What holds for every transport: a new vendor is added to ``TRANSPORTS`` and must pass."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import get_args

import pytest

from channels.base import ForgedError, Outgoing, Transport, UnreadableError, WebhookRequest
from channels.mailbox import Mailbox
from domain.delivery import Accepted, Found, NotSent
from tests.channels.conftest import STATUS_URL, attempt_of, letter, sendgrid_at, smtp_at, text, twilio_at
from tests.vendors.fixtures import Vendors, free_port
from tests.vendors.sendgrid_api import API_KEY
from tests.vendors.signing import EventKey
from tests.vendors.smtp_server import PASSWORD, USERNAME, MailServer, PostOffice
from tests.vendors.twilio_api import AUTH_TOKEN

TRANSPORTS = ("mailbox", "twilio", "sendgrid", "smtp")
BY_SMS = {"twilio"}
WITHOUT_ADDRESS = {"mailbox"}
UNHEARD_OF = "SM" + "0" * 32


def _mailbox() -> Mailbox:
    entries: dict[int, int] = {}
    numbers = itertools.count(1)
    return Mailbox(lambda message, now: entries.setdefault(message.id, next(numbers)), entries.get)


@pytest.fixture
def transport(request: pytest.FixtureRequest, vendors: Vendors, mail_server: MailServer) -> Transport:
    """One after the other, pointed at a vendor that works."""
    build: dict[str, Callable[[], Transport]] = {
        "mailbox": _mailbox,
        "twilio": lambda: twilio_at(vendors.url),
        "sendgrid": lambda: sendgrid_at(vendors.url, webhook_public_key=vendors.public_key()),
        "smtp": lambda: smtp_at(mail_server, username=USERNAME, password=PASSWORD),
    }
    return build[request.param]()


def _message(transport: Transport, message_id: int = 1) -> Outgoing:
    return text(message_id) if transport.name in BY_SMS else letter(message_id)


every_transport = pytest.mark.parametrize("transport", TRANSPORTS, indirect=True)


@every_transport
def test_it_names_itself_and_shows_no_secret(transport: Transport, request: pytest.FixtureRequest) -> None:
    assert transport.name == request.node.callspec.params["transport"]
    assert not any(secret in repr(transport) for secret in (AUTH_TOKEN, API_KEY, PASSWORD))


@every_transport
def test_it_takes_a_message_and_names_it(transport: Transport, now: datetime) -> None:
    outcome = transport.send(_message(transport), now=now)

    assert isinstance(outcome, Accepted)
    assert outcome.provider_id


@every_transport
def test_eight_threads_hand_over_each_message_once(transport: Transport, now: datetime) -> None:
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda number: transport.send(_message(transport, number), now=now), range(1, 41)))

    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len({outcome.provider_id for outcome in outcomes if isinstance(outcome, Accepted)}) == 40


@every_transport
def test_a_look_up_answers_whatever_it_is_asked(transport: Transport, now: datetime) -> None:
    sent = transport.send(_message(transport), now=now)
    assert isinstance(sent, Accepted)

    for number, provider_id in ((1, None), (1, sent.provider_id), (2, None), (2, UNHEARD_OF)):
        found = transport.lookup(attempt_of(_message(transport, number), provider_id=provider_id))
        assert isinstance(found, get_args(Found))


@every_transport
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"a=b&c", b"{" * 10_000, b"\x00" * 1_000_000])
@pytest.mark.parametrize("url", [f"{STATUS_URL}?mid=1-1", "https://aftercare.example/webhooks/x/inbound", "", "?#"])
def test_a_callback_that_nobody_signed_is_refused_by_name(transport: Transport, url: str, body: bytes) -> None:
    with pytest.raises((ForgedError, UnreadableError)):
        transport.parse_webhook(WebhookRequest(url, {}, body))


@every_transport
def test_nothing_that_is_private_reaches_a_log(
    transport: Transport, caplog: pytest.LogCaptureFixture, now: datetime
) -> None:
    message = _message(transport)

    with caplog.at_level(logging.DEBUG):
        transport.send(message, now=now)
        transport.lookup(attempt_of(message))

    # What a test's own servers log is theirs.
    ours = [record for record in caplog.records if not record.name.startswith(("mail", "asyncio", "httpcore", "httpx"))]
    logged = "\n".join(record.getMessage() for record in ours)
    secrets = (AUTH_TOKEN, API_KEY, PASSWORD)
    for private in (message.address, message.address.lstrip("+"), message.body, message.subject or "TK-", *secrets):
        assert private not in logged


@pytest.mark.parametrize("name", [name for name in TRANSPORTS if name not in WITHOUT_ADDRESS])
def test_a_vendor_who_is_not_there_got_nothing(name: str, vendors: Vendors, now: datetime) -> None:
    port = free_port()
    nobody: dict[str, Transport] = {
        "twilio": twilio_at(f"http://127.0.0.1:{port}"),
        "sendgrid": sendgrid_at(f"http://127.0.0.1:{port}", webhook_public_key=EventKey(1).public),
        "smtp": smtp_at(MailServer("127.0.0.1", port, PostOffice())),
    }

    assert nobody[name].send(_message(nobody[name]), now=now) == NotSent("no_connection")
