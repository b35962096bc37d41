"""What is typed into the public form is read with care, and every fault is found at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.faults import Fault
from domain.messages import Medium
from domain.report_form import FIELDS, FaultKind, Filled, read_form, tidy
from domain.standard import Standard
from domain.tickets import Category, Impact

K = FaultKind
GOOD = {
    "name": "王丽",
    "phone": "138 0013 8000",
    "language": "zh-CN",
    "description": "空调不制冷",
    "impact": "partial",
    "danger": "no",
}


def read(standard: Standard, now: datetime, **typed: str) -> Filled | dict[str, Fault]:
    return read_form(
        tidy(GOOD | typed), organisation=standard.organisation, languages=("en", "zh-CN"), regions=("east",), now=now
    )


def filled(standard: Standard, now: datetime, **typed: str) -> Filled:
    found = read(standard, now, **typed)
    assert isinstance(found, Filled), found
    return found


def faults(standard: Standard, now: datetime, **typed: str) -> dict[str, str]:
    found = read(standard, now, **typed)
    assert isinstance(found, dict), found
    return {name: fault.kind for name, fault in found.items()}


def test_what_is_typed_becomes_customer_and_report(standard: Standard, now: datetime) -> None:
    form = filled(
        standard,
        now,
        email="Wang.Li@Example.com",
        medium="email",
        region="east",
        category="guarantee",
        danger="yes",
        occurred_at="2026-11-23T09:30",
        usage_context="制冷\r\n26度",
        anonymous="1",
    )

    assert (form.customer.phone, form.customer.email) == ("+8613800138000", "Wang.Li@example.com")
    assert (form.customer.preferred_medium, form.customer.region) == (Medium.EMAIL, "east")
    assert form.customer.wants_anonymity
    assert (form.report.category, form.report.impact) == (Category.GUARANTEE, Impact.PARTIAL)
    assert form.report.is_safety_risk is True
    assert form.report.occurred_at == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    assert form.report.usage_context == "制冷\n26度"


def test_what_is_left_open_stays_open(standard: Standard, now: datetime) -> None:
    form = filled(standard, now)

    assert form.report.category is None
    assert form.report.occurred_at is None
    assert form.customer.preferred_medium is None
    assert form.report.is_safety_risk is False


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("0086 13800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("010-6552 9988", "+861065529988"),
    ],
)
def test_a_phone_number_is_read_as_people_write_it(standard: Standard, now: datetime, typed: str, number: str) -> None:
    assert filled(standard, now, phone=typed).customer.phone == number


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"name": ""}, {"name": K.MISSING}),
        ({"name": " \t\n "}, {"name": K.MISSING}),
        ({"name": "x" * 201}, {"name": K.TOO_LONG}),
        ({"name": "a\x00b"}, {"name": K.UNREADABLE}),
        ({"name": "a\ud800b"}, {"name": K.UNREADABLE}),
        ({"description": ""}, {"description": K.MISSING}),
        ({"description": "x"}, {"description": K.MISSING}),
        ({"description": "x" * 5001}, {"description": K.TOO_LONG}),
        ({"description": "a\x00b"}, {"description": K.UNREADABLE}),
        ({"usage_context": "x" * 2001}, {"usage_context": K.TOO_LONG}),
        ({"wish": "x" * 1001}, {"wish": K.TOO_LONG}),
        ({"product_model": "x" * 201}, {"product_model": K.TOO_LONG}),
        ({"serial_number": "\x00"}, {"serial_number": K.UNREADABLE}),
        ({"order_number": "x" * 201}, {"order_number": K.TOO_LONG}),
        ({"phone": ""}, {"phone": K.NO_CONTACT}),
        ({"phone": "12"}, {"phone": K.NO_PHONE}),
        ({"phone": "<script>"}, {"phone": K.NO_PHONE}),
        ({"phone": "1" * 500}, {"phone": K.NO_PHONE}),
        ({"phone": "+999 123456"}, {"phone": K.NO_PHONE}),
        ({"email": "nobody"}, {"email": K.NO_EMAIL}),
        ({"email": "a@b@c"}, {"email": K.NO_EMAIL}),
        ({"email": "x" * 300 + "@example.com"}, {"email": K.NO_EMAIL}),
        ({"medium": "pigeon"}, {"medium": K.NOT_CHOSEN}),
        ({"medium": "email"}, {"medium": K.EMAIL_NEEDED}),
        ({"phone": "", "email": "a@example.com", "medium": "sms"}, {"medium": K.PHONE_NEEDED}),
        ({"language": "tlh"}, {"language": K.NOT_CHOSEN}),
        ({"language": ""}, {"language": K.NOT_CHOSEN}),
        ({"region": "moon"}, {"region": K.NOT_CHOSEN}),
        ({"category": "other"}, {"category": K.NOT_CHOSEN}),
        ({"impact": ""}, {"impact": K.NOT_CHOSEN}),
        ({"impact": "P1"}, {"impact": K.NOT_CHOSEN}),
        ({"danger": ""}, {"danger": K.NOT_CHOSEN}),
        ({"danger": "maybe"}, {"danger": K.NOT_CHOSEN}),
        ({"occurred_at": "yesterday"}, {"occurred_at": K.NO_MOMENT}),
        ({"occurred_at": "2026-11-23T09:30+08:00"}, {"occurred_at": K.NO_MOMENT}),
        ({"occurred_at": "2026-13-40T25:61"}, {"occurred_at": K.NO_MOMENT}),
        ({"occurred_at": "2099-01-01T00:00"}, {"occurred_at": K.AHEAD}),
        ({"occurred_at": "0001-01-01T00:00"}, {"occurred_at": K.TOO_LONG_AGO}),
        ({"occurred_at": "9999-12-31T23:59"}, {"occurred_at": K.AHEAD}),
    ],
)
def test_each_field_says_what_is_wrong_with_it(
    standard: Standard, now: datetime, typed: dict[str, str], wrong: dict[str, str]
) -> None:
    assert faults(standard, now, **typed) == wrong


def test_all_faults_are_found_at_once(standard: Standard, now: datetime) -> None:
    found = read_form(tidy({}), organisation=standard.organisation, languages=("en",), regions=(), now=now)

    assert isinstance(found, dict)
    assert set(found) == {"name", "phone", "language", "description", "impact", "danger"}


@pytest.mark.parametrize(
    "words", ["😀🔥", "\u202eمرحبا", "<script>alert(1)</script>", "{{7*7}}", "=cmd()|' /C calc'!A0"]
)
def test_people_may_write_what_they_like(standard: Standard, now: datetime, words: str) -> None:
    form = filled(standard, now, name=words, description=words, wish=words, product_model=words)

    assert (form.customer.name, form.report.description, form.report.wish) == (words, words, words)


def test_a_clock_that_goes_a_little_wrong_does_no_harm(standard: Standard, now: datetime) -> None:
    local = (now + timedelta(hours=8, minutes=30)).strftime("%Y-%m-%dT%H:%M")

    assert filled(standard, now, occurred_at=local).report.occurred_at == now + timedelta(minutes=30)


def test_only_the_fields_of_the_form_are_read() -> None:
    assert set(tidy({"tier": "valued", "channel": "hotline"})) == set(FIELDS)
