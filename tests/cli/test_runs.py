"""What a start of ``up`` finds in Prefect of an earlier one: runs that never ended, windows whose time has passed."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Running, Scheduled

from cli import runs
from clock import utc_now

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


def _run(client: Any, name: str, state: Any, *, tags: tuple[str, ...] = ()) -> Any:
    deployment = client.read_deployment_by_name(name)
    return client.create_flow_run_from_deployment(deployment.id, state=state, tags=list(tags)).id


def test_old_runs_become_crashed_and_old_windows_are_forgotten(product: str, deployed: None) -> None:
    now = utc_now()
    before, after = now - timedelta(minutes=20), now + timedelta(minutes=20)
    with get_client(sync_client=True) as client:
        running = _run(client, "sla_watchdog/sla-watchdog", Running())
        overdue = _run(client, "sla_watchdog/sla-watchdog", Scheduled(scheduled_time=before), tags=("start-up",))
        coming = _run(client, "sla_watchdog/sla-watchdog", Scheduled(scheduled_time=after), tags=("start-up",))
        by_hand = _run(client, "sla_watchdog/sla-watchdog", Scheduled(scheduled_time=before))
        only = _run(client, "weekly_digest/weekly-digest", Scheduled(scheduled_time=before), tags=("start-up",))

        runs.settle_old(dict(os.environ), now=now)

        state = client.read_flow_run(running).state
        assert state is not None
        assert state.name == "Crashed"
        assert state.message == runs.STOPPED
        with pytest.raises(ObjectNotFound):
            client.read_flow_run(overdue)
        for kept in (coming, by_hand, only):
            found = client.read_flow_run(kept)
            assert found.state is not None
            assert found.state.is_scheduled()
            client.delete_flow_run(kept)
