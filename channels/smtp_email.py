"""E-mail through any mail server: plain SMTP, each stage told apart."""

from __future__ import annotations

import contextlib
import hashlib
import re
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Literal

from channels.base import Outgoing, Sent, UnreadableError, WebhookRequest
from channels.codes import Codes, refused
from domain.delivery import Accepted, CannotTell, Found, NotSent, Outcome, Received, Unknown
from domain.messages import Enclosure

Security = Literal["none", "starttls", "tls"]
Stage = Literal["connect", "mail", "rcpt", "data"]

ENHANCED_STATUS = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})\b")
END_OF_MAIL = b".\r\n"
# The time that a server is given counts for each piece: a long mail may take longer than a short one.
_PIECE = 65_536


class _OneLine(UnstructuredHeader):
    """A header that is never folded: the standard library would fold a long URL by encoding it, which nobody reads."""

    def fold(self, *, policy: EmailPolicy[EmailMessage]) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]  # the registry adds the name


def _policy() -> EmailPolicy[EmailMessage]:
    headers = HeaderRegistry()
    for name in ("list-unsubscribe", "message-id"):
        headers.map_to_type(name, _OneLine)  # type: ignore[arg-type]  # the registry makes a BaseHeader of it
    # 7 bit: every server takes it, whatever it has announced.
    return SMTP.clone(cte_type="7bit", header_factory=headers)


POLICY = _policy()


@dataclass(frozen=True)
class SmtpEmail:
    """One mail server and one sender; ``starttls`` never falls back to an open connection."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    security: Security
    sender: str
    sender_name: str
    timeout: float = 10.0
    name: str = "smtp"

    def send(self, message: Outgoing, *, now: datetime) -> Outcome:
        """Hand a mail over once; only what is lost after its last line is Unknown."""
        try:
            recipient = Address(addr_spec=_ascii_domain(message.address))
        except (ValueError, MessageError):  # half an address, two of them, a line break
            return refused(Codes.SMTP, "address")
        mail = self._mail(message, recipient, now)
        try:
            server = self._connect()
        except smtplib.SMTPNotSupportedError:
            return refused(Codes.SMTP, "starttls_missing", "connect starttls_missing")
        except smtplib.SMTPResponseException as error:
            return _judge("connect", error.smtp_code, error.smtp_error)
        except ssl.SSLError:
            return NotSent("tls_failed")
        except (OSError, smtplib.SMTPException):
            return NotSent("no_connection")
        try:
            return self._login(server) or self._hand_over(server, mail, recipient.addr_spec)
        except (OSError, smtplib.SMTPException):
            return NotSent("connection_lost")  # before the last line: the server has no whole mail
        finally:
            _part(server)

    def lookup(self, sent: Sent) -> Found:  # noqa: ARG002 (every transport is told the attempt)
        """A mail server cannot be asked."""
        return CannotTell("smtp_has_no_lookup", is_final=True)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Received]:  # noqa: ARG002
        """A mail server does not call back."""
        raise UnreadableError("a mail server has no callbacks")

    def _mail(self, message: Outgoing, recipient: Address, now: datetime) -> EmailMessage:
        mail = EmailMessage(POLICY)
        mail["From"] = Address(" ".join(self.sender_name.split()), addr_spec=_ascii_domain(self.sender))
        mail["To"] = recipient
        mail["Subject"] = " ".join((message.subject or "").split())
        mail["Date"] = format_datetime(now.astimezone(UTC))
        mail["Message-ID"] = self._message_id(message)
        if message.unsubscribe_url is not None:
            mail["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(message.body)
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html")
        for enclosure in message.enclosures:
            _enclose(mail, enclosure)
        return mail

    def _message_id(self, message: Outgoing) -> str:
        """The same for every attempt, so that a mail sent twice is seen once; no other installation's, by its words."""
        words = "\0".join((message.address, message.subject or "", message.body))
        digest = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:16]
        return f"<aftercare.{message.id}.{digest}@{_ascii_domain(self.sender).rpartition('@')[2]}>"

    def _connect(self) -> smtplib.SMTP:
        """A greeted server behind the wanted security."""
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            server.ehlo_or_helo_if_needed()
            if self.security == "starttls":
                server.starttls(context=context)
                server.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _login(self, server: smtplib.SMTP) -> Outcome | None:
        """What refuses us; None when we are in, or need not be.

        By hand, because ``smtplib`` forgets a refusal when the server hangs up before the next way of logging in.
        """
        if not self.username:
            return None
        server.user, server.password = self.username, self.password or ""
        ways = (("PLAIN", server.auth_plain), ("LOGIN", server.auth_login), ("CRAM-MD5", server.auth_cram_md5))
        offered = server.esmtp_features.get("auth", "").upper().split()
        refusal: Outcome | None = None
        for way, respond in ways:
            if way not in offered:
                continue
            try:
                server.auth(way, respond)
            except smtplib.SMTPResponseException as error:
                refusal = _judge("connect", error.smtp_code, error.smtp_error)
            except UnicodeEncodeError:
                return refused(Codes.SMTP, "auth_not_ascii", "connect")
            except (OSError, smtplib.SMTPServerDisconnected):
                if refusal is None:
                    raise
                return refusal
            else:
                return None
        return refusal or refused(Codes.SMTP, "auth_missing", "connect auth_missing")

    def _hand_over(self, server: smtplib.SMTP, mail: EmailMessage, recipient: str) -> Outcome:
        content = mail.as_bytes()
        stages: tuple[tuple[Stage, str], ...] = (
            ("mail", f"MAIL FROM:{smtplib.quoteaddr(_ascii_domain(self.sender))}"),
            ("rcpt", f"RCPT TO:{smtplib.quoteaddr(recipient)}"),
            ("data", "DATA"),
        )
        for stage, command in stages:
            code, said = server.docmd(command)
            if code // 100 not in {2, 3}:
                return _judge(stage, code, said)
        for start in range(0, len(content := _dotted(content)), _PIECE):
            server.send(content[start : start + _PIECE])
        try:
            server.send(END_OF_MAIL)
            code, said = server.getreply()
        except (OSError, smtplib.SMTPException):
            return Unknown("connection_lost")
        if code // 100 == 2:
            return Accepted(str(mail["Message-ID"]))
        return _judge("data", code, said) if code // 100 in {4, 5} else Unknown("unreadable_answer")


def _enclose(mail: EmailMessage, enclosure: Enclosure) -> None:
    """A picture goes beside the HTML that shows it, any other file behind the words."""
    kind, _, subtype = enclosure.media_type.partition("/")
    html = mail.get_body(("html",))
    if enclosure.content_id is None or not isinstance(html, EmailMessage):
        mail.add_attachment(enclosure.content, kind, subtype, filename=enclosure.name)
    else:
        cid = f"<{enclosure.content_id}>"
        html.add_related(enclosure.content, kind, subtype, cid=cid, filename=enclosure.name, disposition="inline")


def _judge(stage: Stage, code: int, said: bytes | str) -> Outcome:
    """What a reply other than success asks for; 4xx, and what is no reply, is worth another try."""
    if code // 100 != 5:
        return NotSent(str(code) if code > 0 else "unreadable_answer")
    enhanced = ENHANCED_STATUS.match(said if isinstance(said, bytes) else said.encode())
    exact = enhanced[0].decode() if enhanced else ""
    names = [f"{stage} {exact}", f"{stage} {code}", stage]
    if stage in {"rcpt", "data"}:
        names = [exact, exact.rpartition(".")[0], f"{stage} {code}", str(code)]
    return refused(Codes.SMTP, f"{code} {exact}".rstrip(), *filter(None, names))


def _part(server: smtplib.SMTP) -> None:
    """Say goodbye without waiting for the answer."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        server.putcmd("QUIT")
    server.close()


def _dotted(content: bytes) -> bytes:
    """A mail as DATA wants it: whole lines, a leading dot doubled, without the closing one."""
    return re.sub(rb"(?m)^\.", b"..", content if content.endswith(b"\r\n") else content + b"\r\n")


def _ascii_domain(address: str) -> str:
    """The address with its domain in ASCII, which every server takes. Raises ValueError when it is none."""
    name, at, domain = address.rpartition("@")
    if not at or not name or not domain:
        raise ValueError("no address")
    return f"{name}@{domain.encode('idna').decode()}"
