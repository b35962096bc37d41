"""This file checks what is suggested from the customer's words, and that the reason is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.service_policies import TriageWords
from domain.standard import load_standard
from domain.tickets import Category, Impact, Priority
from domain.triage import (
    PRIORITY_BY_IMPACT,
    Suggestion,
    priority_for,
    suggest_category,
    suggest_impact,
    suggest_safety_risk,
)

WORDS = load_standard().triage
TINY = TriageWords(
    safety_words=["Smoke"],
    core_use_words=["dead"],
    partial_words=["noise"],
    categories=[
        {"category": "complaint", "words": ["rude"]},  # type: ignore[list-item]
        {"category": "product_fault", "words": ["noise", "broken"]},  # type: ignore[list-item]
    ],
)


class TestPriority:
    @pytest.mark.parametrize(
        ("impact", "priority"),
        [(Impact.CORE_USE_LOST, Priority.P1), (Impact.PARTIAL, Priority.P2), (Impact.MINOR, Priority.P3)],
    )
    def test_the_priority_follows_from_the_impact_which_is_the_reason(self, impact: Impact, priority: Priority) -> None:
        assert priority_for(impact, is_safety_risk=False) == Suggestion(priority, impact.value)

    @pytest.mark.parametrize("impact", list(Impact))
    def test_a_safety_risk_is_urgent_whatever_the_impact(self, impact: Impact) -> None:
        assert priority_for(impact, is_safety_risk=True) == Suggestion(Priority.P1, "safety_risk")

    def test_the_table_names_every_impact_and_reaches_every_priority(self) -> None:
        assert set(PRIORITY_BY_IMPACT) == set(Impact)
        assert set(PRIORITY_BY_IMPACT.values()) == set(Priority)


class TestCategory:
    @pytest.mark.parametrize(
        ("text", "category", "reason"),
        [
            ("我家空调不制冷了", Category.PRODUCT_FAULT, "不制冷"),
            ("洗衣机漏水,请尽快上门", Category.PRODUCT_FAULT, "漏水"),
            ("请问怎么连接无线网络?", Category.USAGE_QUESTION, "怎么"),
            ("我要投诉你们的安装师傅", Category.COMPLAINT, "投诉"),
            ("刚买三天,要求退货", Category.GUARANTEE, "退货"),
            ("还在保修期内吗", Category.GUARANTEE, "保修"),
            ("The washing machine is broken", Category.PRODUCT_FAULT, "broken"),
            ("How do I pair the remote control?", Category.USAGE_QUESTION, "how do"),
            ("I want a refund", Category.GUARANTEE, "refund"),
            ("Your technician was RUDE", Category.COMPLAINT, "rude"),
        ],
    )
    def test_the_category_follows_from_the_customers_words(self, text: str, category: Category, reason: str) -> None:
        assert suggest_category(text, WORDS) == Suggestion(category, reason)

    def test_the_stronger_category_wins_when_words_of_two_occur(self) -> None:
        assert suggest_category("a loud noise, and the agent was rude", TINY) == Suggestion(Category.COMPLAINT, "rude")

    def test_text_without_a_telling_word_is_a_usage_question_without_a_reason(self) -> None:
        assert suggest_category("您好", WORDS) == Suggestion(Category.USAGE_QUESTION, "")

    def test_the_standard_has_words_for_every_category(self) -> None:
        assert {entry.category for entry in WORDS.categories} == set(Category)


class TestSafety:
    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("插座冒烟了", "冒烟"),
            ("热水器漏电，孩子被电到", "漏电"),
            ("有燃气味", "燃气"),
            ("There is SMOKE coming out of the oven", "smoke"),
            ("I got an Electric Shock", "electric shock"),
        ],
    )
    def test_a_word_of_danger_is_a_safety_risk_and_the_reason(self, text: str, word: str) -> None:
        assert suggest_safety_risk(text, WORDS) == Suggestion(True, word)

    @pytest.mark.parametrize("text", ["空调不制冷", "the remote control is lost", ""])
    def test_without_a_word_of_danger_there_is_no_risk_and_no_reason(self, text: str) -> None:
        assert suggest_safety_risk(text, WORDS) == Suggestion(False, "")

    def test_the_reason_is_the_word_as_the_standard_writes_it(self) -> None:
        assert suggest_safety_risk("smoke!", TINY).reason == "Smoke"


class TestImpact:
    @pytest.mark.parametrize(
        ("text", "category", "impact", "reason"),
        [
            ("冰箱完全不能用了", Category.PRODUCT_FAULT, Impact.CORE_USE_LOST, "完全不能"),
            ("智能锁打不开门", Category.PRODUCT_FAULT, Impact.CORE_USE_LOST, "打不开门"),
            ("the boiler won't start", Category.PRODUCT_FAULT, Impact.CORE_USE_LOST, "won't start"),
            ("空调不制冷", Category.PRODUCT_FAULT, Impact.PARTIAL, "不制冷"),
            ("a strange noise", Category.GUARANTEE, Impact.PARTIAL, "noise"),
            ("it does odd things", Category.PRODUCT_FAULT, Impact.PARTIAL, "product_fault"),
            ("is this noise normal?", Category.USAGE_QUESTION, Impact.MINOR, "usage_question"),
            ("态度差", Category.COMPLAINT, Impact.MINOR, "complaint"),
            ("", Category.GUARANTEE, Impact.MINOR, "guarantee"),
        ],
    )
    def test_the_impact_follows_from_words_then_from_the_category(
        self, text: str, category: Category, impact: Impact, reason: str
    ) -> None:
        assert suggest_impact(text, category, WORDS) == Suggestion(impact, reason)

    def test_lost_use_outweighs_a_partial_fault_and_counts_in_a_question_too(self) -> None:
        assert suggest_impact("noise, then dead", Category.USAGE_QUESTION, TINY) == Suggestion(
            Impact.CORE_USE_LOST, "dead"
        )


@given(text=st.text())
def test_a_reason_is_always_among_the_customers_own_words(text: str) -> None:
    category = suggest_category(text, WORDS)
    risk = suggest_safety_risk(text, WORDS)

    assert category.reason.casefold() in text.casefold()
    assert risk.reason.casefold() in text.casefold()
    assert risk.value == bool(risk.reason)


@given(before=st.text(), word=st.sampled_from(WORDS.safety_words), after=st.text())
def test_no_surroundings_hide_a_word_of_danger(before: str, word: str, after: str) -> None:
    assert suggest_safety_risk(f"{before} {word.upper()} {after}", WORDS).value
