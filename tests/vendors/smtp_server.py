"""A real mail server that remembers mails, and refuses or drops what a test orders."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.vendors.fixtures import free_port

USERNAME = "aftercare"
PASSWORD = "password-of-the-tests"
STAGES = frozenset({"HELO", "MAIL", "RCPT", "DATA", "DOT"})


@dataclass
class PostOffice:
    """What came in, and what the next mail meets: a reply by stage, or ``drop`` (the connection ends)."""

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    _orders: dict[str, str] = field(default_factory=dict)

    def order(self, stage: str, reply: str) -> None:
        """Answer the next HELO, MAIL, RCPT, DATA or the final DOT with this reply; ``drop`` says nothing more.

        ``DOT`` with ``drop`` keeps the mail first.
        """
        assert stage in STAGES
        self._orders[stage] = reply

    def ordered(self, stage: str) -> str | None:
        """What is ordered for a stage; it goes on holding, unless it ends the connection."""
        return self.met(stage) if self._orders.get(stage) == "drop" else self._orders.get(stage)

    def met(self, stage: str) -> str | None:
        """What was ordered for a stage; it holds once."""
        return self._orders.pop(stage, None)


class _Handler:
    def __init__(self, office: PostOffice) -> None:
        self.office = office

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        reply = self.office.ordered("HELO")
        return responses if reply is None else [_said(server, reply)]

    async def handle_HELO(self, server: SMTP, session: Session, envelope: Envelope, hostname: str) -> str:  # noqa: N802
        session.host_name = hostname
        reply = self.office.met("HELO")  # who was refused at EHLO tries again with HELO
        return "250 hello" if reply is None else _said(server, reply)

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.office.met("MAIL")
        if reply is not None:
            return _said(server, reply)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.office.met("RCPT")
        if reply is not None:
            return _said(server, reply)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.office.met("DOT")
        if reply is None or reply == "drop":
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            self.office.raw.append(content)
            self.office.mails.append(message_from_bytes(content, policy=policy.default))
            self.office.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        return "250 2.0.0 kept" if reply is None else _said(server, reply)


class _Server(SMTP):
    """aiosmtpd's server, whose DATA can be refused before the mail."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        reply = self.event_handler.office.met("DATA")
        if reply is None:
            await super().smtp_DATA(arg)
        else:
            await self.push(_said(self, reply))


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


def _said(server: SMTP, reply: str) -> str:
    if reply == "drop":
        assert isinstance(server.transport, asyncio.Transport)
        server.transport.abort()
        return "421 gone"
    return reply


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    known = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=data == known, handled=False)


@dataclass(frozen=True)
class MailServer:
    """A running mail server."""

    host: str
    port: int
    office: PostOffice


def serve(**options: Any) -> Iterator[MailServer]:
    """Run a mail server on a free port."""
    office = PostOffice()
    controller = _Controller(_Handler(office), hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    yield MailServer("127.0.0.1", controller.port, office)
    controller.stop()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server without security that takes a login, but needs none."""
    yield from serve(authenticator=_authenticate, auth_require_tls=False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file; nobody trusts it unless told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(made)
        .not_valid_after(made + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(pem))
    return path


def tls_context(certificate: Path) -> ssl.SSLContext:
    """The context of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def starttls_server(certificate: Path) -> Iterator[MailServer]:
    """A mail server that talks about mail only after STARTTLS."""
    yield from serve(authenticator=_authenticate, tls_context=tls_context(certificate), require_starttls=True)


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[MailServer]:
    """A mail server behind TLS from the first byte."""
    yield from serve(authenticator=_authenticate, ssl_context=tls_context(certificate), auth_require_tls=False)
