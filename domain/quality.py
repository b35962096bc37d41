"""The quality of a handled ticket: the rubric, its percent and grade, and which tickets are drawn (S-56)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from domain.texts import NO_NUL

BEST_MARK = 5


class Criterion(StrEnum):
    """What is looked at; in the order of the form."""

    INITIATIVE = "initiative"
    PATIENCE = "patience"
    COURTESY = "courtesy"
    KNOWLEDGE = "knowledge"
    COMMUNICATION = "communication"
    EFFICIENCY = "efficiency"
    SOLUTION = "solution"
    PROCESS = "process"


C = Criterion
GROUPS: Mapping[str, tuple[Criterion, ...]] = {
    "attitude": (C.INITIATIVE, C.PATIENCE, C.COURTESY, C.KNOWLEDGE),
    "communication": (C.COMMUNICATION, C.EFFICIENCY),
    "solving": (C.SOLUTION,),
    "compliance": (C.PROCESS,),
}


class Grade(StrEnum):
    """优秀, 良好, 合格, 待改进; best first."""

    EXCELLENT = "excellent"
    GOOD = "good"
    ACCEPTABLE = "acceptable"
    NEEDS_IMPROVEMENT = "needs_improvement"


class Marked(BaseModel):
    """What an inspector says of one criterion; 5 is best."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mark: Annotated[int, Field(ge=1, le=BEST_MARK, strict=True)]
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=NO_NUL)] = ""


ASSESSMENT = TypeAdapter(dict[Criterion, Marked])


@dataclass(frozen=True, slots=True)
class Result:
    """``percent``: 100 when every mark is the best, 20 when every mark is 1."""

    percent: float
    grade: Grade


def result_of(
    marks: Mapping[Criterion, int], *, weights: Mapping[Criterion, float], borders: Mapping[Grade, float]
) -> Result:
    """Percent and grade. ``borders``: the share from which a grade is given; the last grade needs none."""
    percent = round(100 * sum(weights[name] * mark for name, mark in marks.items()) / BEST_MARK, 1)
    reached = (grade for grade in Grade if grade in borders and percent >= round(100 * borders[grade], 1))
    return Result(percent, next(reached, Grade.NEEDS_IMPROVEMENT))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A ticket to be scored, whose work it judges, and whether a second inspector scores it too."""

    ticket_id: int
    assessed_id: int
    needs_two: bool


def draw(population: Mapping[int, Sequence[int]], *, seed: int, per_person: int, scored_twice: float) -> list[Drawn]:
    """So many tickets of each person, in random order; the same seed and population draw the same again.

    ``population``: ticket ids by member of staff. ``scored_twice``: this share, rounded up, needs two inspectors.
    """
    dice = random.Random(seed)  # noqa: S311  to be drawn again by whoever doubts it, not to be secret
    drawn = [
        (ticket_id, person)
        for person, tickets in sorted(population.items())
        for ticket_id in dice.sample(sorted(tickets), min(per_person, len(tickets)))
    ]
    dice.shuffle(drawn)
    twice = ceil(scored_twice * len(drawn))
    return [Drawn(ticket_id, person, place < twice) for place, (ticket_id, person) in enumerate(drawn)]
