"""How the service stands at a moment, in numbers that name nobody (for whoever runs it)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from db import inbox, media
from db.models import Callback, Message, PendingEvent, SlaClock, Ticket
from db.rows import fetch
from domain.delivery import MessageState
from domain.lifecycle import TicketState
from domain.satisfaction import CallbackState
from domain.service_alarms import LOOK_EVERY
from domain.tickets import Priority

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


def read(connection: Connection, *, now: datetime) -> dict[str, Any]:
    """What is open, due, late, owed and stuck; moments are None where nothing waits.

    ``breaches_lately`` and ``breaches_before``: within an hour, now and at the look before; ``breaches_usual``: an
    hour's mean of the week before.
    """
    running = select(func.count()).select_from(SlaClock).where(SlaClock.stopped_at.is_(None))
    callbacks = select(func.count()).select_from(Callback).where(Callback.state == CallbackState.OPEN.value)
    owed = (Message.state == MessageState.QUEUED.value) & (Message.send_after <= now)
    waiting, waits_since = connection.execute(select(func.count(), func.min(Message.send_after)).where(owed)).one()
    pending, pending_since = connection.execute(
        select(func.count(), func.min(PendingEvent.due_at)).where(PendingEvent.due_at <= now)
    ).one()
    unclear = select(Message.state, func.count().label("count")).where(
        Message.state.in_([MessageState.FAILED.value, MessageState.UNKNOWN.value])
    )
    return {
        "open": _open(connection),
        "due_soon": connection.scalar(running.where(SlaClock.due_at > now, SlaClock.due_at <= now + HOUR)),
        "overdue": connection.scalar(running.where(SlaClock.due_at <= now)),
        "callbacks": connection.scalar(callbacks),
        "callbacks_overdue": connection.scalar(callbacks.where(Callback.due_at <= now)),
        "messages_waiting": waiting,
        "messages_wait_since": waits_since,
        "messages": {row["state"]: row["count"] for row in fetch(connection, unclear.group_by(Message.state))},
        "stopped": [row for row in media.list_all(connection) if row["stopped_at"] is not None],
        "events_pending": pending,
        "events_pending_since": pending_since,
        "events_postponed": connection.scalar(
            select(func.count()).select_from(PendingEvent).where(PendingEvent.problem.is_not(None))
        ),
        "inbox_pending": inbox.count_pending(connection),
        "breaches_lately": _breaches(connection, now - HOUR, now),
        "breaches_before": _breaches(connection, now - HOUR - LOOK_EVERY, now - LOOK_EVERY),
        "breaches_usual": _breaches(connection, now - WEEK, now - HOUR) / (WEEK / HOUR - 1),
    }


def _breaches(connection: Connection, since: datetime, until: datetime) -> int:
    broken = select(func.count()).select_from(SlaClock)
    return connection.scalar(broken.where(SlaClock.breached_at > since, SlaClock.breached_at <= until)) or 0


def _open(connection: Connection) -> list[dict[str, Any]]:
    """Open tickets by priority for each state that some are in, in the order of a ticket's life."""
    query = (
        select(Ticket.state, Ticket.priority, func.count().label("count"))
        .where(Ticket.closed_at.is_(None))
        .group_by(Ticket.state, Ticket.priority)
    )
    counts = {(row["state"], row["priority"]): row["count"] for row in fetch(connection, query)}
    states = [state for state in TicketState if any(found == state for found, _ in counts)]
    return [{"state": state, "counts": {p.value: counts.get((state, p), 0) for p in Priority}} for state in states]
