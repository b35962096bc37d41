"""This file asks what is due, without claiming it: a look at a partial index that costs what is due."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, func, select

from db.models import Callback, Message, PendingEvent, SlaClock, Survey, Ticket
from db.outbox import IS_QUEUED

_MOST = 1000


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


def count(connection: Connection, what: Due, *, now: datetime) -> int:
    """How much is due, counted up to 1,000."""
    column = _COLUMNS[what]
    query = select(column).where(column <= now)
    if what is Due.MESSAGES:
        query = query.where(IS_QUEUED)
    return connection.execute(select(func.count()).select_from(query.limit(_MOST).subquery())).scalar_one()


_NEXT = select(
    *(
        select(func.min(column))
        .where(*([IS_QUEUED] if kind is Due.MESSAGES else []))
        .scalar_subquery()
        .label(kind.value)
        for kind, column in _COLUMNS.items()
    )
)


def next_moments(connection: Connection) -> dict[Due, datetime]:
    """When the next work of each kind comes due; a kind that has none is left out."""
    row = connection.execute(_NEXT).one()
    return {kind: moment for kind, moment in zip(_COLUMNS, row, strict=True) if moment is not None}
