"""The default transport: keeps what would be sent, so that everything runs, and can be seen, without an account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.base import Outgoing, Sent, UnreadableError, WebhookRequest
from domain.delivery import Accepted, Found, NotFound, NotSent, Outcome, Received


@dataclass(frozen=True)
class Mailbox:
    """Keeps messages by ``keep`` (returns the entry's id) and finds them by ``find`` (the entry's id, or None)."""

    keep: Callable[[Outgoing, datetime], int | None]
    find: Callable[[int], int | None]
    name: str = "mailbox"

    def send(self, message: Outgoing, *, now: datetime) -> Outcome:
        """Keep it; what is kept is delivered."""
        entry = self.keep(message, now)
        return NotSent("claim_lost") if entry is None else Accepted(str(entry), delivered=True)

    def lookup(self, sent: Sent) -> Found:
        """A mailbox is transactional: what is not there was certainly never handed over."""
        entry = self.find(sent.id)
        return NotFound(is_certain=True) if entry is None else Accepted(str(entry), delivered=True)

    def parse_webhook(self, request: WebhookRequest) -> Sequence[Received]:  # noqa: ARG002  nobody calls back
        """Raises UnreadableError: a mailbox has no callbacks."""
        raise UnreadableError("the mailbox has no callbacks")
