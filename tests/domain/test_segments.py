"""This file checks what an SMS costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.segments import sms_size


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("汉" * 70, "UCS-2", 70, 1),
        ("汉" * 71, "UCS-2", 71, 2),
        ("汉" * 134, "UCS-2", 134, 2),
        ("汉" * 135, "UCS-2", 135, 3),
        ("à la carte: 10 £, Å, ñ, Δ", "GSM-7", 25, 1),
        ("ç", "UCS-2", 1, 1),  # only its capital is in GSM-7
        ("09:00-11:00", "GSM-7", 11, 1),
        ("09:00–11:00", "UCS-2", 11, 1),  # an en dash
    ],
)
def test_an_sms_costs_by_encoding_and_length(text: str, encoding: str, units: int, segments: int) -> None:
    size = sms_size(text)

    assert (size.encoding, size.units, size.segments) == (encoding, units, segments)


@pytest.mark.parametrize("char", "^{}\\[~]|€")
def test_a_character_of_the_extension_table_counts_twice(char: str) -> None:
    assert sms_size(char).units == 2
    assert sms_size("a" * 159 + char).segments == 2


def test_an_emoji_is_two_units_of_ucs_2() -> None:
    assert sms_size("😀").units == 2
    assert sms_size("😀" * 35).segments == 1
    assert sms_size("😀" * 36).segments == 2


def test_no_character_is_torn_over_two_segments() -> None:
    # 306 septets would fill two segments, but the 153rd cannot take half of a character of two.
    assert sms_size("a" * 152 + "€" + "a" * 152).segments == 3
    # 67 units hold 33 emoji and leave one unit free.
    assert sms_size("😀" * 67).segments == 3


def test_one_chinese_name_turns_a_whole_english_sms_to_ucs_2() -> None:
    text = "Aftercare: {} takes care of your ticket and contacts you by Tue 24 Nov, 14:30. Progress: example.com/p/a"

    assert sms_size(text.format("Zhang Wei")).segments == 1
    assert sms_size(text.format("张伟")).segments == 2


@given(st.text(), st.text())
def test_a_longer_text_of_one_encoding_never_costs_less(text: str, more: str) -> None:
    shorter, longer = sms_size(text), sms_size(text + more)

    # A new character that forces UCS-2 may save units: a "€" is two of GSM-7 and one of UCS-2.
    if shorter.encoding == longer.encoding:
        assert shorter.units <= longer.units
        assert shorter.segments <= longer.segments
