"""Which customers may be lost, why, and how to care for them (S-58). The points of each sign are in the standard."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from domain.texts import NO_NUL


class Sign(StrEnum):
    """What makes a customer leave; the strongest first."""

    LOW_SCORE = "low_score"
    REPEAT_FAULT = "repeat_fault"  # another product fault within the window, or a completion that did not hold
    BROKEN_PROMISE = "broken_promise"


class CareAction(StrEnum):
    """How a customer is cared for."""

    CALL = "call"
    EXPERT_VISIT = "expert_visit"
    APOLOGY = "apology"
    GOODWILL = "goodwill"
    OTHER = "other"


SUGGESTED: Mapping[Sign, CareAction] = {
    Sign.LOW_SCORE: CareAction.CALL,
    Sign.REPEAT_FAULT: CareAction.EXPERT_VISIT,
    Sign.BROKEN_PROMISE: CareAction.APOLOGY,
}


class Care(BaseModel):
    """What was done for a customer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: CareAction
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=NO_NUL)]


def suggested(signs: Mapping[Sign, int], points: Mapping[Sign, int]) -> CareAction:
    """What answers the sign that weighs most; where all three came together, a gesture of goodwill."""
    if all(signs.get(sign) for sign in Sign):
        return CareAction.GOODWILL
    return SUGGESTED[max(Sign, key=lambda sign: signs.get(sign, 0) * points[sign])]
