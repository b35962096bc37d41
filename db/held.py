"""A ticket under its lock: the row and the clocks as this transaction has left them so far."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from db import clocks, tickets


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

    def forget_clocks(self) -> None:
        """Read the clocks anew when they are next needed: another round has begun."""
        self.__dict__.pop("clocks", None)


def hold(connection: Connection, ticket_id: int) -> HeldTicket:
    """Lock a ticket. Raises NotFoundError."""
    return HeldTicket(connection, tickets.get(connection, ticket_id, for_update=True))
