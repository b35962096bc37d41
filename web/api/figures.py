"""The figures of a report, each beside the span before; null where there is nothing to compute from (S-61)."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from domain.sla import ClockKind
from domain.tickets import Category, Channel, Priority


class Pair(BaseModel):
    """A figure and what it was in the span of the same length before."""

    now: float | int | None
    before: float | int | None


class Volume(BaseModel):
    """How many tickets; what is nought in both spans is left out of the parts."""

    opened: Pair
    completed: Pair
    closed: Pair
    cancelled: Pair
    open_at_end: Pair
    by_channel: dict[Channel, Pair]
    by_category: dict[Category, Pair]
    by_priority: dict[Priority, Pair]
    by_region: dict[str, Pair]


class Kept(BaseModel):
    """How many promises of a kind were kept."""

    met: Pair
    missed: Pair
    share: Pair


class Promises(BaseModel):
    """Promises decided in the span: broken when they breached, kept when the clock stopped unbroken (S-10)."""

    response: Kept
    resolution: Kept


class AllPromises(Promises):
    """The same, and by priority."""

    by_priority: dict[Priority, Promises]


class Breach(BaseModel):
    """A broken promise; the first 20, the most urgent first."""

    ticket_number: str = Field(examples=["TK-00001024"])
    priority: Priority
    clock: ClockKind
    due_at: datetime
    assignee_name: str | None
    team_name: str | None


class Means(BaseModel):
    """Mean scores, 1 to 5 (S-41)."""

    efficiency: Pair
    attitude: Pair
    solution: Pair
    overall: Pair


class Satisfaction(BaseModel):
    """What customers answered."""

    asked: Pair
    answered: Pair
    means: Means
    low_share: Pair


class LowScore(BaseModel):
    """An answer that asks for a callback; the first 20, the lowest first (S-42)."""

    ticket_number: str = Field(examples=["TK-00001024"])
    overall: int
    comment: str | None
    reason: str | None = Field(description="What the callback brought; null: not called yet.")
    callback_state: str | None
    in_time: bool | None


class Callbacks(BaseModel):
    """Callbacks that were due."""

    due: Pair
    in_time_share: Pair


class Benchmark(BaseModel):
    """A share beside its target."""

    share: float | None
    target: float


class Benchmarks(BaseModel):
    """The published benchmarks: contacted within 24 hours, completed within 3 working days."""

    answered: Benchmark
    informed: Benchmark


class Report(BaseModel):
    """What happened in a span; `since` is inclusive, `until` exclusive."""

    week: str = Field(description="The ISO week, or the days as `first/last`.", examples=["2026-W47"])
    since: datetime
    until: datetime
    volume: Volume
    sla: AllPromises
    breaches: list[Breach]
    satisfaction: Satisfaction
    low_scores: list[LowScore]
    callbacks: Callbacks
    benchmarks: Benchmarks
