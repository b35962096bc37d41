"""Which flows live in windows, when such a window has died, and for how long another one takes its place."""

from __future__ import annotations

from datetime import datetime, timedelta

# Which are to be awake always.
FLOWS = ("ticket_lifecycle", "message_delivery", "webhook_delivery", "sla_watchdog", "callback_escalation")
# How Prefect shows a run that took a dead one's place.
BEGUN_ANEW = "begun-anew"
# From its slot until a run is awake: taken by a worker, started, imported.
_ON_ITS_WAY = timedelta(seconds=30)
_TOO_SHORT = timedelta(seconds=5)


def successor_window(state: str, *, slot: datetime, window: timedelta, now: datetime) -> timedelta | None:
    """What is left of a window that nobody is awake in, for a run that takes its place; None: none is to.

    ``state``: of the flow's newest run, as Prefect names its type. What ended by itself or was cancelled stays so, what
    waits for a worker is taken by one.
    """
    is_dead = state == "CRASHED" or (state in {"PENDING", "RUNNING"} and now - slot > _ON_ITS_WAY)
    left = slot + window - now
    return left if is_dead and left > _TOO_SHORT else None
