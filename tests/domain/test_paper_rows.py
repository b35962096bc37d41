"""What people write on paper and into sheets is understood, or refused field by field (S-51)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.exceptions import InvalidInputError
from domain.paper_map import PaperMap, load_map, places_in
from domain.paper_rows import PaperRow, read_row

TODAY = date(2026, 11, 24)
WORDS = load_map()
HEADER = ["工单号", "日期", "整体体验", "服务态度", "是否一次解决", "意见和建议", "最满意"]
GOOD: dict[str, Any] = {"工单号": "TK-00000007", "日期": "2026-11-20", "整体体验": 5}


def _read(words: PaperMap = WORDS, **cells: Any) -> PaperRow | dict[str, Any]:
    row = GOOD | cells
    places = places_in(HEADER, words)
    assert places is not None
    return read_row([row.get(title) for title in HEADER], places, words, today=TODAY)


def _fault(**cells: Any) -> dict[str, str]:
    found = _read(**cells)
    assert isinstance(found, dict), found
    return {name: fault.kind for name, fault in found.items()}


@pytest.mark.parametrize(
    ("written", "score"),
    [(5, 5), (4.0, 4), ("５", 5), ("3分", 3), ("４ 分", 4), ("五分", 5), ("非常满意", 5), ("不太满意", 2),
     ("Very  Satisfied", 5), ("4/5", 4), ("2 points", 2), ("不涉及", None), ("—", None), (None, None), ("", None)],
)  # fmt: skip
def test_a_score_is_understood_however_it_is_written(written: object, score: int | None) -> None:
    row = _read(服务态度=written)

    assert isinstance(row, PaperRow)
    assert row.answer.attitude == score


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026-11-05", (11, 5)), ("2026/11/5", (11, 5)), ("２０２６年１１月５日", (11, 5)), ("2026.11.05", (11, 5)),
     (datetime(2026, 11, 5, 9, 30, tzinfo=UTC), (11, 5)), (46331, (11, 5)), ("46331", (11, 5)), (46331.4, (11, 5)),
     ("20261105", (11, 5)), ("2026-11-05 09:30", (11, 5)), ("5.11.2026", (11, 5)), ("11/20/2026", (11, 20)),
     ("20/11/2026", (11, 20)), ("Nov 5, 2026", (11, 5)), ("5 November 2026", (11, 5))],
)  # fmt: skip
def test_a_day_is_understood_however_it_is_written(written: object, day: tuple[int, int]) -> None:
    row = _read(日期=written)

    assert isinstance(row, PaperRow)
    assert row.answered_on == date(2026, *day)


@pytest.mark.parametrize(
    ("cells", "faults"),
    [
        ({"整体体验": None}, {"overall": "missing"}),
        ({"整体体验": 6}, {"overall": "no_score"}),
        ({"整体体验": "=1+1"}, {"overall": "no_score"}),
        ({"日期": None}, {"answered_on": "missing"}),
        ({"日期": "2026-13-01"}, {"answered_on": "no_day"}),
        ({"日期": "5/11/2026"}, {"answered_on": "unclear_day"}),
        ({"日期": "2026-11-25"}, {"answered_on": "ahead"}),
        ({"工单号": "", "是否一次解决": "也许"}, {"ticket": "missing", "solved_in_one_visit": "no_flag"}),
        ({"意见和建议": "a\x00b", "最满意": "好" * 501}, {"comment": "unreadable", "best_point": "too_long"}),
        ({"意见和建议": "\ud800"}, {"comment": "unreadable"}),
    ],
)
def test_what_cannot_be_used_is_said_of_each_value(cells: dict[str, Any], faults: dict[str, str]) -> None:
    assert _fault(**cells) == faults


def test_an_operator_says_how_slashes_are_meant() -> None:
    row = _read(WORDS.model_copy(update={"slash_dates": "day_first"}), 日期="5/11/2026")

    assert isinstance(row, PaperRow)
    assert row.answered_on == date(2026, 11, 5)


def test_titles_are_known_in_any_width_and_case_and_a_row_without_them_is_no_header() -> None:
    assert places_in(["Ticket  NUMBER", "date*", "Ｏｖｅｒａｌｌ"], WORDS) == {
        "ticket": 0,
        "answered_on": 1,
        "overall": 2,
    }
    assert places_in(["客户满意度调查表", None], WORDS) is None


def test_a_map_with_a_value_that_does_not_exist_is_refused(tmp_path: Any) -> None:
    own = tmp_path / "map.toml"
    own.write_text('[columns]\noverall = "总分"\nmood = "心情"\n', "utf-8")

    with pytest.raises(InvalidInputError, match="no such value: mood"):
        load_map(own)
