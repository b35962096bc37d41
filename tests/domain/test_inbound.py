"""This file checks what a customer's SMS is taken for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inbound import Meaning, read_text


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop.",
        " Stop ",
        "退订",
        "TD",
        "td",
        "ＴＤ",
        "“退订”",
        "UNSUBSCRIBE",
        "TD退订",
        "回T退订",
        "取消订阅",
        "退訂",
        "【退订】",
        "拒收",
        "stop all",
        "opt-out",
        "退订\u200b",
    ],
)
def test_a_single_word_of_refusal_stops(text: str) -> None:
    assert read_text(text) == (Meaning.STOP, None)


@pytest.mark.parametrize("text", ["START", "恢复", "unstop", "恢复。"])
def test_a_single_word_of_consent_starts(text: str) -> None:
    assert read_text(text) == (Meaning.START, None)


@pytest.mark.parametrize(
    ("text", "score"), [("5", 5), (" 1 ", 1), ("３", 3), ("4分", 4), ("五分", 5), ("二", 2), ("2.", 2)]
)
def test_a_number_from_one_to_five_is_a_score(text: str, score: int) -> None:
    assert read_text(text) == (Meaning.SCORE, score)


@pytest.mark.parametrize(
    "text", ["", "0", "6", "55", "5 stars", "please stop the noise", "不要退订", "Don't stop", "१", "1 2"]
)
def test_everything_else_is_words_for_a_person(text: str) -> None:
    assert read_text(text)[0] is Meaning.WORDS


@given(st.text(max_size=200))
def test_any_text_means_something(text: str) -> None:
    meaning, score = read_text(text)

    assert (score in {1, 2, 3, 4, 5}) == (meaning is Meaning.SCORE)
