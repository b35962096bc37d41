"""E-mail through SendGrid: hand over, look up, read its Event Webhook."""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.error import URLError
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from python_http_client.exceptions import HTTPError  # type: ignore[import-untyped]
from sendgrid import SendGridAPIClient  # type: ignore[import-untyped]
from sendgrid.helpers import mail  # type: ignore[import-untyped]
from sendgrid.helpers.eventwebhook import EventWebhook  # type: ignore[import-untyped]
from sendgrid.helpers.mail.exceptions import SendGridException  # type: ignore[import-untyped]

from channels.base import ForgedError, Outgoing, Sent, UnreadableError, WebhookRequest
from channels.codes import Codes, refused
from channels.sendgrid_events import MARK, fate, provider_id, read_event
from domain.delivery import (
    Accepted,
    CannotTell,
    Found,
    NotFound,
    NotSent,
    Outcome,
    Received,
    Rejected,
    Stopped,
    Unknown,
    message_mark,
    read_mark,
)
from domain.messages import Enclosure

CLOCK_SKEW = timedelta(seconds=60)
LONGEST_WAIT = timedelta(hours=1)  # a vendor that asks for more is asked again
LISTED = 1000
SLOWEST = 250_000  # bytes a second at which files are still handed over
COMPARED = 5

# At level DEBUG the client under the SDK would log each mail and the API key.
logging.getLogger("python_http_client").setLevel(logging.INFO)


@dataclass(frozen=True)
class SendGridEmail:
    """One API key and one verified sender; ``webhook_public_key`` as SendGrid shows it, without it no event is read."""

    api_key: str = field(repr=False)
    sender: str
    sender_name: str
    api_base_url: str = "https://api.sendgrid.com"
    webhook_public_key: str | None = None
    timeout: float = 10.0
    name: str = "sendgrid"

    def __post_init__(self) -> None:
        if self.webhook_public_key is not None:
            key = EventWebhook(self.webhook_public_key).public_key
            if not isinstance(key, EllipticCurvePublicKey):
                raise ValueError("SendGrid signs events with an elliptic curve key; this public key is none")

    def send(self, message: Outgoing, *, now: datetime) -> Outcome:
        """Hand a mail over once; what failed after the request may have left is Unknown and never sent again here."""
        try:
            mail = self._mail(message)
        except SendGridException:
            return _refused("api_key_in_text")
        try:
            client = self._client(size=sum(len(enclosure.content) for enclosure in message.enclosures))
            answer = client.mail.send.post(request_body=mail)
        except HTTPError as error:
            return _judge(error, now)
        except URLError as error:
            # Raised while connecting or writing; a connection lost in writing may still have left a whole request.
            lost = isinstance(error.reason, ConnectionResetError | BrokenPipeError)
            return Unknown("connection_lost") if lost else NotSent("no_connection")
        except TimeoutError:
            return Unknown("read_timeout")
        except (InvalidURL, ValueError):
            return Stopped("api_base_url")  # urllib cannot use it
        except (OSError, HTTPException):
            return Unknown("connection_lost")
        message_id = answer.headers.get("X-Message-Id")
        return Accepted(message_id) if message_id else Unknown("unreadable_answer")

    def lookup(self, sent: Sent) -> Found:
        """In the Email Logs (an extra that must be bought): by address, subject and time, and by our mark if told."""
        try:
            return self._find(sent)
        except HTTPError as error:
            # 401, 403, 404: this account has not bought Email Logs.
            return CannotTell(f"http_{error.status_code}", is_final=error.status_code in (401, 403, 404))
        except (OSError, HTTPException):
            return CannotTell("no_connection")
        except ValueError:
            return CannotTell("unreadable_answer")

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Received]:
        """What a batch of events says about mails of ours. Raises ForgedError, UnreadableError."""
        self._check_signature(request)
        try:
            events = json.loads(request.body)
        except (ValueError, RecursionError):
            raise UnreadableError("the events are no JSON") from None
        if not isinstance(events, list):
            raise UnreadableError("the events are no array")
        read = (read_event(event) for event in events if isinstance(event, dict))
        return [received for received in read if received is not None]

    def _client(self, *, size: int = 0) -> Any:
        """A new client: one that were shared would carry headers from call to call, and it keeps no connection.

        ``size``: bytes of files to be handed over, which may take longer than a few words.
        """
        client = SendGridAPIClient(self.api_key, host=self.api_base_url.rstrip("/")).client
        client.timeout = self.timeout + size / SLOWEST  # without it a silent server is waited for without end
        return client

    def _mail(self, message: Outgoing) -> dict[str, Any]:
        letter = mail.Mail(mail.Email(self.sender, self.sender_name), subject=message.subject or "")
        person = mail.Personalization()
        person.add_to(mail.To(message.address))
        person.add_custom_arg(mail.CustomArg(MARK, message_mark(message.id, message.attempt)))
        letter.add_personalization(person)
        letter.add_content(mail.Content("text/plain", message.body))
        if message.html is not None:
            letter.add_content(mail.Content("text/html", message.html))
        for enclosure in reversed(message.enclosures):  # the SDK turns their order round
            letter.add_attachment(_attachment(enclosure))
        if message.unsubscribe_url is not None:
            letter.add_header(mail.Header("List-Unsubscribe", f"<{message.unsubscribe_url}>"))
            letter.add_header(mail.Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        tracking = mail.TrackingSettings()
        tracking.click_tracking = mail.ClickTracking(enable=False, enable_text=False)
        tracking.open_tracking = mail.OpenTracking(enable=False)
        letter.tracking_settings = tracking
        body: dict[str, Any] = letter.get()
        return body

    def _find(self, sent: Sent) -> Found:
        client = self._client()
        rows = _rows(client.logs.post(request_body={"query": _query(sent), "limit": LISTED}).body)
        if sent.provider_id is not None:
            ours = [row for row in rows if provider_id(row) == sent.provider_id]
            return _logged_fate(ours[0]) if ours else CannotTell("not_listed")
        unmarked = []
        for row in _candidates(rows, sent)[:COMPARED]:
            mark = read_mark(_logged_mark(client, row))
            if mark is not None and mark[0] == sent.id:
                return _logged_fate(row)
            if mark is None:
                unmarked.append(row)
        return _logged_fate(unmarked[0]) if unmarked else NotFound()

    def _check_signature(self, request: WebhookRequest) -> None:
        if self.webhook_public_key is None:
            raise ForgedError("no public key is set, so nothing can be proven")
        signature = request.headers.get("x-twilio-email-event-webhook-signature") or ""
        timestamp = request.headers.get("x-twilio-email-event-webhook-timestamp") or ""
        try:
            # Decoded once and verified as it came: events serialised again would not fit their signature.
            fits = EventWebhook(self.webhook_public_key).verify_signature(request.body.decode(), signature, timestamp)
        except ValueError:  # no UTF-8, no base64
            fits = False
        if not fits:
            raise ForgedError("X-Twilio-Email-Event-Webhook-Signature does not fit")


def _attachment(enclosure: Enclosure) -> mail.Attachment:
    is_shown = enclosure.content_id is not None
    return mail.Attachment(
        mail.FileContent(b64encode(enclosure.content).decode()),
        mail.FileName(enclosure.name),
        mail.FileType(enclosure.media_type),
        mail.Disposition("inline" if is_shown else "attachment"),
        mail.ContentId(enclosure.content_id) if is_shown else None,
    )


def _judge(error: HTTPError, now: datetime) -> Outcome:
    """What an answer other than 2xx asks for."""
    status = int(error.status_code)
    if status >= 500:
        return Unknown(f"http_{status}")
    if status == 429:
        return refused(Codes.SENDGRID, "429", retry_after=_wait(error.headers, now))
    blamed = _blamed(error.body) if status in {400, 401} else None
    return _refused(f"{status} {blamed}", str(status)) if blamed else _refused(str(status))


def _refused(code: str, *broader: str) -> Outcome:
    return refused(Codes.SENDGRID, code, code, *broader)


def _blamed(body: bytes) -> str | None:
    """What an answer names as the fault, where it changes what is to be done; proxies answer in HTML."""
    try:
        faults = json.loads(body)["errors"]
        said = [(str(fault.get("field")), str(fault.get("message")).lower()) for fault in faults]
        fields, messages = [one for one, _ in said], [one for _, one in said]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    if any("credits exceeded" in message for message in messages):
        return "credits_exceeded"
    if any(re.match(r"personalizations\.\d+\.to\b", name) for name in fields):
        return "to"
    return "from" if any(name.startswith("from") for name in fields) else None


def _wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long SendGrid asks to wait: the header names a moment in Unix seconds."""
    reset = headers.get("X-RateLimit-Reset") or ""
    if not (reset.isascii() and reset.isdigit()):
        return None
    seconds = int(reset[:15]) - now.timestamp()
    return min(timedelta(seconds=seconds), LONGEST_WAIT) if seconds > 0 else None


def _query(sent: Sent) -> str:
    """By address and subject; a subject that would have to be quoted is compared by us alone."""
    query = f"to_email = {json.dumps(sent.address, ensure_ascii=False)}"
    subject = sent.subject or ""
    return query if re.search(r"[\"'\\]", subject) else f'{query} AND subject = "{subject}"'


def _rows(body: bytes) -> list[dict[str, Any]]:
    """The messages of a page of logs. Raises ValueError when it is none."""
    page = json.loads(body)
    rows = page.get("messages") if isinstance(page, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("no page of logs")
    return rows


def _candidates(rows: Sequence[dict[str, Any]], sent: Sent) -> list[dict[str, Any]]:
    """The mails that may be that attempt, the nearest in time first."""
    near = []
    for row in rows:
        created = _moment(row.get("sg_message_id_created_at"))
        if (
            created is not None
            and created >= sent.started_at - CLOCK_SKEW
            and _words(row.get("subject")) == _words(sent.subject)
            and provider_id(row) not in sent.known_ids
        ):
            near.append((abs(created - sent.started_at), provider_id(row), row))
    return [row for _, _, row in sorted(near, key=lambda one: one[:2])]


def _logged_mark(client: Any, row: Mapping[str, Any]) -> str:
    """The mark of a logged mail; only a mail asked for by its id tells its custom arguments."""
    try:
        page = json.loads(client.logs._(quote(str(row.get("sg_message_id")), safe="")).get().body)
    except HTTPError:
        return ""
    arguments = page.get("custom_args") if isinstance(page, dict) else None
    return str(arguments.get(MARK) or "") if isinstance(arguments, dict) else ""


def _logged_fate(row: Mapping[str, Any]) -> Accepted | Rejected:
    status = {"bounced": "bounce"}.get(str(row.get("status")), str(row.get("status")))
    return fate(status, provider_id(row), str(row.get("reason") or ""), "")


def _words(subject: object) -> str:
    return " ".join(unicodedata.normalize("NFC", subject).split()) if isinstance(subject, str) else ""


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
