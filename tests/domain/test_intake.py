"""This file checks what a customer may report, how it is written, and when two reports are about one fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.exceptions import InvalidInputError
from domain.intake import OpenTicket, Report, build_customer, build_report, is_same_fault, require_happened
from domain.tickets import Category, Channel

TICKET = OpenTicket(1, Category.PRODUCT_FAULT, "KFR-35", "SN1", "空调不制冷")


def report(description: str = "空调不制冷", **values: Any) -> Report:
    return Report(channel=Channel.WEB, description=description, **values)


class TestCustomer:
    def test_phone_and_address_are_written_one_way(self) -> None:
        customer = build_customer({"name": " 王丽 ", "phone": "138 0013 8000", "email": "W@EXAMPLE.com"})

        plain = customer.normalised(phone_region="CN")

        assert (plain.name, plain.phone, plain.email) == ("王丽", "+8613800138000", "W@example.com")

    def test_a_blank_address_counts_as_none(self) -> None:
        plain = build_customer({"name": "王丽", "phone": "13800138000", "email": ""}).normalised(phone_region="CN")

        assert plain.email is None

    @pytest.mark.parametrize("values", [{}, {"phone": ""}, {"phone": None, "email": ""}])
    def test_somebody_who_cannot_be_reached_is_refused(self, values: dict[str, Any]) -> None:
        with pytest.raises(InvalidInputError, match="contact: give a phone number or an e-mail address"):
            build_customer({"name": "王丽", **values})

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", " "),
            ("tier", "vip"),
            ("colour", "red"),
            ("language", "e n"),
            ("language", "en\x00"),
            ("time_zone", "Moon/Sea"),
            ("time_zone", "../etc"),
            ("email", "a" * 255),
        ],
    )
    def test_a_bad_value_is_named(self, field: str, value: str) -> None:
        with pytest.raises(InvalidInputError) as refusal:
            build_customer({"name": "王丽", "phone": "13800138000", field: value})

        assert refusal.value.field == field


class TestReport:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("channel", "fax"),
            ("description", "x"),
            ("description", "  "),
            ("impact", "huge"),
            ("occurred_at", "2026-03-03T10:00:00"),
            ("tags", ["a"] * 21),
        ],
    )
    def test_a_bad_value_is_named(self, field: str, value: str) -> None:
        with pytest.raises(InvalidInputError) as refusal:
            build_report({"channel": "web", "description": "空调不制冷", field: value})

        assert refusal.value.field == field

    @pytest.mark.parametrize("days", [0, -1, -18_000])
    def test_a_fault_may_have_happened_long_ago(self, now: datetime, days: int) -> None:
        require_happened(None, now=now)
        require_happened(now + timedelta(days=days), now=now)

    @pytest.mark.parametrize(
        "moment",
        ["0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "2026-11-24T04:00:00Z", "9999-12-31T23:59:59-14:00"],
    )
    def test_a_fault_has_not_happened_in_times_to_come_or_before_there_was_the_thing(
        self, now: datetime, moment: str
    ) -> None:
        with pytest.raises(InvalidInputError, match="occurred_at: lies"):
            require_happened(datetime.fromisoformat(moment), now=now)

    @pytest.mark.parametrize(
        ("description", "subject"),
        [
            ("空调不制冷。昨天开始的。", "空调不制冷"),
            ("It leaks. Since Monday.", "It leaks"),
            ("Model 3.5 leaks", "Model 3.5 leaks"),
            ("救命!漏水!", "救命"),
            ("first line\nsecond line", "first line"),
            ("\x1c\nsecond line", "second line"),
            ("！！！漏水了。", "！！！漏水了"),
            ("! Help", "! Help"),
            ("x" * 60, "x" * 60),
            ("x" * 61, "x" * 59 + "…"),
        ],
    )
    def test_the_subject_is_the_first_sentence_cut_to_sixty_characters(self, description: str, subject: str) -> None:
        assert report(description).subject == subject


class TestSameFault:
    def test_the_same_serial_number_in_the_same_category_is_the_same_fault(self) -> None:
        assert is_same_fault(TICKET, report("other words", serial_number="sn1"), Category.PRODUCT_FAULT)

    def test_another_serial_number_is_another_fault_even_of_the_same_model(self) -> None:
        assert not is_same_fault(TICKET, report(serial_number="SN2", product_model="KFR-35"), Category.PRODUCT_FAULT)

    def test_another_category_is_another_fault(self) -> None:
        assert not is_same_fault(TICKET, report(serial_number="SN1"), Category.COMPLAINT)
        assert not is_same_fault(TICKET, report(product_model="KFR-35"), Category.COMPLAINT)

    def test_the_same_model_in_the_same_category_is_the_same_fault(self) -> None:
        assert is_same_fault(TICKET, report("other words", product_model="kfr-35"), Category.PRODUCT_FAULT)

    def test_two_reports_that_begin_with_a_cry_are_not_the_same_for_it(self) -> None:
        first = report("!!漏水")

        assert not is_same_fault(
            OpenTicket(1, Category.PRODUCT_FAULT, None, None, first.subject), report("!!冒烟"), Category.PRODUCT_FAULT
        )

    def test_with_no_product_named_the_same_words_decide(self) -> None:
        nameless = replace(TICKET, product_model=None, serial_number=None, subject="It Leaks")

        assert is_same_fault(nameless, report("it leaks. Again!"), Category.PRODUCT_FAULT)
        assert not is_same_fault(nameless, report("it smells"), Category.PRODUCT_FAULT)
