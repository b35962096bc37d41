"""SLA clocks in the database: started with the ticket, moved by its commands (S-10 to S-14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from db import bulk
from db.models import SlaClock
from db.rows import fetch
from domain.escalation import Alarm, AlarmKind, next_alarm_at, reached_alarms, rungs_reached
from domain.lifecycle import CommandName, TicketState
from domain.sla import Clock, ClockKind, Pause, after_command, deadline
from domain.standard import Standard
from domain.tickets import Channel, Priority


def to_clock(row: Mapping[str, Any]) -> Clock:
    """The row as the rules see it."""
    return Clock(
        kind=ClockKind(row["kind"]),
        started_at=row["started_at"],
        target=row["target"],
        pauses=tuple(
            Pause(datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None)
            for since, until in row["pauses"]
        ),
        stopped_at=row["stopped_at"],
    )


def moving_columns(
    clock: Clock, calendar: str, standard: Standard, *, rungs_raised: int, breached_at: datetime | None
) -> dict[str, Any]:
    """The columns that a command or an alarm may change."""
    hours = standard.calendar(calendar)
    return {
        "calendar": calendar,
        "target": clock.target,
        "pauses": [[p.since.isoformat(), p.until.isoformat() if p.until else None] for p in clock.pauses],
        "stopped_at": clock.stopped_at,
        "due_at": deadline(clock, hours),
        "next_alarm_at": next_alarm_at(clock, hours, standard.ladder_for(clock.kind), rungs_raised=rungs_raised),
        "rungs_raised": rungs_raised,
        "breached_at": breached_at,
    }


def started(
    kinds: Iterable[ClockKind],
    *,
    priority: Priority,
    channel: Channel,
    round_no: int,
    standard: Standard,
    now: datetime,
) -> list[dict[str, Any]]:
    """The rows of clocks that start at ``now``, for a ticket."""
    calendar = standard.calendar_for(priority, channel)
    rows = []
    for kind in kinds:
        clock = Clock(kind, started_at=now, target=standard.target(kind, priority))
        columns = moving_columns(clock, calendar, standard, rungs_raised=0, breached_at=None)
        rows.append({"round": round_no, "kind": kind.value, "started_at": now, **columns})
    return rows


def add(connection: Connection, ticket_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write clocks that start for a ticket which is there already."""
    connection.execute(insert(SlaClock), [{"ticket_id": ticket_id, **row} for row in rows])


_OF_TICKET = (
    select(SlaClock.__table__)
    .where(SlaClock.ticket_id == bindparam("ticket"), SlaClock.round == bindparam("round_no"))
    .order_by(SlaClock.id)
)


def of_ticket(connection: Connection, ticket_id: int, round_no: int) -> list[dict[str, Any]]:
    """The clocks of a ticket's present round."""
    return fetch(connection, _OF_TICKET, ticket=ticket_id, round_no=round_no)


def move(
    row: Mapping[str, Any],
    command: CommandName,
    state: TicketState,
    *,
    promise: tuple[Priority, Channel] | None,
    standard: Standard,
    now: datetime,
) -> tuple[dict[str, Any] | None, list[Alarm]]:
    """What a command does to a clock: its new columns (None: nothing), and a breach that the sweep had not seen yet.

    ``promise``: the new priority and the channel when the promise itself changes (S-11); a stopped clock keeps
    the promise it was judged by.
    """
    before = to_clock(row)
    after = after_command(before, command, state, now=now)
    calendar, rungs, breached_at = row["calendar"], row["rungs_raised"], row["breached_at"]
    late: list[Alarm] = []
    if after.stopped_at is not None or after.is_paused:
        reached = reached_alarms(
            before, standard.calendar(calendar), standard.ladder_for(before.kind), rungs_raised=rungs, now=now
        )
        late = [alarm for alarm in reached if alarm.kind is not AlarmKind.WARNING]
        rungs = rungs_reached(reached, rungs)
        breached_at = breached_at or first_breach(late)
    if promise is not None and after.stopped_at is None:
        priority, channel = promise
        calendar = standard.calendar_for(priority, channel)
        after = Clock(after.kind, after.started_at, standard.target(after.kind, priority), after.pauses, None)
    if after == before and not late:
        return None, []
    return moving_columns(after, calendar, standard, rungs_raised=rungs, breached_at=breached_at), late


def first_breach(alarms: Sequence[Alarm]) -> datetime | None:
    """When the promise was broken, if one of these alarms says so."""
    return next((alarm.reached_at for alarm in alarms if alarm.kind is AlarmKind.BREACH), None)


_MOVING = ("calendar", "target", "pauses", "stopped_at", "due_at", "next_alarm_at", "rungs_raised", "breached_at")
_FEW = 3
_MOVE = (
    update(SlaClock)
    .where(SlaClock.id == bindparam("key"))
    .values(**{name: bindparam(f"new_{name}") for name in _MOVING})
)


def write(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new columns of clocks (by ``id``)."""
    if len(rows) > _FEW:
        bulk.update_many(connection, cast("Table", SlaClock.__table__), rows)
    elif rows:
        values = [{"key": row["id"], **{f"new_{name}": row[name] for name in _MOVING}} for row in rows]
        connection.execute(_MOVE, values if len(values) > 1 else values[0])
