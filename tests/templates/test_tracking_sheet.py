"""The progress tracking sheet as a workbook, read with another library than the one that wrote it (S-60)."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from templates import tracking_sheet
from templates.tracking_sheet import COLUMNS, write

EVENING = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)  # half past midnight in Shanghai
ROW = dict.fromkeys(column.name for column in COLUMNS) | {
    "number": "TK-00000001",
    "opened_at": EVENING,
    "channel": "hotline",
    "region": "east",
    "customer_name": "王丽",
    "customer_tier": "standard",
    "subject": "空调不制冷",
    "category": "product_fault",
    "priority": "P1",
    "state": "in_work",
    "tier": 2,
    "response_kept": False,
    "resolution_kept": True,
    "times_reopened": 0,
    "overall": 2,
    "callback_state": "open",
}
AT = {column.name: position for position, column in enumerate(COLUMNS)}


def _written(tmp_path: Path, *rows: dict[str, Any], language: str = "zh-CN") -> Any:
    out = tmp_path / "sheet.xlsx"
    assert write(rows, out, language=language, time_zone="Asia/Shanghai") == len(rows)
    return load_workbook(out)


@pytest.mark.parametrize(
    ("language", "title", "headers", "values"),
    [
        ("zh-CN", "服务处理进度跟踪表", ["工单号", "受理时间", "受理渠道"], ["超时", "达标"]),
        ("en", "Service progress", ["Ticket", "Opened", "Channel"], ["late", "in time"]),
        ("zh-TW", "服务处理进度跟踪表", ["工单号", "受理时间", "受理渠道"], ["超时", "达标"]),
    ],
)
def test_headers_and_values_are_in_the_reader_s_language(
    tmp_path: Path, language: str, title: str, headers: list[str], values: list[str]
) -> None:
    [sheet] = _written(tmp_path, ROW, language=language).worksheets

    header, row = sheet.iter_rows(values_only=True)

    assert sheet.title == title
    assert list(header[:3]) == headers
    assert len(header) == len(set(header)) == len(COLUMNS)
    assert [row[AT["response_kept"]], row[AT["resolution_kept"]]] == values


def test_moments_are_dates_of_the_organisation_s_day(tmp_path: Path) -> None:
    [sheet] = _written(tmp_path, ROW).worksheets

    opened = sheet.cell(2, AT["opened_at"] + 1)

    assert opened.is_date
    assert opened.value == datetime(2026, 11, 25, 0, 30)  # noqa: DTZ001  a spreadsheet knows no zone
    assert sheet.cell(2, AT["overall"] + 1).value == 2
    assert sheet.cell(2, AT["closed_at"] + 1).value is None


def test_the_header_stays_in_sight_and_filters(tmp_path: Path) -> None:
    [sheet] = _written(tmp_path, ROW, ROW).worksheets

    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:AE3"
    coloured = {str(rule.sqref) for rule in sheet.conditional_formatting}
    assert {f"{sheet.cell(2, AT[name] + 1).column_letter}2" for name in ("overall", "priority", "response_kept")} <= {
        place.partition(":")[0] for place in coloured
    }


@pytest.mark.parametrize(
    "words", ["=cmd|' /C calc'!A0", "+1+1", "-1", "@SUM(A1)", "\tx", "https://example.com", "{=1}", "😀\u202ex", "\x07"]
)
def test_what_people_wrote_is_text(tmp_path: Path, words: str) -> None:
    book = _written(tmp_path, ROW | {"subject": words, "customer_name": words, "region": words})

    for name in ("subject", "customer_name", "region"):
        cell = book.worksheets[0].cell(2, AT[name] + 1)
        assert cell.data_type == "s"
        assert cell.value.replace("_x0007_", "\x07") == words
        assert cell.hyperlink is None


def test_a_text_longer_than_a_cell_is_cut(tmp_path: Path) -> None:
    [sheet] = _written(tmp_path, ROW | {"subject": "长" * 40_000}).worksheets

    assert len(sheet.cell(2, AT["subject"] + 1).value) == 32_767


def test_without_a_ticket_there_is_a_header(tmp_path: Path) -> None:
    [sheet] = _written(tmp_path).worksheets

    assert sheet.max_row == 1


def test_a_second_worksheet_begins_where_excel_s_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking_sheet, "ROWS_OF_A_SHEET", 2)

    sheets = _written(tmp_path, *(ROW | {"number": str(number)} for number in range(5))).worksheets

    assert [sheet.title for sheet in sheets] == ["服务处理进度跟踪表", "服务处理进度跟踪表 2", "服务处理进度跟踪表 3"]
    assert [cell.value for sheet in sheets for cell in sheet["A"][1:]] == ["0", "1", "2", "3", "4"]
    assert {sheet["A1"].value for sheet in sheets} == {"工单号"}


def test_ten_times_the_tickets_need_no_more_memory(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        def rows() -> Iterator[dict[str, Any]]:
            for number in range(count):
                yield ROW | {"number": f"TK-{number:08}", "subject": f"{number} " * 20}

        tracemalloc.start()
        write(rows(), tmp_path / "sheet.xlsx", language="en", time_zone="Asia/Shanghai")
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(3000) < 2 * peak(300)


def test_what_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "sheet.xlsx").mkdir()

    with pytest.raises(OSError, match=r"sheet\.xlsx"):
        write([ROW], tmp_path / "sheet.xlsx", language="en", time_zone="Asia/Shanghai")
