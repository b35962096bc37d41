"""One command being applied: what its effect reads, and what it leaves to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from db.held import HeldTicket
from domain.messages import MessageKind
from domain.people import STAFF_ROLES, Actor
from domain.standard import Standard


@dataclass
class Work:
    """One command being applied: the locked ticket, and what is to be written when its effect is done."""

    held: HeldTicket
    actor: Actor
    standard: Standard
    now: datetime
    changes: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    notice_context: dict[str, Any] = field(default_factory=dict)
    customer_notice: MessageKind | None = None
    has_own_customer_notice: bool = False
    staff_notices: list[tuple[int, str, MessageKind, Mapping[str, Any]]] = field(default_factory=list)
    later_notices: list[tuple[MessageKind, datetime]] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        """The connection that holds the lock."""
        return self.held.connection

    @property
    def ticket(self) -> dict[str, Any]:
        """The ticket as the command has left it so far."""
        return self.held.row

    @property
    def actor_staff_id(self) -> int | None:
        """The actor's staff id, or None when a customer or Aftercare itself acts."""
        return self.actor.id if self.actor.role in STAFF_ROLES else None

    def change(self, **columns: Any) -> None:
        """Set columns of the ticket."""
        self.changes.update(columns)
        self.ticket.update(columns)

    def tell_customer(self, kind: MessageKind | None) -> None:
        """Send this notice, or none, instead of the one the command's table names."""
        self.customer_notice, self.has_own_customer_notice = kind, True
