"""What staff say: every script in every language, with much and with little known (S-06)."""

from __future__ import annotations

import re

import pytest

from domain.next_step import SCRIPT_CONTEXT, Script
from domain.standard import Standard
from templates.check import House, find_faults
from templates.languages import HERE, languages
from templates.render import render_script
from templates.samples import SAMPLE_NOW, sample_script
from templates.variants import script_cases
from tests.templates.conftest import WriteWords

FRAME = {"organisation": "安心售后", "time_zone": "Asia/Shanghai", "now": SAMPLE_NOW}


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_script_and_no_other(language: str) -> None:
    assert {path.stem for path in (HERE / language / "scripts").iterdir()} == set(Script)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("script", Script)
def test_every_script_says_something_whatever_is_known(script: Script, language: str) -> None:
    for _, context in script_cases(language):
        words = render_script(script.value, language=language, **FRAME, **context)

        assert words
        assert "None" not in words
        assert not re.search(r"[。.]{2}|。”|{[{%]", words), words


def test_the_samples_say_all_that_a_script_may_use() -> None:
    assert set(sample_script()) | {"organisation"} == SCRIPT_CONTEXT


def test_a_script_is_filled_with_the_tickets_data() -> None:
    context = sample_script(language="zh-CN")

    greeting = render_script("greeting", language="zh-CN", **FRAME, **context)
    restating = render_script("restating", language="zh-CN", **FRAME, **context)
    proposing = render_script("proposing", language="zh-CN", **FRAME, **context)

    assert "王丽" in greeting
    assert "张伟" in greeting
    assert "KFR-35" in restating
    assert "显示屏提示E4" in restating
    assert "11月25日（周三）10:00" in proposing


def test_nothing_is_promised_that_is_past() -> None:
    context = sample_script(language="en") | {"promised_at": SAMPLE_NOW}

    assert "at the latest" not in render_script("calming", language="en", **FRAME, **context)


def test_what_customers_wrote_is_not_read_as_a_template() -> None:
    context = sample_script(language="en") | {"understood": "{{ 7 * 7 }} {% raw %}"}

    assert "{{ 7 * 7 }} {% raw %}" in render_script("restating", language="en", **FRAME, **context)


class TestOperatorsWords:
    def test_an_operator_may_say_it_otherwise(self, own_words: WriteWords) -> None:
        own_words("en/scripts/greeting.txt", "Good day, {{ customer_name }}!\n")

        words = render_script("greeting", language="en", **FRAME, **sample_script(language="en"))

        assert words == "Good day, Grace Miller!"

    @pytest.mark.parametrize(
        ("words", "fault"),
        [
            ("Hello {{ customer }}", r"greeting\.txt:1: UndefinedError: 'customer' is undefined"),
            ("{% if %}", r"greeting\.txt:1: "),
            ("{# later #}", r"greeting\.txt:1: says nothing"),
        ],
    )
    def test_the_check_finds_what_is_wrong_with_it(
        self, own_words: WriteWords, standard: Standard, words: str, fault: str
    ) -> None:
        own_words("en/scripts/greeting.txt", words)

        faults, _ = find_faults(House.of(standard))

        assert any(re.search(fault, found) for found in faults), faults

    def test_a_script_that_nothing_says_is_found(self, own_words: WriteWords, standard: Standard) -> None:
        own_words("en/scripts/singing.txt", "la la")

        faults, _ = find_faults(House.of(standard))

        assert any("singing.txt: nothing uses this file" in found for found in faults)
