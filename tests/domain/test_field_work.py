"""Parts used and awaited, data verified, conduct on a visit (S-20, S-30, S-34)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.commands import AgreePlan, FirstContact, LogStep, ProposePlan, build_command
from domain.exceptions import InvalidInputError
from domain.field_work import Conduct, Part, PartUse, Verified, awaited_parts
from domain.lifecycle import CommandName


def step(*parts: dict[str, Any]) -> dict[str, Any]:
    return LogStep.model_validate({"step": "s", "parts": parts}).payload()


def awaited(name: str, expected_at: datetime) -> dict[str, Any]:
    return {"name": name, "use": "awaited", "expected_at": expected_at.isoformat()}


def test_an_awaited_part_says_when_it_should_arrive_and_no_other_does(now: datetime) -> None:
    assert Part(name="fan motor", use=PartUse.AWAITED, expected_at=now).expected_at == now
    with pytest.raises(ValidationError, match="says when it should arrive"):
        Part(name="fan motor", use=PartUse.AWAITED)
    with pytest.raises(ValidationError, match="says when it should arrive"):
        Part(name="fan motor", use=PartUse.USED, expected_at=now)


def test_a_part_is_awaited_until_it_has_arrived_or_is_used(now: datetime) -> None:
    soon = now + timedelta(hours=4)
    steps = [step(awaited("Fan motor", soon), awaited("Seal", soon)), step({"name": "fan motor", "use": "arrived"})]

    assert [part.name for part in awaited_parts(steps, promised_at=None, now=now)] == ["Seal"]
    assert awaited_parts([*steps, step({"name": "Seal"})], promised_at=None, now=now) == []


@pytest.mark.parametrize(
    ("arrives", "promised", "endangers"),
    [(4, 8, False), (8, 8, False), (9, 8, True), (4, None, False), (-1, 8, True), (-1, None, True)],
)
def test_a_part_that_is_late_or_comes_after_the_promise_endangers_it(
    now: datetime, arrives: int, promised: int | None, endangers: bool
) -> None:
    steps = [step(awaited("Seal", now + timedelta(hours=arrives)))]
    promised_at = None if promised is None else now + timedelta(hours=promised)

    (part,) = awaited_parts(steps, promised_at=promised_at, now=now)

    assert part.endangers is endangers


def test_the_newest_word_about_a_part_counts(now: datetime) -> None:
    first, second = now + timedelta(hours=1), now + timedelta(days=2)

    (part,) = awaited_parts([step(awaited("Seal", first)), step(awaited("seal", second))], promised_at=None, now=now)

    assert part.expected_at == second


def test_steps_of_before_know_nothing_of_parts(now: datetime) -> None:
    assert awaited_parts([{"step": "inspected"}], promised_at=None, now=now) == []


def test_what_is_not_said_is_not_in_the_record() -> None:
    assert LogStep(step="s").payload() == {"step": "s"}
    assert LogStep(step="s", visit=[]).payload() == {"step": "s", "visit": []}
    assert LogStep(step="s", visit=[Conduct.UNIFORM]).payload() == {"step": "s", "visit": ["uniform"]}
    assert FirstContact(summary="s").payload() == {"summary": "s"}
    assert FirstContact(summary="s", verified=[Verified.ORDER]).payload() == {"summary": "s", "verified": ["order"]}
    assert AgreePlan().payload() == {}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"parts": [{"name": " "}]}, "parts.0.name"),
        ({"parts": [{"name": "n", "quantity": 0}]}, "parts.0.quantity"),
        ({"parts": [{"name": "n", "use": "lost"}]}, "parts.0.use"),
        ({"parts": [{"name": "n", "colour": "red"}]}, "parts.0.colour"),
        ({"parts": [{"name": "n"}] * 11}, "parts"),
        ({"visit": ["punctual"]}, "visit.0"),
    ],
)
def test_what_is_wrong_with_a_step_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        build_command(CommandName.LOG_STEP, {"step": "s", **values})

    assert refusal.value.field == field


def test_a_plan_may_name_who_answers_for_it(now: datetime) -> None:
    plan = ProposePlan.model_validate({"kind": "repair", "steps": ["s"], "deadline_at": now, "owner_id": 4})

    assert plan.payload()["owner_id"] == 4
