"""What the flows do meanwhile: real runs on a real Prefect server, at whatever moment the story has come to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any, cast

from prefect.client.schemas.objects import State

from cli.stage import FLOW_FOR
from db import due
from db.session import transaction

# News waits this long for other news of the same ticket (standard.toml beside this file).
_MERGED = timedelta(seconds=2)


def settle(now: datetime) -> None:
    """Run every flow that has something to do at ``now`` or a moment later, until nothing is due."""
    now += _MERGED
    while kinds := _due(now):
        flow = next(flow for kind, flow in FLOW_FOR.items() if kind in kinds)
        state = _beside(lambda run=flow: run(now=now, return_state=True))
        assert state.is_completed(), f"{flow.name}: {state.message}"


def _due(now: datetime) -> list[Any]:
    with transaction() as connection:
        return [kind for kind, moment in due.next_moments(connection).items() if moment <= now]


def _beside(run: Any) -> State[Any]:
    """Playwright's own loop runs in this thread, and a flow wants one of its own."""
    with ThreadPoolExecutor(1) as pool:
        return cast("State[Any]", pool.submit(copy_context().run, run).result())
