"""This file checks that contact data are written one way, wrong ones refused, and masked ones stay masked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.contact import mask_email, mask_phone, normalise_email, normalise_phone
from domain.exceptions import InvalidInputError


class TestPhone:
    @pytest.mark.parametrize(
        ("text", "region", "number"),
        [
            ("13800138000", "CN", "+8613800138000"),
            ("138 0013 8000", "CN", "+8613800138000"),
            ("138-0013-8000", "CN", "+8613800138000"),
            ("+86 138 0013 8000", "CN", "+8613800138000"),
            ("0086 13800138000", "CN", "+8613800138000"),
            ("010 6552 9988", "CN", "+861065529988"),
            ("１３８００１３８０００", "CN", "+8613800138000"),
            ("+86 138 0013 8000", "DE", "+8613800138000"),
            ("030 901820", "DE", "+4930901820"),
            ("(212) 555-2368", "US", "+12125552368"),
        ],
    )
    def test_a_number_is_written_in_e164(self, text: str, region: str, number: str) -> None:
        assert normalise_phone(text, region=region) == number

    @pytest.mark.parametrize("text", ["13800138000", "+8613800138000", "010 6552 9988"])
    def test_a_number_written_one_way_stays_so(self, text: str) -> None:
        once = normalise_phone(text, region="CN")

        assert normalise_phone(once, region="US") == once

    @pytest.mark.parametrize("text", ["", "call me", "+", "w@example.com"])
    def test_a_text_that_is_no_number_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(InvalidInputError) as refusal:
            normalise_phone(text, region="CN")

        assert refusal.value.field == "phone"
        assert refusal.value.problem.startswith("not a phone number (")
        assert refusal.value.problem.endswith("write it like +86 138 0013 8000")

    @pytest.mark.parametrize("text", ["1380013800", "138001380000", "+86 999", "00000000000", "+1 555 0100"])
    def test_a_number_that_cannot_exist_is_refused_with_an_example(self, text: str) -> None:
        with pytest.raises(InvalidInputError) as refusal:
            normalise_phone(text, region="CN")

        assert str(refusal.value) == "phone: no such phone number exists; write it like +86 138 0013 8000"


class TestEmail:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("wang.li@example.com", "wang.li@example.com"),
            ("Wang.Li@EXAMPLE.Com", "Wang.Li@example.com"),
            ("w+fridge@mail.example.cn", "w+fridge@mail.example.cn"),
            ("a@b.test", "a@b.test"),
        ],
    )
    def test_the_domain_is_written_in_lower_case(self, text: str, address: str) -> None:
        assert normalise_email(text) == address

    @pytest.mark.parametrize(
        "text",
        ["", "wang", "wang@", "@example.com", "a b@example.com", "a@@example.com", "a@example..com", "a@b@c.com"],
    )
    def test_a_text_that_is_no_address_is_refused_with_the_reason(self, text: str) -> None:
        with pytest.raises(InvalidInputError) as refusal:
            normalise_email(text)

        assert refusal.value.field == "email"
        assert refusal.value.problem.startswith("not an e-mail address (")


class TestMaskPhone:
    def test_the_four_digits_before_the_last_four_are_hidden(self) -> None:
        assert mask_phone("+8613800138000") == "+86138****8000"

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_no_number_is_no_text(self, nothing: str | None) -> None:
        assert mask_phone(nothing) == ""

    @pytest.mark.parametrize("phone", ["1", "1234", "12345678"])
    def test_a_number_too_short_to_hide_four_digits_of_it_is_hidden_whole(self, phone: str) -> None:
        assert mask_phone(phone) == "****"

    def test_a_number_of_nine_characters_shows_the_first_and_the_last_four(self) -> None:
        assert mask_phone("+29022222") == "+****2222"

    @given(phone=st.from_regex(r"\+?[0-9]{1,15}", fullmatch=True))
    def test_at_least_four_digits_or_all_stay_hidden(self, phone: str) -> None:
        shown = mask_phone(phone).replace("*", "")

        assert len(shown) <= max(len(phone) - 4, 0)

    @given(head=st.text("0123456789", max_size=7), one=st.integers(0, 9999), other=st.integers(0, 9999))
    def test_numbers_that_differ_in_the_hidden_digits_look_alike(self, head: str, one: int, other: int) -> None:
        assert mask_phone(f"+{head}{one:04d}8000") == mask_phone(f"+{head}{other:04d}8000")


class TestMaskEmail:
    def test_the_first_letter_and_the_domain_are_shown(self) -> None:
        assert mask_email("wang.li@example.com") == "w***@example.com"

    def test_a_short_name_looks_like_a_long_one(self) -> None:
        assert mask_email("w@example.com") == mask_email("wang@example.com")

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_no_address_is_no_text(self, nothing: str | None) -> None:
        assert mask_email(nothing) == ""

    def test_a_text_without_an_at_sign_is_hidden_whole(self) -> None:
        assert mask_email("+8613800138000") == "***"

    @given(first=st.sampled_from("abcxyz"), rest=st.text(max_size=30))
    def test_nothing_but_the_first_letter_of_the_name_matters(self, first: str, rest: str) -> None:
        assert mask_email(f"{first}{rest}@example.com") == f"{first}***@example.com"
