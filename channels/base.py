"""What every transport is: something that takes a message and can be asked about it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.delivery import Outcome
from domain.messages import Medium


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message with its frozen words, ready to leave. ``id`` is the outbox row: the reference a transport keeps."""

    id: int
    attempt: int
    medium: Medium
    address: str
    subject: str | None
    body: str
    html: str | None


class Transport(Protocol):
    """A transport never raises for what a vendor may answer: the outcome says what to do."""

    @property
    def name(self) -> str:
        """How the outbox names it."""
        ...

    def send(self, message: Outgoing, *, now: datetime) -> Outcome:
        """Hand the message over."""
        ...

    def lookup(self, message_id: int) -> Outcome:
        """What became of a message whose fate is unclear."""
        ...
