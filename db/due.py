"""This file asks what is due, without claiming it: a look at a partial index that costs what is due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, func, select

from db.models import Callback, Message, PendingEvent, SlaClock, Survey, Ticket
from db.outbox import IS_QUEUED
from domain.messages import Medium


class Due(Enum):
    """The kinds of work that come due, each with its column."""

    FOLLOW_UPS = "follow_ups"
    CLOSINGS = "closings"
    ALARMS = "alarms"
    SURVEYS = "surveys"
    CALLBACKS = "callbacks"
    MESSAGES = "messages"
    LOOK_UPS = "look_ups"


_COLUMNS: dict[Due, Any] = {
    Due.FOLLOW_UPS: PendingEvent.due_at,
    Due.CLOSINGS: Ticket.close_due_at,
    Due.ALARMS: SlaClock.next_alarm_at,
    Due.SURVEYS: Survey.next_action_at,
    Due.CALLBACKS: Callback.next_action_at,
    Due.MESSAGES: Message.send_after,
    Due.LOOK_UPS: Message.look_at,
}


def tickets(connection: Connection, what: Due, *, now: datetime, limit: int) -> list[str]:
    """The numbers of the first tickets for which something of a kind (one about tickets) is due; nothing is claimed."""
    column = _COLUMNS[what]
    owner = column.class_
    first = select(owner.ticket_id).where(column <= now).order_by(column).limit(limit).subquery()
    query = select(Ticket.number).where(Ticket.id.in_(select(first.c.ticket_id))).order_by(Ticket.id)
    return list(connection.execute(query).scalars())


def _first(kind: Due, column: Any) -> Any:
    """The earliest moment of a kind, by its index; that of queued messages begins with the medium."""
    if kind is not Due.MESSAGES:
        return select(func.min(column)).scalar_subquery()
    by_medium = (select(func.min(column)).where(IS_QUEUED, Message.medium == medium.value) for medium in Medium)
    return func.least(*(query.scalar_subquery() for query in by_medium))


@cache
def _next(kinds: tuple[Due, ...]) -> Select[Any]:
    return select(*(_first(kind, _COLUMNS[kind]).label(kind.value) for kind in kinds))


def next_moments(connection: Connection, kinds: Iterable[Due] = Due) -> dict[Due, datetime]:
    """When the next work of each of these kinds comes due; a kind that has none is left out."""
    wanted = tuple(kinds)
    row = connection.execute(_next(wanted)).one()
    return {kind: moment for kind, moment in zip(wanted, row, strict=True) if moment is not None}
