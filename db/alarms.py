"""This file raises alarms: events and notices of the rungs that clocks reached, many in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, select

from db import clocks, entries, events, outbox, staff, standards
from db import tickets as ticket_rows
from db.models import SlaClock, Ticket
from db.notices import iso, ticket_context, to_staff
from db.rows import fetch
from domain.assignment import Candidate, choose_lead
from domain.escalation import Alarm, AlarmKind, Listener, reached_alarms, rungs_reached
from domain.messages import MessageKind
from domain.people import SYSTEM, Role
from domain.sla import ClockKind
from domain.standard import Standard

NOTICE = {
    AlarmKind.WARNING: MessageKind.STAFF_SLA_WARNING,
    AlarmKind.BREACH: MessageKind.STAFF_SLA_BREACH,
    AlarmKind.ESCALATION: MessageKind.STAFF_SLA_ESCALATION,
}
LEAD = {Listener.SUPERVISOR: Role.SUPERVISOR, Listener.MANAGER: Role.MANAGER}


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm that was raised, for the run's report."""

    ticket_number: str
    clock: ClockKind
    kind: AlarmKind
    due_at: datetime | None
    told: tuple[str, ...]


@dataclass(frozen=True)
class Leads:
    """Supervisors and managers, read once per sweep."""

    people: Sequence[Candidate]

    @classmethod
    def read(cls, connection: Connection, standard: Standard) -> Leads:
        """Read them."""
        roles = (Role.SUPERVISOR, Role.MANAGER)
        return cls(staff.candidates(connection, standard, roles=roles))

    def listeners(self, alarm: Alarm, ticket: Mapping[str, Any], *, now: datetime) -> dict[int, tuple[str, str]]:
        """Id, name and language of those whom an alarm tells; a missing assignee is stood in for by a supervisor."""
        found: dict[int, tuple[str, str]] = {}
        for listener in alarm.tells:
            if listener is Listener.ASSIGNEE and ticket["assignee_id"] is not None:
                found[ticket["assignee_id"]] = (ticket["assignee_name"], ticket["assignee_language"])
                continue
            role = LEAD.get(listener, Role.SUPERVISOR)
            lead = choose_lead(self.people, role, region=ticket["region"], now=now)
            if lead is not None:
                found[lead.id] = (lead.name, lead.language)
        return found


_DUE = (
    select(SlaClock.__table__)
    .join(Ticket, Ticket.id == SlaClock.ticket_id)
    .where(SlaClock.next_alarm_at <= bindparam("now"))
    .order_by(SlaClock.next_alarm_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=[SlaClock, Ticket], skip_locked=True)
)


def raise_due(
    connection: Connection, *, standard: Standard, now: datetime, limit: int = 500, leads: Leads | None = None
) -> list[Raised]:
    """Raise every alarm that is due at ``now`` on up to ``limit`` clocks; an empty list: nothing was due.

    ``leads``: those whom the caller knows to be all; None: they are read.

    Claims clocks and their tickets with SKIP LOCKED, so that several sweeps share the work; each rung of a clock
    is raised once, because ``rungs_raised`` moves in the same transaction. Costs what is due, not what is open.
    """
    due = fetch(connection, _DUE, now=now, most=limit)
    if not due:
        return []
    tickets = ticket_rows.lock_many(connection, [row["ticket_id"] for row in due])
    leads = leads or Leads.read(connection, standard)
    raised: list[Raised] = []
    messages: list[outbox.NewMessage] = []
    new_events: dict[int, list[tuple[events.NewEvent, bool]]] = {}
    moved = []
    for row in due:
        ticket = tickets[row["ticket_id"]]
        clock, own = clocks.to_clock(row), standards.of_ticket(connection, ticket, standard)
        alarms = reached_alarms(
            clock,
            own.calendar(row["calendar"]),
            own.ladder_for(clock.kind),
            rungs_raised=row["rungs_raised"],
            now=now,
        )
        rungs = rungs_reached(alarms, row["rungs_raised"])
        breached_at = row["breached_at"] or clocks.first_breach(alarms)
        columns = clocks.moving_columns(clock, row["calendar"], own, rungs_raised=rungs, breached_at=breached_at)
        moved.append({"id": row["id"], **columns})
        for alarm in alarms:
            event, notices, entry = announce(alarm, row, ticket, ticket["clocks"], leads, own, now=now)
            new_events.setdefault(ticket["id"], []).append((event, alarm.climbs_tier))
            messages.extend(notices)
            raised.append(entry)
    if new_events:
        _write(connection, tickets, new_events, messages, moved, now=now)
    else:
        clocks.write(connection, moved)
    return raised


def announce(
    alarm: Alarm,
    clock: Mapping[str, Any],
    ticket: Mapping[str, Any],
    siblings: Sequence[Mapping[str, Any]],
    leads: Leads,
    standard: Standard,
    *,
    now: datetime,
) -> tuple[events.NewEvent, list[outbox.NewMessage], Raised]:
    """The event, the notices and the report line of one alarm."""
    told = leads.listeners(alarm, ticket, now=now)
    share = standard.ladder_for(ClockKind(clock["kind"]))[alarm.rung].at
    facts = {
        "clock": clock["kind"],
        "round": clock["round"],
        "share": share,
        "due_at": iso(clock["due_at"]),
        "reached_at": iso(alarm.reached_at),
        "told": sorted(told),
    }
    event = events.NewEvent(alarm.kind.value, SYSTEM, now, ticket["state"], {}, facts)
    context = ticket_context(ticket, siblings) | {
        "clock": clock["kind"],
        "share": share,
        "due_at": iso(clock["due_at"]),
    }
    occasion = f"r{clock['round']}:{clock['kind']}:{share}"
    notices = [
        to_staff(ticket, staff_id, language, NOTICE[alarm.kind], occasion, context)
        for staff_id, (_, language) in told.items()
    ]
    entry = Raised(
        ticket["number"],
        ClockKind(clock["kind"]),
        alarm.kind,
        clock["due_at"],
        tuple(name for name, _ in told.values()),
    )
    return event, notices, entry


def _write(
    connection: Connection,
    tickets: Mapping[int, Mapping[str, Any]],
    new_events: Mapping[int, list[tuple[events.NewEvent, bool]]],
    messages: Sequence[outbox.NewMessage],
    moved: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    rows: list[dict[str, Any]] = []
    chains, climbing = [], []
    for ticket_id, entered in new_events.items():
        ticket = tickets[ticket_id]
        chained = events.chained_rows(
            ticket_id, ticket["event_count"], ticket["event_digest"], [event for event, _ in entered]
        )
        rows += chained
        climbing += [row for row, (_, climbs) in zip(chained, entered, strict=True) if climbs]
        chains.append(chained[-1])
    entries.write_many(connection, rows, chains, messages=messages, moved_clocks=moved, followed_up=climbing, now=now)
