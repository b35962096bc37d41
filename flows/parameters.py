"""What every flow may be told in its run form, and how its runs are named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import Field

# Two cores are kept busy by eight threads: most of a command is waiting for the database.
THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=8)

# The run form shows what the flows' docstrings say of these (Prefect reads their "Args").
Now = datetime | None
WindowSeconds = Annotated[int, Field(ge=1, le=3600)]
TicketNumber = Annotated[str, Field(pattern=r"^TK-\d{8,10}$")]
MessageId = Annotated[int, Field(ge=1, le=2**63 - 1)]
StaffId = Annotated[int, Field(ge=1, le=2**31 - 1)]
Reason = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$")]


def in_utc(moment: datetime) -> str:
    """``2026-11-24 10:00Z``: how runs and artifacts show a moment, whatever zone it was given in."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z"


def run_name() -> str:
    """``sla_watchdog · 2026-11-24 10:00Z`` for a given moment, ``sla_watchdog · 300 s window`` for a window."""
    given = flow_run.get_parameters()
    name = flow_run.get_flow_name() or "run"
    if (now := given.get("now")) is not None:
        moment = now if isinstance(now, datetime) else datetime.fromisoformat(str(now))
        return f"{name} · {in_utc(moment)}"
    window = given.get("window_seconds")
    return f"{name} · {window} s window" if window else f"{name} · now"
