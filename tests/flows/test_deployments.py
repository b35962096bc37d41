"""The deployments on a real Prefect server: described, scheduled, with usable forms, and respectful of a pause."""

from __future__ import annotations

import itertools
import os
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.states import Crashed

from cli import stack
from domain.windows import FLOWS
from tasks.windows import begin_anew, watch

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]
DECLARED = yaml.safe_load(stack.PREFECT_YAML.read_text("utf-8"))["deployments"]


def found_on_server(declared: dict[str, Any]) -> Any:
    flow_name = declared["entrypoint"].rpartition(".")[2]
    with get_client(sync_client=True) as client:
        return client.read_deployment_by_name(f"{flow_name}/{declared['name']}")


def taken_away_successors(client: SyncPrefectClient) -> list[FlowRun]:
    """Every run that was begun anew, of any flow: other tests leave dead windows too."""
    found = client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=["begun-anew"])))
    for run in found:
        client.delete_flow_run(run.id)
    return found


def test_every_deployment_is_described_scheduled_and_has_a_usable_form(product: str, deployed: None) -> None:
    for declared in DECLARED:
        found = found_on_server(declared)
        assert found.description == declared["description"]
        assert found.work_pool_name == stack.WORK_POOL
        assert [schedule.active for schedule in found.schedules] == [True] * len(declared.get("schedules", []))
        assert {schedule.schedule.timezone for schedule in found.schedules} <= {"Asia/Shanghai"}
        for name, field in found.parameter_openapi_schema["properties"].items():
            assert field.get("description"), f"{declared['name']}: {name} has no help text"


def test_the_server_schedules_the_runs(product: str, deployed: None) -> None:
    names = {declared["name"] for declared in DECLARED if "schedules" in declared}

    scheduled: set[str] = set()
    end = time.monotonic() + 90
    while scheduled != names and time.monotonic() < end:
        time.sleep(1)
        with get_client(sync_client=True) as client:
            for declared in DECLARED:
                found = found_on_server(declared)
                runs = client.read_flow_runs(
                    deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[found.id])), limit=1
                )
                scheduled |= {declared["name"]} if runs else set()

    assert scheduled == names


def test_a_schedule_that_was_paused_stays_paused_when_deployed_again(product: str, deployed: None) -> None:
    paused = found_on_server(DECLARED[0])
    with get_client(sync_client=True) as client:
        client.update_deployment_schedule(paused.id, paused.schedules[0].id, active=False)
        try:
            stack.deploy(dict(os.environ))

            again = found_on_server(DECLARED[0])
            assert [schedule.active for schedule in again.schedules] == [False]
        finally:
            client.update_deployment_schedule(paused.id, found_on_server(DECLARED[0]).schedules[0].id, active=True)


def test_windows_overlap_so_that_somebody_is_always_awake() -> None:
    for declared in DECLARED:
        window = declared.get("parameters", {}).get("window_seconds")
        if window is not None:
            assert declared["schedules"][0]["cron"] == "*/5 * * * *"
            assert timedelta(minutes=5) < timedelta(seconds=window) < timedelta(minutes=6)


def test_a_window_that_died_is_begun_anew_once_and_a_paused_one_is_not(product: str, deployed: None) -> None:
    declared = next(one for one in DECLARED if one["name"] == "callback-escalation")
    deployment = found_on_server(declared)
    with get_client(sync_client=True) as client:
        dead = client.create_flow_run_from_deployment(deployment.id)
        client.set_flow_run_state(dead.id, Crashed(), force=True)
        now = dead.expected_start_time + timedelta(seconds=60)

        client.pause_deployment(deployment.id)
        assert not begin_anew(client, "callback_escalation", now=now)
        client.resume_deployment(deployment.id)
        assert begin_anew(client, "callback_escalation", now=now)
        assert not begin_anew(client, "callback_escalation", now=now)

        (successor,) = taken_away_successors(client)
        assert successor.parameters["window_seconds"] == 250
        client.delete_flow_run(dead.id)


def test_who_watches_the_windows_outlives_an_error_that_nobody_foresaw(product: str, deployed: None) -> None:
    declared = next(one for one in DECLARED if one["name"] == "callback-escalation")
    looks, told = itertools.count(1), itertools.count()
    with get_client(sync_client=True) as client:
        dead = client.create_flow_run_from_deployment(found_on_server(declared).id)
        client.set_flow_run_state(dead.id, Crashed(), force=True)

        def clock() -> datetime:
            if not next(told):
                raise ZeroDivisionError
            return dead.expected_start_time + timedelta(seconds=60)

        watch(lambda _: next(looks) > 12, clock)

        begun_anew = [run.deployment_id for run in taken_away_successors(client)]
        client.delete_flow_run(dead.id)
    assert begun_anew.count(dead.deployment_id) == 1
    assert next(told) > 1


def test_every_flow_with_a_window_is_watched_by_the_others() -> None:
    windowed = {one["name"].replace("-", "_") for one in DECLARED if "window_seconds" in one.get("parameters", {})}

    assert windowed == set(FLOWS)
