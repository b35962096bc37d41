"""The flow runs at a start of ``aftercare up``: what an earlier one left is put in order, the windows begin at once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import yaml

from cli.stack import PREFECT_YAML
from domain.windows import BEGUN_ANEW

_PAGE = 200
STOPPED = "stopped with aftercare up"


def settle_old(env: dict[str, str], *, now: datetime) -> None:
    """Runs that stopped with an earlier ``up`` become Crashed; windows whose time has passed are forgotten.

    To be called while no worker is there. Of a flow without windows the newest overdue run stays: its work is not done
    by another one.
    """
    with _client(env) as client:
        windowed = {found.id: is_windowed for found, is_windowed in _deployments(client)}
        from prefect.client.schemas.objects import StateType
        from prefect.states import Crashed

        begun = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
        for run in list(_runs(client, list(windowed), begun)):
            client.set_flow_run_state(run.id, Crashed(message=STOPPED), force=True)
        overdue: dict[UUID, list[Any]] = defaultdict(list)
        for run in _runs(client, list(windowed), [StateType.SCHEDULED]):
            if run.expected_start_time is not None and run.expected_start_time < now:
                overdue[run.deployment_id].append(run)
        for deployment_id, runs in overdue.items():
            ours = [run for run in runs if run.auto_scheduled or {START_UP, BEGUN_ANEW} & {*run.tags}]
            ours.sort(key=lambda run: run.expected_start_time)
            for run in ours if windowed[deployment_id] else ours[:-1]:
                client.delete_flow_run(run.id)


def start_windows(env: dict[str, str]) -> None:
    """Start a run of each windowed flow at once, rather than wait for its next slot with nobody awake."""
    with _client(env) as client:
        for found, is_windowed in _deployments(client):
            if is_windowed and not found.paused and any(schedule.active for schedule in found.schedules):
                client.create_flow_run_from_deployment(found.id, tags=[START_UP])


START_UP = "start-up"


def _client(env: dict[str, str]) -> Any:
    # Prefect reads its settings when it is first imported: only now does it know where its server is.
    os.environ.update(env)
    from prefect.client.orchestration import get_client

    return get_client(sync_client=True)


def _deployments(client: Any) -> Iterator[tuple[Any, bool]]:
    """Our deployments as the server has them, and whether each runs in windows."""
    for deployment in yaml.safe_load(PREFECT_YAML.read_text("utf-8"))["deployments"]:
        flow_name = str(deployment["entrypoint"]).rpartition(".")[2]
        found = client.read_deployment_by_name(f"{flow_name}/{deployment['name']}")
        yield found, "window_seconds" in deployment.get("parameters", {})


def _runs(client: Any, deployment_ids: list[UUID], types: list[Any]) -> Iterator[Any]:
    """All runs of the deployments in states of these types."""
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterId,
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.sorting import FlowRunSort

    offset = 0
    while True:
        page = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types))),
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=deployment_ids)),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            limit=_PAGE,
            offset=offset,
        )
        yield from page
        if len(page) < _PAGE:
            return
        offset += _PAGE
