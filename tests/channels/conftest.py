"""The transports as the product builds them, pointed at the local vendors."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from channels.base import Outgoing, Sent, WebhookRequest
from channels.sendgrid_email import SendGridEmail
from channels.smtp_email import SmtpEmail
from channels.twilio_sms import TwilioSms
from clock import utc_now
from domain.messages import Enclosure, Medium
from tests.vendors.fixtures import Vendors, vendor_server, vendors
from tests.vendors.sendgrid_api import API_KEY
from tests.vendors.smtp_server import MailServer, certificate, mail_server, starttls_server, tls_server
from tests.vendors.twilio_api import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER

__all__ = ["certificate", "mail_server", "starttls_server", "tls_server", "vendor_server", "vendors"]

TIMEOUT = 1.0
PHONE = "+8613800138000"
ADDRESS = "li@example.com"
PUBLIC_URL = "https://aftercare.example"
STATUS_URL = f"{PUBLIC_URL}/webhooks/twilio/status"
INBOUND_URL = f"{PUBLIC_URL}/webhooks/twilio/inbound"
EVENTS_URL = f"{PUBLIC_URL}/webhooks/sendgrid/events"


def text(message_id: int = 1024, *, attempt: int = 1, **other: Any) -> Outgoing:
    """An SMS as it leaves the outbox; what is not said is valid."""
    body = f"【售后】工单 TK-{message_id:08d} 已分配给张伟。进度：https://aftercare.example/p/abc.def"
    fields = {"medium": Medium.SMS, "address": PHONE, "subject": None, "body": body, "html": None, **other}
    return Outgoing(message_id, attempt, **fields)


def letter(message_id: int = 1024, *, attempt: int = 1, **other: Any) -> Outgoing:
    """A mail as it leaves the outbox; what is not said is valid."""
    fields = {
        "medium": Medium.EMAIL,
        "address": ADDRESS,
        "subject": f"TK-{message_id:08d}: 已分配工程师",
        "body": "您好，张伟将为您服务。",
        "html": "<p>您好，张伟将为您服务。</p>",
        **other,
    }
    return Outgoing(message_id, attempt, **fields)


PICTURE = Enclosure("promises.png", "image/png", b"\x89PNG\r\n\x1a\n.", "promises")
SHEET = Enclosure("服务处理进度跟踪表 W47.xlsx", "application/vnd.ms-excel", b"PK\x00\r\n.\r\n" * 30_000)


def attempt_of(message: Outgoing, **other: Any) -> Sent:
    """The attempt that is looked up; it began now unless said otherwise, for the vendors live in real time."""
    fields = {"started_at": utc_now(), **other}
    return Sent(message.id, message.attempt, message.address, message.subject, message.body, **fields)


def as_request(callback: dict[str, Any], **other: Any) -> WebhookRequest:
    """A kept callback as the web hands it over."""
    headers = {name.lower(): value for name, value in callback["headers"].items()}
    fields = {"url": callback["url"], "headers": headers, "body": callback["body"].encode(), **other}
    return WebhookRequest(**fields)


def twilio_at(url: str, **other: Any) -> TwilioSms:
    """Twilio's transport at an address."""
    fields = {"sender": OUR_NUMBER, "callback_url": STATUS_URL, "api_base_url": url, "timeout": TIMEOUT, **other}
    return TwilioSms(ACCOUNT_SID, **{"auth_token": AUTH_TOKEN, **fields})


def sendgrid_at(url: str, **other: Any) -> SendGridEmail:
    """SendGrid's transport at an address."""
    fields = {"api_base_url": url, "timeout": TIMEOUT, **other}
    return SendGridEmail(**{"api_key": API_KEY, "sender": "care@aftercare.example", "sender_name": "售后", **fields})


def smtp_at(server: MailServer, **other: Any) -> SmtpEmail:
    """The transport of a mail server."""
    fields = {"username": None, "password": None, "security": "none", "timeout": TIMEOUT, **other}
    return SmtpEmail(server.host, server.port, sender="care@aftercare.example", sender_name="售后", **fields)


@pytest.fixture
def twilio(vendors: Vendors) -> TwilioSms:
    """Twilio as the product builds it."""
    return twilio_at(vendors.url)


@pytest.fixture
def sendgrid(vendors: Vendors) -> SendGridEmail:
    """SendGrid as the product builds it."""
    return sendgrid_at(vendors.url, webhook_public_key=vendors.public_key())


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does with each connection what no honest one would; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(5)
                serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(timeout=5)


@contextmanager
def full_server() -> Iterator[int]:
    """A server whose queue of connections is full: a connect is neither taken nor refused; gives its port."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        yield address[1]


def read_request(connection: socket.socket) -> bytes:
    """One whole HTTP request; nothing when the other side is gone."""
    asked = b""
    while True:
        head, end, body = asked.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if end and len(body) >= (int(length[1]) if length else 0):
            return asked
        more = connection.recv(65_536)
        if not more:
            return b""
        asked += more
