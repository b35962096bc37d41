"""How long vendors took messages from us, and how long those had waited: numbers of the last day that name nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Double, Table, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from db import bulk
from db.models import Handover
from db.rows import Row, fetch

KEPT_FOR = timedelta(days=1)


def keep(connection: Connection, handovers: Sequence[Row]) -> None:
    """Keep how long each hand-over took (columns of the table, without ``id``)."""
    if handovers:
        bulk.insert_many(connection, cast("Table", Handover.__table__), handovers, returning=("id",))


def _spread(seconds: Any, *by: Any) -> Any:
    """How many lie in each bucket, and their sum, by some columns; the first bucket is below the first bound."""
    bucket = func.width_bucket(seconds, bindparam("bounds", type_=ARRAY(Double))).label("bucket")
    return (
        select(*by, bucket, func.count().label("count"), func.sum(seconds).label("sum"))
        .where(Handover.at > bindparam("since"), seconds.is_not(None))
        .group_by(*by, bucket)
    )


_TOOK = _spread(Handover.took, Handover.medium, Handover.provider, Handover.outcome)
_WAITED = _spread(Handover.waited, Handover.medium)


def spread_of_took(connection: Connection, bounds: Sequence[float], *, since: datetime) -> list[Row]:
    """How long vendors took, by medium, provider and outcome: ``count`` and ``sum`` of each ``bucket``."""
    return fetch(connection, _TOOK, bounds=list(bounds), since=since)


def spread_of_waited(connection: Connection, bounds: Sequence[float], *, since: datetime) -> list[Row]:
    """How long messages had waited from when they were to leave until they were handed over, by medium."""
    return fetch(connection, _WAITED, bounds=list(bounds), since=since)


def forget(connection: Connection, *, before: datetime) -> int:
    """Remove what is older; returns how many."""
    return connection.execute(delete(Handover).where(Handover.at < before)).rowcount
