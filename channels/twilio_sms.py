"""SMS through Twilio: hand over, look up, read its callbacks."""

from __future__ import annotations

import logging
import re
import ssl
import threading
import traceback
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from requests import exceptions as network
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]
from urllib3.exceptions import NewConnectionError

from channels.base import ForgedError, Outgoing, Sent, UnreadableError, WebhookRequest
from channels.codes import Codes, failed_later, refused
from domain.delivery import (
    Accepted,
    CannotTell,
    Found,
    InboundText,
    NotFound,
    NotSent,
    Outcome,
    Received,
    Rejected,
    Report,
    Stopped,
    Unknown,
    message_mark,
    read_mark,
)

LONGEST_VALIDITY = 36_000  # seconds; Twilio refuses more
LONGEST_REST = 15.0  # seconds after which a connection is not used again: its other end may have forgotten it
CLOCK_SKEW = timedelta(seconds=60)
LISTED = 50

ARRIVED = frozenset({"delivered", "read"})
LOST = frozenset({"failed", "undelivered", "canceled"})
ON_ITS_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"})

# The SDK reads a 2xx answer by hand: JSON that is none, or of another shape, comes out as one of these.
MISREAD = (ValueError, TypeError, AttributeError, KeyError)
# Our own address of the API cannot be used at all.
MISCONFIGURED = (network.InvalidURL, network.MissingSchema, network.InvalidSchema, network.InvalidHeader)

LINK = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]+")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")

# The SDK would read both by itself and change the address of the API behind the settings' back.
NO_REGION = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}

# The SDK logs the number that is asked for, urllib3 the address that has it.
SILENT = logging.Logger(f"{__name__}.silent", logging.CRITICAL + 1)
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


@dataclass(frozen=True)
class TwilioSms:
    """One account and one sender: a number, a name, or a Messaging Service, which goes before the others.

    ``callback_url`` is the public address of our status webhook; each message carries it with its own mark.
    ``previous_auth_token`` keeps callbacks readable while the token is being changed.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str | None = None
    messaging_service_sid: str | None = None
    previous_auth_token: str | None = field(default=None, repr=False)
    api_base_url: str = "https://api.twilio.com"
    callback_url: str | None = None
    timeout: float = 10.0
    name: str = "twilio"
    _thread: threading.local = field(default_factory=threading.local, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.sender and not self.messaging_service_sid:
            raise ValueError("Twilio needs a sender or a Messaging Service")

    def send(self, message: Outgoing, *, now: datetime) -> Outcome:  # noqa: ARG002 (every transport is told the time)
        """Hand an SMS over once; what failed after the request may have left is Unknown and never sent again here."""
        try:
            created = self._client().messages.create(**self._form(message))
        except (TwilioRestException, TwilioServiceException) as error:
            if error.status >= 500:
                return Unknown(f"http_{error.status}")
            code = _code(error)
            return refused(Codes.TWILIO, code, code, str(error.status))
        except MISCONFIGURED:
            return Stopped("api_base_url")
        except network.ReadTimeout:
            return Unknown("read_timeout")
        except network.RequestException as error:
            return NotSent("no_connection") if _never_left(error) else Unknown("connection_lost")
        except MISREAD:
            return Unknown("unreadable_answer")
        if not isinstance(created.sid, str) or not created.sid:
            return Unknown("unreadable_answer")
        return _fate(created)

    def lookup(self, sent: Sent) -> Found:
        """By Twilio's id where it is known, else by number, time and words: a mark cannot be searched for."""
        try:
            messages = self._client().messages
            if sent.provider_id is not None:
                return _fate(messages(sent.provider_id).fetch())
            # No date filter: it goes by the date of sending, which a message that still waits does not have.
            return _choose(messages.list(to=sent.address, limit=LISTED), sent)
        except TwilioException as error:
            return CannotTell(_code(error))
        except network.RequestException:
            return CannotTell("no_connection")
        except MISREAD:
            return CannotTell("unreadable_answer")

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Received]:
        """A status report (``…/status?mid=…``) or an SMS to us (``…/inbound``). Raises ForgedError, UnreadableError."""
        form = self._signed_form(request)
        address = urlsplit(request.url)
        if address.path.endswith("/status"):
            return [_report(form, parse_qs(address.query).get("mid", [""])[0])]
        if address.path.endswith("/inbound"):
            return [_inbound(form)]
        raise UnreadableError("this address takes no callback of Twilio")

    def _client(self) -> Client:
        """This thread's client; after a rest a new one, with a new connection."""
        thread, now = self._thread, monotonic()
        client: Client | None = getattr(thread, "client", None)
        if client is None or now - thread.used_at > LONGEST_REST:
            if client is not None:
                client.http_client.session.close()
            http = TwilioHttpClient(timeout=self.timeout, logger=SILENT)
            client = thread.client = Client(self.account_sid, self.auth_token, http_client=http, environment=NO_REGION)
            client.api.base_url = self.api_base_url
        thread.used_at = now
        return client

    def _form(self, message: Outgoing) -> dict[str, Any]:
        form: dict[str, Any] = {
            "to": message.address,
            "body": message.body,
            "validity_period": min(max(message.valid_for, 1), LONGEST_VALIDITY),
        }
        if self.messaging_service_sid:
            form["messaging_service_sid"] = self.messaging_service_sid
        else:
            form["from_"] = self.sender
        if self.callback_url:
            joint = "&" if "?" in self.callback_url else "?"
            # The fragment asks for five more tries on any failure; without it there is one, and only if we are down.
            form["status_callback"] = (
                f"{self.callback_url}{joint}mid={message_mark(message.id, message.attempt)}#rc=5&rp=all"
            )
        return form

    def _signed_form(self, request: WebhookRequest) -> _Form:
        try:
            fields = parse_qsl(request.body.decode(), keep_blank_values=True)  # blank fields are signed too
        except UnicodeDecodeError:
            raise ForgedError("the body is no form") from None
        form = _Form()
        for key, value in fields:
            form.setdefault(key, []).append(value)
        signature = request.headers.get("x-twilio-signature") or ""  # the SDK fails on None
        tokens = filter(None, (self.auth_token, self.previous_auth_token))
        if not any(RequestValidator(token).validate(request.url, form, signature) for token in tokens):
            raise ForgedError("X-Twilio-Signature does not fit")
        return form


class _Form(dict[str, list[str]]):
    """Form fields as the SDK's validator wants them: one that occurs twice is signed with both values."""

    def getlist(self, key: str) -> list[str]:
        return self[key]

    def first(self, key: str) -> str:
        """The field's value, blank when it is missing, without what a database cannot keep."""
        return self.get(key, [""])[0].replace("\x00", "")


def _report(form: _Form, mark: str) -> Report:
    message = read_mark(mark)
    sid, status = form.first("MessageSid"), form.first("MessageStatus")
    if message is None or not sid or not status:
        raise UnreadableError("a status callback without our mark, a MessageSid or a MessageStatus")
    outcome = _outcome(sid, status, form.first("ErrorCode")) if status in ARRIVED | LOST | ON_ITS_WAY else None
    return Report(f"{sid}:{status}", *message, outcome, status)


def _inbound(form: _Form) -> InboundText:
    sid, sender = form.first("MessageSid"), form.first("From")
    if not sid or not PHONE.fullmatch(sender):
        raise UnreadableError("an SMS without a MessageSid or from no phone number")
    return InboundText(sid, sender, form.first("Body").strip())


def _outcome(sid: str, status: str, error_code: str) -> Accepted | Rejected:
    if status in LOST:
        return failed_later(Codes.TWILIO, error_code or status, error_code or status, provider_id=sid)
    return Accepted(sid, delivered=status in ARRIVED)


def _fate(message: Any) -> Accepted | Rejected:
    return _outcome(message.sid, str(message.status), str(message.error_code or ""))


def _choose(listed: Sequence[Any], sent: Sent) -> Found:
    """The message of that attempt: not an older one, not another's, with our words, the nearest in time."""
    ours = _letters(sent.body)
    candidates = [
        message
        for message in listed
        if message.date_created is not None
        and message.date_created >= sent.started_at - CLOCK_SKEW
        and message.sid not in sent.known_ids
        and (ours in _letters(message.body or "") if ours else message.body == sent.body)
    ]
    if not candidates:
        return NotFound()
    return _fate(min(candidates, key=lambda message: abs(message.date_created - sent.started_at)))


def _letters(text: str) -> str:
    """What survives Smart Encoding, link shortening and added footers: letters and digits, no links."""
    bare = unicodedata.normalize("NFKC", LINK.sub("", text))
    return "".join(character for character in bare if character.isalnum()).casefold()


def _code(error: TwilioException) -> str:
    """Twilio's code, else the HTTP status; a failing list has neither as attribute, but carries the answer."""
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return str(error.code or error.status)
    status = getattr(error.args[1], "status_code", None) if len(error.args) > 1 else None
    return f"http_{status}" if status else "unreadable_answer"


def _never_left(error: network.RequestException) -> bool:
    """Whether there was never a connection, so that nothing can have left."""
    if isinstance(error, network.ConnectTimeout | network.ProxyError):
        return True
    if isinstance(error, network.SSLError):
        return _in_handshake(error)
    return bool(error.args) and isinstance(getattr(error.args[0], "reason", None), NewConnectionError)


def _in_handshake(error: BaseException) -> bool:
    """Whether TLS failed while it was being set up; later the request may have left. Types do not tell, frames do."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            frames = traceback.walk_tb(cause.__traceback__)
            return any(frame.f_code.co_name == "do_handshake" for frame, _ in frames)
        cause = cause.__cause__ or cause.__context__
    return False
