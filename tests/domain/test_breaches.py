"""What a broken promise is put down to: one cause, the first in the order that holds."""

from __future__ import annotations

from dataclasses import fields
from itertools import product
from typing import Any

import pytest

from domain.breaches import BreachCause, BrokenPromise, cause_of
from domain.sla import ClockKind

RESPONSE, RESOLUTION = ClockKind.RESPONSE, ClockKind.RESOLUTION
B = BreachCause


@pytest.mark.parametrize(
    ("clock", "signs", "cause"),
    [
        (RESOLUTION, {}, B.TOOK_LONGER),
        (RESPONSE, {}, B.CONTACTED_LATE),
        (RESOLUTION, {"waited_for_customer": True}, B.WAITED_FOR_CUSTOMER),
        (RESOLUTION, {"waited_for_customer": True, "is_contacted_late": True}, B.CONTACTED_LATE),
        (RESOLUTION, {"is_assigned_late": True}, B.TOOK_LONGER),  # half an hour of two days explains nothing
        (RESPONSE, {"is_assigned_late": True}, B.ASSIGNED_LATE),
        (RESPONSE, {"is_assigned_late": True, "is_assigned": False}, B.NOBODY_ASSIGNED),
        (RESPONSE, {"changed_hands": True}, B.CHANGED_HANDS),
        (RESOLUTION, {"changed_hands": True, "was_refused": True}, B.PLAN_REFUSED),
        (RESOLUTION, {"was_refused": True, "came_back": True}, B.CAME_BACK),
        (RESOLUTION, {"came_back": True, "has_delay": True}, B.DELAY_REPORTED),
        (RESOLUTION, {"has_delay": True, "waited_for_part": True}, B.WAITED_FOR_PART),
        (RESOLUTION, {"waited_for_part": True, "was_raised": True}, B.PRIORITY_RAISED),
        (RESPONSE, {"was_raised": True, "is_assigned": False}, B.PRIORITY_RAISED),
    ],
)
def test_the_first_cause_that_holds_is_the_cause(clock: ClockKind, signs: dict[str, Any], cause: BreachCause) -> None:
    assert cause_of(BrokenPromise(clock=clock, **signs)) is cause


def test_whatever_happened_has_a_cause_and_every_cause_can_be_found() -> None:
    signs = [field.name for field in fields(BrokenPromise) if field.name != "clock"]
    found = {
        cause_of(BrokenPromise(clock=clock, **dict(zip(signs, values, strict=True))))
        for clock in (RESPONSE, RESOLUTION)
        for values in product((False, True), repeat=len(signs))
    }

    assert found == set(BreachCause)
