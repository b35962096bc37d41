"""This file makes one ticket's story findable in the Prefect UI: names, tags and events by its number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from prefect import task_engine
from prefect.events import emit_event
from prefect.runtime import flow_run, task_run

import logs
import tracing

# Before a task run with tags begins, Prefect asks its server for leave by each tag's concurrency limit, and for each
# set of tags it keeps a thread and a client for good. No limit of ours hangs on a tag: claims guard (decision 0016).
task_engine._concurrency = lambda *_, **__: nullcontext()  # type: ignore[attr-defined, assignment]

# Under backlog one task run takes this many tickets; with little to do each ticket has a run of its own.
CHUNK = 20
_FEW = 6
# Prefect relates each tag to each event of a run, and takes a hundred at most.
MOST_TAGS = 40
# Of one sweep; the record of truth is the database, and Prefect keeps events for a week.
MOST_EVENTS = 200


def chunks(items: Sequence[Any], *, most: int = CHUNK) -> list[Sequence[Any]]:
    """The items one by one while they are few, else ``most`` at a time: a task run costs more than a command."""
    size = 1 if len(items) <= _FEW else most
    return [items[start : start + size] for start in range(0, len(items), size)]


def run_options(numbers: Sequence[str | None], what: str) -> dict[str, Any]:
    """Name and tags of a task run about these tickets."""
    tickets = sorted({number for number in numbers if number})
    about = tickets[:1] if len(tickets) == 1 else [f"{len(tickets)} tickets"] if tickets else []
    return {"task_run_name": " · ".join([*about, what]), "tags": tickets}


def tell(ticket_number: str, what: str, **facts: str | int | None) -> None:
    """Emit a Prefect event about a ticket; a lens only, the record of truth is ``ticket_events``."""
    emit_event(
        event=f"aftercare.ticket.{what}",
        resource={
            "prefect.resource.id": f"aftercare.ticket.{ticket_number}",
            "prefect.resource.name": ticket_number,
        },
        payload=dict(facts),
    )


def tell_service(what: str, **facts: str | int) -> None:
    """Emit a Prefect event about the service as a whole: what its automations in ``deployments/`` listen to."""
    emit_event(
        event=f"aftercare.service.{what}",
        resource={"prefect.resource.id": "aftercare.service", "prefect.resource.name": "Aftercare"},
        payload=dict(facts),
    )


@contextmanager
def traced(what: str) -> Iterator[None]:
    """A task run as a span and in log lines that name its flow run; spans of tickets and messages are linked to it."""
    run = flow_run.id
    facts = logs.within(flow_run_id=run, flow=flow_run.flow_name, task_run=task_run.name)
    with facts, tracing.span(what, {"prefect.flow_run.id": run}):
        yield
