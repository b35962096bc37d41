"""The two media as the outbox uses them: what may leave now, what left today, whether the vendor refuses us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from db.models import MediumState, Message
from db.outbox import IS_QUEUED
from db.rows import fetch
from domain.messages import Medium


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may leave now. ``segments``: SMS segments that left today."""

    messages: int
    segments: int = 0
    is_stopped: bool = False


def allowance(connection: Connection, medium: Medium, *, per_second: float, today: date, most: int) -> Allowance:
    """Lock the medium until the transaction ends and say how much may leave: a token bucket of one second.

    The bucket is filled by the database's own clock, the same for every worker, and not by the business's ``now``.
    """
    columns = (MediumState.stopped_at, MediumState.tokens, MediumState.spent_on, MediumState.segments)
    waited = func.extract("epoch", func.clock_timestamp() - MediumState.refilled_at)
    query = select(*columns, waited).where(MediumState.medium == medium.value).with_for_update()
    stopped_at, tokens, spent_on, segments, seconds = connection.execute(query).one()
    burst = max(1.0, per_second)
    tokens = burst if seconds is None else min(burst, tokens + per_second * float(seconds))
    values = {"tokens": tokens, "refilled_at": func.clock_timestamp()}
    connection.execute(update(MediumState).where(MediumState.medium == medium.value).values(**values))
    if stopped_at is not None:
        return Allowance(0, is_stopped=True)
    return Allowance(min(int(tokens), most), segments if spent_on == today else 0)


def spend(connection: Connection, medium: Medium, *, messages: int, segments: int, today: date) -> None:
    """Take what left from the bucket; ``segments`` is the new sum of the day."""
    connection.execute(
        update(MediumState)
        .where(MediumState.medium == medium.value)
        .values(tokens=MediumState.tokens - messages, spent_on=today, segments=segments)
    )


def give_back(connection: Connection, medium: Medium, segments: int) -> None:
    """Take segments off the day's sum that were counted and did not leave."""
    left = func.greatest(0, MediumState.segments - segments)
    connection.execute(update(MediumState).where(MediumState.medium == medium.value).values(segments=left))


def stop(connection: Connection, medium: Medium, code: str, *, now: datetime) -> bool:
    """Stop a medium because its vendor refuses us; True when it was not stopped before."""
    statement = update(MediumState).where(MediumState.medium == medium.value, MediumState.stopped_at.is_(None))
    return bool(connection.execute(statement.values(stopped_at=now, stop_code=code)).rowcount)


def resume(connection: Connection, medium: Medium) -> bool:
    """Let a medium send again; False when it was not stopped."""
    statement = update(MediumState).where(MediumState.medium == medium.value, MediumState.stopped_at.is_not(None))
    return bool(connection.execute(statement.values(stopped_at=None, stop_code=None)).rowcount)


def list_all(connection: Connection) -> list[dict[str, Any]]:
    """Both media with the number of messages that wait for them."""
    waiting = select(func.count()).where(IS_QUEUED, Message.medium == MediumState.medium).scalar_subquery()
    return fetch(connection, select(MediumState.__table__, waiting.label("waiting")).order_by(MediumState.medium))
