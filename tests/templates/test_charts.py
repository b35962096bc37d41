"""The digest's charts: the same picture each time, Chinese on any machine, and nothing where nothing was counted."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from domain.satisfaction import STAGES
from templates import charts
from templates.languages import HERE, labels, languages

PAIRS = [{"now": 4.35, "before": 4.2}, {"now": None, "before": 3.9}, {"now": 5.0, "before": None}]


def digest(*, shares: list[float | None], counts: dict[str, Any], means: dict[str, Any]) -> dict[str, Any]:
    names = ("response_share", "resolution_share")
    return {
        "trend": [{"label": f"2026-W{43 + at}"} | dict.fromkeys(names, share) for at, share in enumerate(shares)],
        "targets": {"response_share": 0.95, "resolution_share": None},
        "satisfaction": {
            "means": means,
            "stages": {stage: {"mean": mean} for stage, mean in zip(STAGES, means.values(), strict=False)},
        },
        "volume": {"by_category": {}, "by_priority": counts},
    }


LIVELY = digest(
    shares=[0.9, None, 0.923, 1.0, 0.965],
    counts={"P1": {"now": 0, "before": 3}, "P2": {"now": 1_000_000, "before": 0}},
    means=dict(zip(("efficiency", "attitude", "overall"), PAIRS, strict=True)),
)
EMPTY = digest(shares=[None] * 5, counts={}, means={"overall": {"now": None, "before": None}})


@pytest.mark.parametrize("language", languages())
def test_a_chart_is_the_same_picture_each_time_and_small_enough_for_a_mail(language: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a character that no font has
        drawn = charts.draw_all(LIVELY, language=language)

    assert set(drawn) == set(charts.CHARTS)
    for name, png in drawn.items():
        assert png == charts.draw(LIVELY, name, language=language)
        assert len(png) < 40_000
        assert Image.open(BytesIO(png)).width >= 2 * 536


def test_there_is_no_chart_of_nothing() -> None:
    assert charts.draw_all(EMPTY, language="en") == {}


def test_one_ticket_and_one_answer_make_charts() -> None:
    one = {"P1": {"now": 1, "before": 0}}
    single = digest(shares=[None] * 4 + [0.0], counts=one, means={"overall": {"now": 1.0, "before": None}})

    assert "promises" in charts.draw_all(single, language="zh-CN")
    assert charts.draw(single, "volume", language="en")


@pytest.mark.parametrize("language", languages())
def test_the_font_has_every_character_of_the_words_a_chart_may_show(language: str) -> None:
    font = TTFont(HERE / "fonts" / "NotoSansSC-subset.otf").getBestCmap()
    sections = ("dimension", "stage", "category", "priority", "clock", "digest")
    shown = {letter for section in sections for text in labels(language)[section].values() for letter in text}

    assert {letter for letter in shown if ord(letter) not in font} == set()
