"""The figures by which service is judged and improved, each with its rule of the service standard."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, field_validator

from domain.churn import Sign
from domain.figures import Duration, LocalTime, Part, Share
from domain.quality import Criterion, Grade


class ImprovementPolicy(Part):
    """S-54, S-55: when an action's deadline is spoken of; when customers are asked again, and what is compared."""

    remind_at: LocalTime
    remind_before: Duration
    overdue_again_after: Duration
    ask_again_after: Duration
    compare_over: Duration
    least_answers: int = Field(ge=2)


class Benchmarks(Part):
    """The published benchmarks of S-61."""

    answered_within: Duration
    answered_share: Share
    informed_within_working_days: int = Field(ge=1, le=30)
    informed_share: Share


class Targets(Part):
    """What the digest's key figures are held against (S-61); of ``low_share`` at most so much is wanted."""

    response_share: Share
    resolution_share: Share
    overall_mean: float = Field(ge=1, le=5)
    low_share: Share
    callbacks_in_time_share: Share


_Weights = TypeVar("_Weights", bound=Mapping[Any, float])


def _require_whole(weights: _Weights) -> _Weights:
    """The weights. Raises ValueError unless they sum to 1."""
    if abs((total := sum(weights.values())) - 1) > 1e-6:
        raise ValueError(f"the weights sum to {total:g} and not to 1")
    return weights


class QualityPolicy(Part):
    """S-56: the rubric and its grades, how many tickets are scored, and how many of them twice."""

    per_person: int = Field(ge=1, le=100)
    scored_twice: Share
    least_pairs: int = Field(ge=2)
    grades: dict[Grade, Share]
    weights: dict[Criterion, Share]

    @field_validator("grades")
    @classmethod
    def _rising(cls, grades: dict[Grade, float]) -> dict[Grade, float]:
        asked = list(Grade)[:-1]
        if set(grades) != set(asked):
            raise ValueError(f"each of {', '.join(asked)} needs the share from which it is given, and no other grade")
        if any(grades[better] <= grades[worse] for better, worse in pairwise(asked)):
            raise ValueError("a better grade needs a higher share")
        return grades

    @field_validator("weights")
    @classmethod
    def _whole(cls, weights: dict[Criterion, float]) -> dict[Criterion, float]:
        return _require_whole(weights)

    @property
    def asked(self) -> tuple[Criterion, ...]:
        """The criteria that count."""
        return tuple(name for name in Criterion if self.weights.get(name))


class AppraisalPolicy(Part):
    """S-57: who is ranked, how sure a figure must be to praise or coach by it, what counts how much."""

    least_tickets: int = Field(ge=3)
    drawn_by: int = Field(ge=1)
    confidence: float = Field(ge=0.5, lt=1)
    weights: dict[Literal["response", "resolution", "first_time", "satisfaction", "quality"], Share]

    @field_validator("weights")
    @classmethod
    def _whole(cls, weights: dict[str, float]) -> dict[str, float]:
        return _require_whole(weights)


class ReviewPolicy(Part):
    """S-44: for how long after its end a case is proposed for a review."""

    within: Duration


class ChurnPolicy(Part):
    """S-58: how many points each sign gives, and from how many within the window a customer is watched."""

    within: Duration
    least_points: int = Field(ge=1)
    points: dict[Sign, Annotated[int, Field(ge=0, le=100)]]


class Theme(Part):
    """What answers may be about: its name by language, and the words that tell (S-52)."""

    name: dict[str, str] = Field(min_length=1)
    words: list[str] = Field(min_length=1)


class FeedbackPolicy(Part):
    """How answers are read (S-52)."""

    too_few: int = Field(ge=1, le=100)
    stop_words: list[str]
    stages: dict[Literal["booking", "on_site", "follow_up", "confirmation"], list[str]]
    themes: dict[str, Theme]
    synonyms: dict[str, list[str]]
