"""Which cases are worth an internal review, and what a review keeps (S-44)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from domain.people import Tier
from domain.texts import NO_NUL, ShortText, Text
from domain.tickets import Priority


class ReviewReason(StrEnum):
    """Why a case is reviewed."""

    URGENT_AND_LATE = "urgent_and_late"
    TOP_TIER = "top_tier"
    CAME_BACK_TWICE = "came_back_twice"
    LATE_AND_LOW_SCORE = "late_and_low_score"
    BY_HAND = "by_hand"


class Review(BaseModel):
    """What was found when colleagues went through a case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    held_on: date
    participants: ShortText
    what_happened: Text
    conclusions: Text
    follow_ups: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=NO_NUL)] = ""


def reasons_for(
    *, priority: Priority, tier: int, was_late: bool, came_back: int, lowest_score: int | None, low_score: int
) -> list[ReviewReason]:
    """Why a closed case is proposed; empty for an ordinary one."""
    reasons = {
        ReviewReason.URGENT_AND_LATE: priority is Priority.P1 and was_late,
        ReviewReason.TOP_TIER: tier == Tier.TECHNICAL_SUPPORT,
        ReviewReason.CAME_BACK_TWICE: came_back >= 2,
        ReviewReason.LATE_AND_LOW_SCORE: was_late and lowest_score is not None and lowest_score <= low_score,
    }
    return [reason for reason, applies in reasons.items() if applies]
