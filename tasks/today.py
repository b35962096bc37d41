"""The page of the Prefect UI that whoever runs the service looks at first: how it stands now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterId, FlowRunFilter, FlowRunFilterStartTime
from prefect.client.schemas.sorting import FlowRunSort

from db import today
from db.session import transaction
from db.standards import get_standard
from domain.service_alarms import find_alarms
from tasks import story
from templates.render import render_markdown

KEY = "service-today"


@task(cache_policy=NO_CACHE, task_run_name="service today")
def show_today(now: datetime) -> None:
    """Write the artifact anew: what is open, due, late, owed and stuck, and when each flow last began. What is wrong is
    told as an event too, for the automations."""
    organisation = get_standard().organisation
    with transaction() as connection:
        found = today.read(connection, now=now)
    words = render_markdown(
        "service_today",
        language=organisation.default_language,
        time_zone=organisation.time_zone,
        now=now,
        today=found,
        flows=_last_runs(),
    )
    create_markdown_artifact(key=KEY, markdown=words, description="How the service stands, written by the watchdog.")
    for finding in find_alarms(found, now=now):
        story.tell_service(finding.alarm.value, **finding.figures)


def _last_runs() -> list[dict[str, Any]]:
    """Name, state and beginning of each flow's last run, by name."""
    found = []
    with get_client(sync_client=True) as client:
        for flow in client.read_flows():
            runs = client.read_flow_runs(
                flow_filter=FlowFilter(id=FlowFilterId(any_=[flow.id])),
                flow_run_filter=FlowRunFilter(start_time=FlowRunFilterStartTime(is_null_=False)),
                sort=FlowRunSort.START_TIME_DESC,
                limit=1,
            )
            found += [
                {"name": flow.name, "state": str(run.state_name), "at": run.start_time, "id": run.id} for run in runs
            ]
    return sorted(found, key=lambda row: str(row["name"]))
