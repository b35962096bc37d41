"""``/metrics``: how the service stands, for Prometheus; numbers that name nobody, for whoever has the token."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, groupby
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException

from clock import utc_now
from db import handovers, today
from db.rows import Row
from db.session import transaction
from settings import get_settings

PATH = "/metrics"
router = APIRouter()

# What an age counts from, and the figure's place in ``db.today.read``.
_AGES = {
    "aftercare_outbox_age_seconds": ("How long the oldest message that should have left waits", "messages_wait_since"),
    "aftercare_follow_ups_age_seconds": ("How long the oldest event of a ticket waits", "events_pending_since"),
}
_COUNTS = {
    "aftercare_promises_due_soon": ("Promises that come due within the hour", "due_soon"),
    "aftercare_promises_overdue": ("Promises that are past their time and still open", "overdue"),
    "aftercare_breaches_last_hour": ("Promises that broke within the last hour", "breaches_lately"),
    "aftercare_callbacks_open": ("Callbacks that are owed", "callbacks"),
    "aftercare_callbacks_overdue": ("Callbacks that are owed and late", "callbacks_overdue"),
    "aftercare_outbox_waiting": ("Messages that should have left", "messages_waiting"),
    "aftercare_follow_ups_waiting": ("Events of tickets that wait for their follow-up", "events_pending"),
    "aftercare_follow_ups_postponed": ("Events whose follow-up was put off because of a problem", "events_postponed"),
    "aftercare_inbox_waiting": ("Callbacks of vendors and messages of customers not taken in yet", "inbox_pending"),
}


# Of the last hour: workers come and go, so that the database counts and nothing ever only rises.
_TOOK = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAITED = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class _Service(Collector):
    """The figures of one moment as Prometheus takes them."""

    def __init__(self, found: Mapping[str, Any], now: datetime) -> None:
        self._found = found
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """One family after the other."""
        found = self._found
        for name, (meaning, key) in _COUNTS.items():
            yield GaugeMetricFamily(name, meaning, value=found[key])
        for name, (meaning, key) in _AGES.items():
            age = self._now - found[key] if found[key] is not None else timedelta()
            yield GaugeMetricFamily(name, meaning, value=age.total_seconds())
        tickets = GaugeMetricFamily("aftercare_tickets_open", "Open tickets", labels=["state", "priority"])
        for row in found["open"]:
            for priority, count in row["counts"].items():
                tickets.add_metric([row["state"], priority], count)
        yield tickets
        unclear = GaugeMetricFamily("aftercare_messages", "Messages that failed or stay unknown", labels=["state"])
        for state in ("failed", "unknown"):
            unclear.add_metric([state], found["messages"].get(state, 0))
        yield unclear
        stopped = GaugeMetricFamily("aftercare_channel_stopped", "1 while a vendor refuses us", labels=["channel"])
        for channel in found["stopped"]:
            stopped.add_metric([channel["medium"]], 1)
        yield stopped
        took = "Seconds a vendor took for a message, last hour"
        yield _histogram("aftercare_handover_seconds", took, ("medium", "provider", "outcome"), _TOOK, found["took"])
        waited = "Seconds from when a message was to leave until it was handed over, last hour"
        yield _histogram("aftercare_outbox_wait_seconds", waited, ("medium",), _WAITED, found["waited"])


def _histogram(
    name: str, meaning: str, labels: tuple[str, ...], bounds: Sequence[float], rows: Sequence[Row]
) -> GaugeHistogramMetricFamily:
    """Rows of one bucket each, as Prometheus takes them: how many lie at or below each bound."""
    family = GaugeHistogramMetricFamily(name, meaning, labels=labels)

    def whose(row: Row) -> list[str]:
        return [row[label] for label in labels]

    for values, group in groupby(sorted(rows, key=whose), whose):
        found = {row["bucket"]: row for row in group}
        counts = accumulate(found[place]["count"] if place in found else 0 for place in range(len(bounds) + 1))
        buckets = list(zip([*map(str, bounds), "+Inf"], counts, strict=True))
        family.add_metric(values, buckets, sum(row["sum"] for row in found.values()))
    return family


@router.get(PATH)
def metrics(authorization: Annotated[str, Header()] = "") -> Response:
    """The figures now; without the token, or without one set, there is no such page."""
    token = get_settings().metrics_token
    expected = f"Bearer {token.get_secret_value()}" if token is not None else ""
    if not expected or not hmac.compare_digest(authorization.encode(), expected.encode()):
        raise HTTPException(404)
    now = utc_now()
    with transaction() as connection:
        found = today.read(connection, now=now)
        found["took"] = handovers.spread_of_took(connection, _TOOK, since=now - today.HOUR)
        found["waited"] = handovers.spread_of_waited(connection, _WAITED, since=now - today.HOUR)
    registry = CollectorRegistry()
    registry.register(_Service(found, now))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
