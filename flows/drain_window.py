"""This file runs a step again and again for the length of a window: how a flow is always awake without ever waiting.

A scheduled run lives for its window, a little longer than the time to the next one. Nothing is kept in memory: a run
that is killed is replaced within seconds, because every worker sees to it (tasks/windows.py), and two at once share the
work, because the claims are in the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta

from prefect.logging import get_logger, get_run_logger
from prefect.runtime import flow_run

from clock import utc_now
from domain.windows import FLOWS
from tasks.windows import DATABASE_AWAY, awake

TICK_SECONDS = 1.0


def drain(step: Callable[[datetime], int], *, now: datetime | None, window_seconds: int) -> None:
    """Call ``step(now)``, which returns how much it did, until nothing is due.

    With ``now`` given, for that moment only: a repair, a demo, a test. Without, until ``window_seconds`` after the
    run's slot, looking again every second while there is nothing to do: a run that started late ends when the next
    one is awake. A database that does not answer is waited for within the window; raises its error when it never does.
    """
    if now is not None:
        while step(now):
            pass
        return
    end = (flow_run.get_scheduled_start_time() or utc_now()) + timedelta(seconds=window_seconds)
    name = flow_run.get_flow_name()
    away: Exception | None = None
    while utc_now() < end:
        try:
            with awake(name) if name in FLOWS else nullcontext():
                while (moment := utc_now()) < end:
                    if not step(moment):
                        time.sleep(TICK_SECONDS)
                    away = None
        except DATABASE_AWAY as error:
            if away is None:
                logger = get_run_logger() if name else get_logger()
                logger.warning("The database does not answer; this run waits for it.")
            away = error
            time.sleep(TICK_SECONDS)
    if away is not None:
        raise away


def is_stale(*, now: datetime | None, window_seconds: int) -> bool:
    """True for a scheduled run that starts after its own window: the run that is due now does its work."""
    scheduled = flow_run.get_scheduled_start_time()
    if now is not None or scheduled is None:
        return False
    return bool(utc_now() - scheduled > timedelta(seconds=window_seconds))
