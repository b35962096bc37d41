"""What staff say: every script in every language, with much and with little known (S-06)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.next_step import SCRIPT_CONTEXT, Script
from settings import get_standard
from templates.check import House, find_faults
from templates.languages import HERE, languages
from templates.render import forget, render_script
from templates.samples import SAMPLE_NOW, sample_script
from templates.variants import script_cases

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
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        from settings import get_settings

        monkeypatch.setenv("AFTERCARE_TEMPLATES", str(tmp_path))
        get_settings.cache_clear()
        forget()
        (tmp_path / "en" / "scripts").mkdir(parents=True)
        return tmp_path / "en" / "scripts"

    @pytest.fixture(autouse=True)
    def as_before(self) -> object:
        from settings import get_settings

        yield
        get_settings.cache_clear()
        forget()

    def test_an_operator_may_say_it_otherwise(self, folder: Path) -> None:
        (folder / "greeting.txt").write_text("Good day, {{ customer_name }}!\n", "utf-8")

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
    def test_the_check_finds_what_is_wrong_with_it(self, folder: Path, words: str, fault: str) -> None:
        (folder / "greeting.txt").write_text(words, "utf-8")

        faults, _ = find_faults(House.of(get_standard()))

        assert any(re.search(fault, found) for found in faults), faults

    def test_a_script_that_nothing_says_is_found(self, folder: Path) -> None:
        (folder / "singing.txt").write_text("la la", "utf-8")

        faults, _ = find_faults(House.of(get_standard()))

        assert any("singing.txt: nothing uses this file" in found for found in faults)
