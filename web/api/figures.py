"""The figures of a report, each beside the span before; null where there is nothing to compute from (S-61)."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from domain.breaches import BreachCause
from domain.headline import HeadlineKind
from domain.sla import ClockKind
from domain.spans import SpanKind
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
    """The same, and by priority, category, region and the team that had the ticket; the empty word: none of them."""

    by_priority: dict[Priority, Promises]
    by_category: dict[Category, Promises]
    by_region: dict[str, Promises]
    by_team: dict[str, Promises]


class Cause(Pair):
    """How many promises broke by a cause."""

    cause: BreachCause


class Breach(BaseModel):
    """A broken promise; the first 20, the most urgent first."""

    ticket_number: str = Field(examples=["TK-00001024"])
    priority: Priority
    clock: ClockKind
    due_at: datetime
    cause: BreachCause
    assignee_name: str | None
    team_name: str | None


class Means(BaseModel):
    """Mean scores, 1 to 5 (S-41)."""

    efficiency: Pair
    attitude: Pair
    solution: Pair
    overall: Pair


class Stage(BaseModel):
    """How a stage of the service was rated by those whom it concerned (S-50)."""

    mean: Pair
    low_share: Pair
    given: Pair


class Stages(BaseModel):
    """The stages of the service."""

    booking: Stage
    on_site: Stage
    follow_up: Stage
    confirmation: Stage


class Satisfaction(BaseModel):
    """What customers answered."""

    asked: Pair
    answered: Pair
    means: Means
    low_share: Pair
    stages: Stages


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


class Followed(BaseModel):
    """The figures that are followed from span to span."""

    response_share: float | None
    resolution_share: float | None
    overall_mean: float | None
    low_share: float | None
    callbacks_in_time_share: float | None


class Period(Followed):
    """One of the five spans that end with this one."""

    label: str = Field(examples=["2026-W47"])
    opened: int


class Because(BaseModel):
    """What moved with the figure of the headline."""

    of: str = Field(examples=["breach_cause"])
    value: str = Field(examples=["waited_for_part"])
    now: float | int
    before: float | int


class Change(BaseModel):
    """The figure that changed most; all null in a span as steady as the one before."""

    figure: str | None = Field(default=None, examples=["resolution_share"])
    now: float | int | None = None
    before: float | int | None = None
    because: Because | None = None


class Headline(BaseModel):
    """What changed most, and what it is put down to."""

    kind: HeadlineKind
    values: Change


class Asked(BaseModel):
    """What the report is about."""

    kind: SpanKind
    region: str | None = Field(description="Only its tickets; null: all.")


class Report(BaseModel):
    """What happened in a span; `since` is inclusive, `until` exclusive."""

    week: str = Field(description="The ISO week, the month, or the days as `first/last`.", examples=["2026-W47"])
    span: Asked
    since: datetime
    until: datetime
    volume: Volume
    sla: AllPromises
    breaches: list[Breach]
    satisfaction: Satisfaction
    low_scores: list[LowScore]
    callbacks: Callbacks
    benchmarks: Benchmarks
    breach_causes: list[Cause] = Field(description="The most frequent first.")
    trend: list[Period] = Field(description="The four spans before and this one.")
    targets: Followed = Field(description="What is aimed at; of `low_share` at most so much.")
    headline: Headline
