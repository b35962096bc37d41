"""A service desk for tests: opens tickets, gives them commands, and reads what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, select, text

from db import callbacks, clocks, commands, events, follow_ups, intake, outbox, surveys, tickets
from db.models import Base, Customer
from domain.commands import build_command
from domain.intake import CustomerDetails, Report
from domain.lifecycle import CommandName, TicketState
from domain.people import Actor, CustomerTier, Role
from domain.standard import Standard
from domain.tickets import Channel, Impact

C = CommandName
S = TicketState
_numbers = count(1)


@dataclass
class Desk:
    """One connection, one standard, one moment that tests move on with ``after``."""

    connection: Connection
    standard: Standard
    now: datetime
    clerk: Actor

    def after(self, **duration: float) -> datetime:
        """The moment that much later than the desk's ``now``."""
        return self.now + timedelta(**duration)

    def open(
        self,
        description: str = "空调不制冷",
        *,
        impact: Impact | None = Impact.PARTIAL,
        channel: Channel = Channel.HOTLINE,
        tier: CustomerTier = CustomerTier.STANDARD,
        at: datetime | None = None,
        **details: Any,
    ) -> int:
        """A ticket of a new customer of the eastern region."""
        number = next(_numbers)
        customer = CustomerDetails(
            **{
                "name": f"Guest {number}",
                "email": f"guest{number}@example.com",
                "region": "east",
                "tier": tier,
                **details,
            }
        )
        moment = at or self.now
        customer_id = intake.find_or_add_customer(self.connection, customer, standard=self.standard, now=moment)
        report = Report(channel=channel, description=description, impact=impact)
        actor = Actor(Role.CUSTOMER, customer_id)
        opened = intake.open_ticket(self.connection, customer_id, report, actor, standard=self.standard, now=moment)
        return opened.ticket_id

    def give(
        self,
        ticket_id: int,
        name: CommandName,
        actor: Actor | None = None,
        *,
        at: datetime | None = None,
        **values: Any,
    ) -> commands.Applied:
        """Give a command; ``key`` among the values is its idempotency key."""
        key = values.pop("key", None)
        return commands.apply_command(
            self.connection,
            ticket_id,
            build_command(name, values),
            actor or self.clerk,
            standard=self.standard,
            now=at or self.now,
            idempotency_key=key,
        )

    def follow_up(self, ticket_id: int, *, at: datetime | None = None) -> list[follow_ups.FollowedUp]:
        """Everything that Aftercare itself has to do on the ticket."""
        done = []
        while step := follow_ups.carry_out_next(self.connection, ticket_id, standard=self.standard, now=at or self.now):
            done.append(step)
        return done

    def bring_to(self, state: TicketState, *, ticket_id: int | None = None, at: datetime | None = None) -> int:
        """A ticket in that state, reached by ordinary commands at one moment."""
        ticket_id = self.open(at=at) if ticket_id is None else ticket_id
        for name, values in _WAY[state]:
            if name is None:
                self.follow_up(ticket_id, at=at)
                continue
            if name is C.PROPOSE_PLAN:
                values = values | {"deadline_at": (at or self.now) + timedelta(days=3)}
            self.give(ticket_id, name, at=at, **values)
        assert self.ticket(ticket_id)["state"] == state
        return ticket_id

    def customer_of(self, ticket_id: int) -> Actor:
        """The ticket's customer as an actor."""
        return Actor(Role.CUSTOMER, self.ticket(ticket_id)["customer_id"])

    def ticket(self, ticket_id: int) -> dict[str, Any]:
        """The ticket's row with its people."""
        return tickets.get(self.connection, ticket_id)

    def clocks(self, ticket_id: int) -> dict[str, dict[str, Any]]:
        """The clocks of the present round by kind."""
        rows = clocks.of_ticket(self.connection, ticket_id, self.ticket(ticket_id)["round"])
        return {row["kind"]: row for row in rows}

    def kinds(self, ticket_id: int) -> list[str]:
        """What happened, in order."""
        return [event["kind"] for event in events.list_of(self.connection, ticket_id)]

    def last_event(self, ticket_id: int) -> dict[str, Any]:
        """The newest event."""
        return events.list_of(self.connection, ticket_id)[-1]

    def told(self, ticket_id: int, *, since: int = 0) -> list[tuple[str, str]]:
        """Kind and recipient's name of the ticket's messages, oldest first, from the one after ``since`` on."""
        rows: Sequence[dict[str, Any]] = outbox.list_of(self.connection, ticket_id)
        return [(row["kind"], row["recipient_name"]) for row in rows][since:]

    def customer_name(self, ticket_id: int) -> str:
        """The name that ``told`` shows for the ticket's customer."""
        customer_id = self.ticket(ticket_id)["customer_id"]
        return self.connection.execute(select(Customer.name).where(Customer.id == customer_id)).scalar_one()

    def surveys(self, ticket_id: int) -> list[dict[str, Any]]:
        """The ticket's surveys with their answers."""
        return surveys.list_of(self.connection, ticket_id)

    def callbacks(self, ticket_id: int) -> list[dict[str, Any]]:
        """The ticket's callbacks."""
        return callbacks.list_of(self.connection, ticket_id)


def snapshot(connection: Connection) -> dict[str, list[str]]:
    """Everything in the database, to be compared with what it is later."""
    tables = Base.metadata.sorted_tables
    return {t.name: sorted(map(str, connection.execute(text(f"SELECT * FROM {t.name}")).all())) for t in tables}


_Way = tuple[tuple[CommandName | None, dict[str, Any]], ...]
_ASSIGNED: _Way = ((None, {}),)
_DIAGNOSING: _Way = (*_ASSIGNED, (C.FIRST_CONTACT, {"summary": "called"}))
_PROPOSED: _Way = (*_DIAGNOSING, (C.PROPOSE_PLAN, {"kind": "repair", "steps": ["replace the part"]}))
_IN_WORK: _Way = (*_PROPOSED, (C.AGREE_PLAN, {"agreed_by_phone_with": "the customer"}))
_COMPLETED: _Way = (*_IN_WORK, (C.COMPLETE, {"summary": "replaced", "tested": True}))
_WAY: dict[TicketState, _Way] = {
    S.NEW: (),
    S.ACKNOWLEDGED: ((C.ACKNOWLEDGE, {}),),
    S.ASSIGNED: _ASSIGNED,
    S.DIAGNOSING: _DIAGNOSING,
    S.PLAN_PROPOSED: _PROPOSED,
    S.IN_WORK: _IN_WORK,
    S.WAITING_CUSTOMER: (*_DIAGNOSING, (C.ASK_CUSTOMER, {"question": "which model?"})),
    S.COMPLETED: _COMPLETED,
    S.CLOSED: (*_COMPLETED, (C.CONFIRM_COMPLETION, {"signed_by": "the customer"})),
    S.CANCELLED: ((C.CANCEL, {"reason": "not needed"}),),
}
