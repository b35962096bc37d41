"""This file checks the satisfaction survey: strict scores, who is called, and when to ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.people import CustomerTier
from domain.satisfaction import DIMENSIONS, STAGES, SurveyAnswer, SurveyMethod, needs_callback, schedule, survey_method
from domain.service_policies import SurveyPolicy
from domain.standard import load_standard
from domain.tickets import Category

POLICY = load_standard().survey
FORM_ONLY = SurveyPolicy(
    after=timedelta(hours=1), remind_after=timedelta(hours=2), expires_after=timedelta(hours=3)
)  # fmt: skip
CONTENT: dict[str, Any] = {"efficiency": 5, "attitude": 4, "solution": 3, "overall": 4}


class TestAnswer:
    @pytest.mark.parametrize("dimension", DIMENSIONS)
    @pytest.mark.parametrize("score", [1, 2, 3, 4, 5])
    def test_every_score_from_one_to_five_is_taken(self, dimension: str, score: int) -> None:
        assert getattr(SurveyAnswer(**{**CONTENT, dimension: score}), dimension) == score

    @pytest.mark.parametrize("dimension", DIMENSIONS)
    @pytest.mark.parametrize("score", [0, 6, -1, True, False, "4", 4.0, 3.5, None])
    def test_anything_else_is_no_score(self, dimension: str, score: object) -> None:
        with pytest.raises(ValidationError) as fault:
            SurveyAnswer(**{**CONTENT, dimension: score})

        assert [error["loc"] for error in fault.value.errors()] == [(dimension,)]

    @pytest.mark.parametrize("dimension", DIMENSIONS)
    def test_every_dimension_must_be_answered(self, dimension: str) -> None:
        with pytest.raises(ValidationError, match=dimension):
            SurveyAnswer(**{name: score for name, score in CONTENT.items() if name != dimension})

    def test_every_dimension_and_stage_is_a_field_of_the_answer(self) -> None:
        assert {*DIMENSIONS, *STAGES, *(f"{stage}_improvement" for stage in STAGES)} < set(SurveyAnswer.model_fields)

    @pytest.mark.parametrize("stage", STAGES)
    def test_a_stage_may_be_left_out_but_is_no_other_score(self, stage: str) -> None:
        assert getattr(SurveyAnswer(**CONTENT), stage) is None
        with pytest.raises(ValidationError, match=stage):
            SurveyAnswer(**CONTENT, **{stage: 6})

    def test_a_comment_may_be_left_out_and_loses_the_space_around_it(self) -> None:
        assert SurveyAnswer(**CONTENT).comment == ""
        assert SurveyAnswer(**CONTENT, comment="  很好 \n").comment == "很好"

    def test_a_comment_of_2000_characters_is_taken_and_a_longer_one_refused(self) -> None:
        assert len(SurveyAnswer(**CONTENT, comment="好" * 2000).comment) == 2000
        with pytest.raises(ValidationError):
            SurveyAnswer(**CONTENT, comment="好" * 2001)

    def test_a_value_nobody_asked_for_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="price"):
            SurveyAnswer(**CONTENT, price=3)


class TestCallback:
    @pytest.mark.parametrize(("overall", "called"), [(1, True), (2, True), (3, True), (4, False), (5, False)])
    def test_three_and_less_is_called_back(self, overall: int, called: bool) -> None:
        assert needs_callback(overall, low_score=load_standard().callback.low_score) is called

    def test_another_standard_may_draw_the_line_elsewhere(self) -> None:
        assert not needs_callback(3, low_score=2)
        assert needs_callback(4, low_score=4)


class TestMethod:
    @pytest.mark.parametrize(
        ("category", "tier", "method"),
        [
            (Category.PRODUCT_FAULT, CustomerTier.STANDARD, SurveyMethod.FORM),
            (Category.USAGE_QUESTION, CustomerTier.STANDARD, SurveyMethod.FORM),
            (Category.GUARANTEE, CustomerTier.STANDARD, SurveyMethod.FORM),
            (Category.COMPLAINT, CustomerTier.STANDARD, SurveyMethod.PHONE),
            (Category.COMPLAINT, CustomerTier.VALUED, SurveyMethod.PHONE),
            (Category.USAGE_QUESTION, CustomerTier.VALUED, SurveyMethod.PHONE),
        ],
    )
    def test_complaints_and_valued_customers_are_called(
        self, category: Category, tier: CustomerTier, method: SurveyMethod
    ) -> None:
        assert survey_method(category, tier, POLICY) is method

    def test_a_standard_that_names_nobody_sends_the_form_to_all(self) -> None:
        assert survey_method(Category.COMPLAINT, CustomerTier.VALUED, FORM_ONLY) is SurveyMethod.FORM


def test_reminder_and_expiry_count_from_the_invitation() -> None:
    sent_at = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)

    plan = schedule(POLICY, sent_at=sent_at)

    assert plan.remind_at == datetime(2026, 3, 5, 2, 0, tzinfo=UTC)
    assert plan.expires_at == datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
