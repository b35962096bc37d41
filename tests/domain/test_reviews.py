"""Which cases are proposed for a review (S-44)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.reviews import ReviewReason, reasons_for
from domain.tickets import Priority

R = ReviewReason
ORDINARY: dict[str, Any] = {
    "priority": Priority.P2,
    "tier": 1,
    "was_late": False,
    "came_back": 1,
    "lowest_score": None,
    "low_score": 3,
}


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({}, []),
        ({"was_late": True}, []),
        ({"lowest_score": 1}, []),
        ({"priority": Priority.P1}, []),
        ({"was_late": True, "lowest_score": 4}, []),
        ({"was_late": True, "lowest_score": 3}, [R.LATE_AND_LOW_SCORE]),
        ({"was_late": True, "priority": Priority.P1}, [R.URGENT_AND_LATE]),
        ({"tier": 3, "came_back": 2}, [R.TOP_TIER, R.CAME_BACK_TWICE]),
    ],
)
def test_a_case_is_proposed_for_a_reason(facts: dict[str, Any], reasons: list[ReviewReason]) -> None:
    assert reasons_for(**(ORDINARY | facts)) == reasons
