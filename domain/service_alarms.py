"""What the people who run the service are told of at once: it is stuck, or promises break more often than usual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

# The watchdog looks this often; each look hears of what has become late since the one before, or has been for hours.
LOOK_EVERY = timedelta(minutes=5)
AGAIN_EVERY = timedelta(hours=1)
LATE_AFTER = timedelta(minutes=5)
# Breaches rise: so many within the hour, and so many times what an hour of the week before brought.
FEWEST_BREACHES = 5
RISE = 3


class ServiceAlarm(StrEnum):
    """What may be wrong; the word is the last part of the event's name in Prefect."""

    OUTBOX_LATE = "outbox-late"
    FOLLOW_UPS_LATE = "follow-ups-late"
    CHANNEL_STOPPED = "channel-stopped"
    BREACHES_RISE = "breaches-rise"


@dataclass(frozen=True, slots=True)
class Finding:
    """An alarm with the figures that explain it; they name nobody."""

    alarm: ServiceAlarm
    figures: Mapping[str, str | int]


def find_alarms(today: Mapping[str, Any], *, now: datetime) -> Iterator[Finding]:
    """What is to be told at this look, from the figures of ``db.today.read``.

    What goes on is told when it begins and then once an hour, without anything being remembered.
    """
    for alarm, count, since in (
        (ServiceAlarm.OUTBOX_LATE, today["messages_waiting"], today["messages_wait_since"]),
        (ServiceAlarm.FOLLOW_UPS_LATE, today["events_pending"], today["events_pending_since"]),
    ):
        if since is not None and _is_news(now - since - LATE_AFTER):
            yield Finding(alarm, {"count": count, "minutes": int((now - since) / timedelta(minutes=1))})
    for channel in today["stopped"]:
        if _is_news(now - channel["stopped_at"]):
            figures = {"channel": channel["medium"], "code": channel["stop_code"], "waiting": channel["waiting"]}
            yield Finding(ServiceAlarm.CHANNEL_STOPPED, figures)
    usual = today["breaches_usual"]
    if _is_high(today["breaches_lately"], usual) and not _is_high(today["breaches_before"], usual):
        yield Finding(ServiceAlarm.BREACHES_RISE, {"count": today["breaches_lately"], "usual": f"{usual:.1f}"})


def _is_high(breaches: int, usual: float) -> bool:
    return breaches >= max(FEWEST_BREACHES, RISE * usual)


def _is_news(lasts: timedelta) -> bool:
    """Whether this look is the first since it began, or the first of another hour that it lasts."""
    return lasts >= timedelta() and lasts % AGAIN_EVERY < LOOK_EVERY
