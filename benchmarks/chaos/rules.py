"""Who is killed when, and how long it took until the thing worked again; plain values in, plain values out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Shot:
    """At this moment one process of this kind was killed."""

    at: float
    kind: str


@dataclass(frozen=True)
class Success:
    """Something that was begun and came to a good end."""

    began: float
    ended: float


def plan_shots(kinds: Sequence[str], dice: Random, *, seconds: float, pauses: tuple[float, float]) -> Iterator[Shot]:
    """Shots with random pauses between: in each round every kind once, in an order of chance."""
    at, waiting = 0.0, []
    while (at := at + dice.uniform(*pauses)) < seconds:
        waiting = waiting or dice.sample(kinds, len(kinds))
        yield Shot(at, waiting.pop())


def recovery(shot: Shot, successes: Iterable[Success]) -> float | None:
    """Seconds from a shot to the first good end of something begun after it; None: there was none."""
    ends = [success.ended for success in successes if success.began >= shot.at]
    return min(ends) - shot.at if ends else None


def share(figures: Iterable[float], part: float) -> float:
    """The figure that this part of all figures does not exceed."""
    ordered = sorted(figures)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
