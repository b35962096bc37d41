"""Suggests category and priority from what the customer said, with the reason shown (S-04, S-10, S-11)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from domain.service_policies import TriageWords
from domain.tickets import Category, Impact, Priority

T = TypeVar("T")

# S-11: the visible table. A safety risk is urgent whatever the impact.
PRIORITY_BY_IMPACT = {
    Impact.CORE_USE_LOST: Priority.P1,
    Impact.PARTIAL: Priority.P2,
    Impact.MINOR: Priority.P3,
}


@dataclass(frozen=True, slots=True)
class Suggestion(Generic[T]):
    """A suggested value; ``reason`` is the word or fact it rests on, in the customer's own words where possible."""

    value: T
    reason: str


def priority_for(impact: Impact, *, is_safety_risk: bool) -> Suggestion[Priority]:
    """The priority that follows from impact and safety (S-11)."""
    if is_safety_risk:
        return Suggestion(Priority.P1, "safety_risk")
    return Suggestion(PRIORITY_BY_IMPACT[impact], impact.value)


def suggest_category(text: str, words: TriageWords) -> Suggestion[Category]:
    """The first category of the table one of whose words occurs; a usage question when none does."""
    for entry in words.categories:
        if (word := first_found(entry.words, text)) is not None:
            return Suggestion(entry.category, word)
    return Suggestion(Category.USAGE_QUESTION, "")


def suggest_safety_risk(text: str, words: TriageWords) -> Suggestion[bool]:
    """True when a word of danger occurs."""
    word = first_found(words.safety_words, text)
    return Suggestion(word is not None, word or "")


def suggest_impact(text: str, category: Category, words: TriageWords) -> Suggestion[Impact]:
    """How much use is lost, by the customer's words; a fault without a telling word counts as partial."""
    if (word := first_found(words.core_use_words, text)) is not None:
        return Suggestion(Impact.CORE_USE_LOST, word)
    if (word := first_found(words.partial_words, text)) is not None and category is not Category.USAGE_QUESTION:
        return Suggestion(Impact.PARTIAL, word)
    if category is Category.PRODUCT_FAULT:
        return Suggestion(Impact.PARTIAL, category.value)
    return Suggestion(Impact.MINOR, category.value)


def first_found(words: Iterable[str], text: str) -> str | None:
    """The first of the words that occurs in the text."""
    folded = text.casefold()
    return next((word for word in words if _pattern(word).search(folded)), None)


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """A word of an alphabet stands alone ("fire" is not in "firewall"); Chinese has no spaces to tell by."""
    folded = re.escape(word.casefold())
    return re.compile(rf"\b{folded}(?:s|es|ed|ing)?\b" if word.isascii() else folded)
