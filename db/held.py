"""A ticket under its lock: the row and the clocks as this transaction has left them so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from db import clocks, standards, tickets
from domain.standard import Standard


@dataclass
class HeldTicket:
    """Locked until the transaction ends; whoever changes the ticket changes ``row`` and ``clocks`` with it."""

    connection: Connection
    row: dict[str, Any]

    @property
    def id(self) -> int:
        """The ticket's id."""
        return int(self.row["id"])

    @property
    def number(self) -> str:
        """The ticket's number."""
        return str(self.row["number"])

    @cached_property
    def clocks(self) -> list[dict[str, Any]]:
        """The clocks of the present round."""
        return clocks.of_ticket(self.connection, self.id, self.row["round"])

    def promised_by(self, newest: Standard) -> Standard:
        """The standard by which its promises were made."""
        return standards.of_ticket(self.connection, self.row, newest)

    def no_earlier(self, now: datetime) -> datetime:
        """``now``, or the ticket's last known moment: a machine's clock that was set back moves nothing back."""
        known: list[datetime | None] = [self.row[name] for name in ("opened_at", "completed_at", "closed_at")]
        for clock in map(clocks.to_clock, self.clocks):
            known += [clock.started_at, clock.stopped_at]
            known += [moment for rest in clock.pauses[-1:] for moment in (rest.since, rest.until)]
        return max(now, *(moment for moment in known if moment is not None))

    def forget_clocks(self) -> None:
        """Read the clocks anew when they are next needed: another round has begun."""
        self.__dict__.pop("clocks", None)


_KEPT = "held_tickets"


@contextmanager
def keeping(connection: Connection) -> Iterator[dict[int, HeldTicket]]:
    """While the block lasts, a ticket that was held on this connection is not read again.

    Only for who alone writes to this database. Whoever takes back a change, or changes tickets without holding them,
    removes those from the dictionary that this gives.
    """
    kept: dict[int, HeldTicket] = {}
    connection.info[_KEPT] = kept
    try:
        yield kept
    finally:
        del connection.info[_KEPT]


def hold(connection: Connection, ticket_id: int) -> HeldTicket:
    """Lock a ticket. Raises NotFoundError."""
    kept: dict[int, HeldTicket] | None = connection.info.get(_KEPT)
    if kept is None:
        return HeldTicket(connection, tickets.get(connection, ticket_id, for_update=True))
    if ticket_id not in kept:
        kept[ticket_id] = HeldTicket(connection, tickets.get(connection, ticket_id, for_update=True))
    return kept[ticket_id]
