"""Frequent words are counted by answer, in Chinese and English, negations and synonyms with them (S-52)."""

from __future__ import annotations

import pytest

from domain.standard import Standard
from domain.words import frequent


def _words(standard: Standard, *texts: str) -> dict[str, int]:
    return {one.word: one.now for one in frequent(texts, (), standard.feedback)}


@pytest.mark.parametrize(
    ("texts", "counted"),
    [
        (("等了很久！很久！很久！", "太久了"), {"久": 2}),
        (("空调还是不制冷", "空调不制冷，很吵"), {"空调不制冷": 2}),
        (("没有提前通知", "没通知我"), {"没通知": 2}),
        (("The technician was LATE.", "engineers late again"), {"engineer late": 2}),
        (("It isn’t fixed", "not repaired yet"), {"not fixed": 2}),
        (("配件缺货", "客服慢", "=cmd()|{{7*7}} \u202e😀", "", "的 了 the"), {}),
    ],
)
def test_words_and_phrases_count_once_per_answer(
    standard: Standard, texts: tuple[str, ...], counted: dict[str, int]
) -> None:
    assert _words(standard, *texts) == counted


def test_the_period_before_is_told_beside(standard: Standard) -> None:
    [found] = frequent(["配件缺货"] * 3, ["配件缺货", "配件缺货", "贵"], standard.feedback)

    assert (found.word, found.now, found.before) == ("配件缺货", 3, 2)
