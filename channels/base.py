"""What every transport is: something that takes a message, can be asked about it later, and reads its own callbacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.delivery import Found, Outcome, Received
from domain.messages import Enclosure, Medium


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message with its frozen words, ready to leave. ``id`` and ``attempt`` make the mark a transport carries."""

    id: int
    attempt: int
    medium: Medium
    address: str
    subject: str | None
    body: str
    html: str | None
    unsubscribe_url: str | None = None  # surveys and digests only (RFC 8058)
    valid_for: int = 14_400  # seconds after which a late queue need not deliver it any more
    enclosures: Sequence[Enclosure] = ()  # of a mail


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt whose fate is asked for. ``known_ids``: the vendor's ids of other messages to the same address."""

    id: int
    attempt: int
    address: str
    subject: str | None
    body: str
    started_at: datetime
    provider_id: str | None = None
    known_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What a vendor posted: ``url`` is the configured public address with path and query, headers in lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class ForgedError(Exception):
    """A callback is not signed by the vendor."""


class UnreadableError(Exception):
    """A callback is signed, but says nothing that can be read."""


class Transport(Protocol):
    """A transport never raises for what a vendor may answer: the outcome says what to do."""

    @property
    def name(self) -> str:
        """How the outbox names it."""
        ...

    def send(self, message: Outgoing, *, now: datetime) -> Outcome:
        """Hand the message over; called from several threads at once."""
        ...

    def lookup(self, sent: Sent) -> Found:
        """What became of an attempt whose fate is unclear, or that was accepted long ago."""
        ...

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Received]:
        """What a callback says. Raises ForgedError or UnreadableError."""
        ...
