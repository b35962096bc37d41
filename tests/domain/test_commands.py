"""This file checks what each command must be told, and that a refusal names the value to mend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.commands import COMMAND_TYPES, Command, Complete, ProposePlan, build_command
from domain.exceptions import InvalidInputError
from domain.lifecycle import CommandName

C = CommandName
DEADLINE = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)
PLAN: dict[str, Any] = {"kind": "repair", "steps": ["换压缩机"], "deadline_at": DEADLINE}
# The least each command must be told.
LEAST: dict[CommandName, dict[str, Any]] = {
    C.ACKNOWLEDGE: {},
    C.ASSIGN: {"assignee_id": 7, "reason": "on duty"},
    C.ESCALATE_TIER: {"assignee_id": 7, "reason": "breach"},
    C.FIRST_CONTACT: {"summary": "电话联系客户"},
    C.CHANGE_CATEGORY: {"category": "complaint", "reason": "he complains"},
    C.CHANGE_PRIORITY: {"impact": "partial", "reason": "works again in part"},
    C.ASK_CUSTOMER: {"question": "Which model?"},
    C.RECORD_REPLY: {"reply": "KFR-35"},
    C.PROPOSE_PLAN: PLAN,
    C.AGREE_PLAN: {},
    C.OBJECT_TO_PLAN: {"reason": "too late"},
    C.LOG_STEP: {"step": "已上门检测"},
    C.REPORT_DELAY: {"reason": "part out of stock", "expected_at": DEADLINE, "contingency": "loaner device"},
    C.REQUEST_SUPPORT: {"department": "parts_supply", "request": "a fan motor"},
    C.ADD_NOTE: {"note": "calm customer"},
    C.REPORT_AGAIN: {"description": "still leaking"},
    C.COMPLETE: {"summary": "compressor replaced", "tested": True},
    C.REPORT_NOT_FIXED: {"reason": "still warm"},
    C.CONFIRM_COMPLETION: {"signed_by": "王丽"},
    C.CLOSE: {},
    C.REOPEN: {"reason": "warm again"},
    C.CANCEL: {"reason": "bought a new one"},
}
# Required figures, command by command; "tested" is asked for by a sentence of its own.
REQUIRED = [(name, field) for name, values in LEAST.items() for field in values if field != "tested"]
FREE_TEXTS = [
    (name, field) for name, values in LEAST.items() for field, value in values.items()
    if isinstance(value, str) and field not in ("category", "department", "impact", "kind")
]  # fmt: skip


def refusal(name: CommandName, values: dict[str, Any]) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        build_command(name, values)
    return caught.value


class TestEveryCommand:
    def test_every_command_name_has_a_type_that_bears_it(self) -> None:
        assert set(COMMAND_TYPES) == set(CommandName)
        assert all(kind.name is name for name, kind in COMMAND_TYPES.items())

    @pytest.mark.parametrize("name", list(CommandName))
    def test_a_command_that_is_told_the_least_can_be_built(self, name: CommandName) -> None:
        command = build_command(name, LEAST[name])

        assert type(command) is COMMAND_TYPES[name]

    @pytest.mark.parametrize("name", list(CommandName))
    def test_what_the_event_log_keeps_builds_the_same_command_again(self, name: CommandName) -> None:
        command = build_command(name, LEAST[name])

        assert build_command(name, command.payload()) == command

    @pytest.mark.parametrize("name", list(CommandName))
    def test_a_value_that_no_command_takes_is_refused_by_name(self, name: CommandName) -> None:
        fault = refusal(name, {**LEAST[name], "colour": "red"})

        assert str(fault) == "colour: this command takes no such value"

    @pytest.mark.parametrize(("name", "field"), REQUIRED)
    def test_a_missing_value_is_named(self, name: CommandName, field: str) -> None:
        fault = refusal(name, {key: value for key, value in LEAST[name].items() if key != field})

        assert str(fault) == f"{field}: is missing"

    @pytest.mark.parametrize("blank", ["", "   ", "\n\t", "\u3000"])
    @pytest.mark.parametrize(("name", "field"), FREE_TEXTS)
    def test_a_blank_text_is_refused(self, name: CommandName, field: str, blank: str) -> None:
        assert refusal(name, {**LEAST[name], field: blank}).field == field

    @pytest.mark.parametrize(("name", "field"), FREE_TEXTS)
    def test_a_text_without_end_is_refused(self, name: CommandName, field: str) -> None:
        assert refusal(name, {**LEAST[name], field: "x" * 2001}).field == field

    @pytest.mark.parametrize(("name", "field"), FREE_TEXTS)
    def test_space_around_a_text_is_dropped(self, name: CommandName, field: str) -> None:
        command = build_command(name, {**LEAST[name], field: "  due  "})

        assert getattr(command, field) == "due"

    def test_a_command_cannot_be_changed_once_built(self) -> None:
        command = build_command(C.ADD_NOTE, {"note": "calm"})

        with pytest.raises(ValueError, match="frozen"):
            command.note = "angry"  # type: ignore[attr-defined]

    def test_the_refusal_carries_field_and_problem_apart(self) -> None:
        fault = refusal(C.CANCEL, {})

        assert (fault.field, fault.problem) == ("reason", "is missing")


class TestBadValues:
    @pytest.mark.parametrize(
        ("name", "values", "field"),
        [
            (C.ASSIGN, {"assignee_id": "Li"}, "assignee_id"),
            (C.CHANGE_CATEGORY, {"category": "fault"}, "category"),
            (C.CHANGE_PRIORITY, {"impact": "huge"}, "impact"),
            (C.PROPOSE_PLAN, {"kind": "magic"}, "kind"),
            (C.PROPOSE_PLAN, {"steps": []}, "steps"),
            (C.PROPOSE_PLAN, {"steps": ["look", " "]}, "steps.1"),
            (C.PROPOSE_PLAN, {"steps": ["x"] * 21}, "steps"),
            (C.PROPOSE_PLAN, {"options": [{"title": "a"}, {"pros": "cheap"}]}, "options.1.title"),
            (C.PROPOSE_PLAN, {"options": [{"title": "a", "price": 3}]}, "options.0.price"),
            (C.PROPOSE_PLAN, {"options": [{"title": "a"}] * 6}, "options"),
            (C.AGREE_PLAN, {"option": 0}, "option"),
            (C.AGREE_PLAN, {"agreed_by_phone_with": " "}, "agreed_by_phone_with"),
        ],
    )
    def test_a_bad_value_is_named_by_its_path(self, name: CommandName, values: dict[str, Any], field: str) -> None:
        assert refusal(name, {**LEAST[name], **values}).field == field

    @pytest.mark.parametrize(
        ("name", "field"),
        [(C.PROPOSE_PLAN, "deadline_at"), (C.PROPOSE_PLAN, "appointment_at"), (C.REPORT_DELAY, "expected_at")],
    )
    @pytest.mark.parametrize("naive", [datetime(2026, 3, 5, 10), "2026-03-05T10:00:00"])  # noqa: DTZ001
    def test_a_moment_without_a_zone_is_refused(self, name: CommandName, field: str, naive: object) -> None:
        fault = refusal(name, {**LEAST[name], field: naive})

        assert fault.field == field
        assert "timezone" in fault.problem


class TestLimits:
    @pytest.mark.parametrize(
        ("name", "field", "longest"),
        [
            (C.ADD_NOTE, "note", 2000),
            (C.CONFIRM_COMPLETION, "signed_by", 200),
            (C.ASSIGN, "reason", 200),
            (C.COMPLETE, "usage_advice", 1000),
        ],
    )
    def test_a_text_may_be_as_long_as_its_limit_and_no_longer(
        self, name: CommandName, field: str, longest: int
    ) -> None:
        command = build_command(name, {**LEAST[name], field: "字" * longest})

        assert getattr(command, field) == "字" * longest
        assert refusal(name, {**LEAST[name], field: "字" * (longest + 1)}).field == field

    @pytest.mark.parametrize("side", ["pros", "cons"])
    def test_an_options_pros_and_cons_have_500_characters(self, side: str) -> None:
        build_command(C.PROPOSE_PLAN, {**PLAN, "options": [{"title": "a", side: "字" * 500}]})

        fault = refusal(C.PROPOSE_PLAN, {**PLAN, "options": [{"title": "a", side: "字" * 501}]})

        assert fault.field == f"options.0.{side}"

    def test_one_character_is_a_text(self) -> None:
        assert build_command(C.ADD_NOTE, {"note": "x"}).payload() == {"note": "x"}
        assert build_command(C.CONFIRM_COMPLETION, {"signed_by": "王"}).payload() == {"signed_by": "王"}

    def test_options_count_from_one(self) -> None:
        assert build_command(C.AGREE_PLAN, {"option": 1}).payload() == {"option": 1}


class TestPlan:
    def test_an_appointment_at_the_deadline_is_accepted(self) -> None:
        command = build_command(C.PROPOSE_PLAN, {**PLAN, "appointment_at": DEADLINE})

        assert isinstance(command, ProposePlan)
        assert command.appointment_at == DEADLINE

    def test_an_appointment_after_the_deadline_is_refused(self) -> None:
        fault = refusal(C.PROPOSE_PLAN, {**PLAN, "appointment_at": DEADLINE + timedelta(microseconds=1)})

        assert str(fault) == "propose_plan: the appointment is after the plan's deadline"

    def test_moments_of_different_zones_are_compared_as_moments(self) -> None:
        values = {**PLAN, "deadline_at": "2026-03-06T10:00:00Z", "appointment_at": "2026-03-06T17:00:00+08:00"}

        assert build_command(C.PROPOSE_PLAN, values).payload()["appointment_at"] == "2026-03-06T17:00:00+08:00"

    def test_the_log_keeps_json_values_and_leaves_out_what_was_not_said(self) -> None:
        assert build_command(C.PROPOSE_PLAN, PLAN).payload() == {
            "kind": "repair",
            "steps": ["换压缩机"],
            "deadline_at": "2026-03-06T10:00:00Z",
        }


class TestComplete:
    def test_work_that_was_not_tested_is_not_done(self) -> None:
        fault = refusal(C.COMPLETE, {"summary": "replaced"})

        assert str(fault) == "complete: the result must be tested before it is called done (S-35): set tested"

    def test_tested_work_is_done(self) -> None:
        assert Complete(summary="replaced", tested=True).payload() == {"summary": "replaced", "tested": True}

    def test_guidance_needs_no_test(self) -> None:
        assert Complete(summary="explained", guidance_only=True).guidance_only

    def test_a_change_of_priority_is_no_safety_risk_unless_said(self) -> None:
        command = build_command(C.CHANGE_PRIORITY, LEAST[C.CHANGE_PRIORITY])

        assert command.payload() == {"impact": "partial", "reason": "works again in part"}


def test_a_command_built_directly_is_checked_like_one_from_outside() -> None:
    for name, values in LEAST.items():
        kind: type[Command] = COMMAND_TYPES[name]
        assert kind(**values) == build_command(name, values)
