"""The default transport: keeps what would be sent, so that everything runs, and can be seen, without an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from channels.base import Outgoing
from domain.delivery import Accepted, NotSent, Outcome


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

    def lookup(self, message_id: int) -> Outcome:
        """A mailbox is transactional: what is not there was certainly never handed over."""
        entry = self.find(message_id)
        return NotSent("not_kept") if entry is None else Accepted(str(entry), delivered=True)
