"""What windows know of each other and of the database: who died and is begun anew, which errors ask for patience."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
)
from prefect.client.schemas.sorting import FlowRunSort
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

import logs
from db import awake as windows
from db.session import database_url, reading
from domain.windows import BEGUN_ANEW, FLOWS, successor_window

# The database is restarted, moved, or busy beyond measure: what was begun is undone and is due again.
DATABASE_AWAY = (OperationalError, PoolTimeoutError)
LOOK_SECONDS = 5.0
_RARELY = 6
_log = logging.getLogger(logs.OURS)


def awake(flow_name: str) -> AbstractContextManager[None]:
    """Within it everybody sees that a window of this flow is awake."""
    return windows.awake(database_url(), flow_name)


def watch(is_over: Callable[[float], object], clock: Callable[[], datetime]) -> None:
    """Begin anew each window that dies, until ``is_over``, which waits for as many seconds, says so."""
    seen: set[str] = set()
    with get_client(sync_client=True) as client:
        for look in itertools.count(1):
            if is_over(LOOK_SECONDS):
                return
            try:
                with reading() as connection:
                    now_awake = windows.find_awake(connection, FLOWS)
                # One that was never seen awake may have died on its way, or have nothing to do.
                for flow_name in (seen if look % _RARELY else {*FLOWS}) - now_awake:
                    begin_anew(client, flow_name, now=clock())
                seen |= now_awake
            except Exception as error:  # noqa: BLE001  whatever it is, nobody watches the watcher
                again = "The windows could not be looked at (%s); again in %g s."
                _log.warning(again, type(error).__name__, LOOK_SECONDS)


def begin_anew(client: SyncPrefectClient, flow_name: str, *, now: datetime) -> bool:
    """Start a run for what is left of a flow's window if it has died; returns whether it had. Each gets one successor,
    whoever sees it; a flow that is paused gets none."""
    name = flow_name.replace("_", "-")
    runs = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(expected_start_time=FlowRunFilterExpectedStartTime(before_=now)),
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[name])),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=1,
    )
    if not runs or runs[0].expected_start_time is None:
        return False
    left = successor_window(
        str(runs[0].state_type and runs[0].state_type.value),
        slot=runs[0].expected_start_time,
        window=timedelta(seconds=runs[0].parameters.get("window_seconds", 0)),
        now=now,
    )
    if left is None:
        return False
    # Only now: to read a deployment costs the server and us a look through all time zones.
    deployment = client.read_deployment_by_name(f"{flow_name}/{name}")
    if deployment.paused or not any(schedule.active for schedule in deployment.schedules):
        return False
    client.create_flow_run_from_deployment(
        deployment.id,
        parameters={"window_seconds": int(left.total_seconds())},
        idempotency_key=f"instead of {runs[0].id}",
        tags=[BEGUN_ANEW],
    )
    return True
