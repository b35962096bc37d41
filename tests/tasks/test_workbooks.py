"""Rows of spreadsheets as they come, whoever wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from domain.exceptions import InvalidInputError
from tasks.workbooks import open_rows


def _rows(file: Path, sheet: str | None = None) -> list[tuple[object, ...]]:
    with open_rows(file, sheet=sheet) as rows:
        return [row.cells for row in rows]


def test_a_merged_cell_stands_in_each_of_its_rows_and_blank_rows_keep_their_place(tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    for row in (["标题"], ["日期", "分"], ["11-20", 5], [None, 4], [], ["11-21", 3]):
        page.append(row)
    page.merge_cells("A3:A4")
    page.merge_cells("A1:B1")
    book.save(tmp_path / "a.xlsx")

    found = _rows(tmp_path / "a.xlsx")

    assert found[2:4] == [("11-20", 5), ("11-20", 4)]
    assert found[5][:2] == ("11-21", 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_is_read_whatever_wrote_it(tmp_path: Path, encoding: str, mark: str) -> None:
    (tmp_path / "a.CSV").write_text(f'工单号{mark}意见\nTK-1{mark}"很好{mark}谢谢"\n', encoding)

    assert _rows(tmp_path / "a.CSV") == [("工单号", "意见"), ("TK-1", f"很好{mark}谢谢")]


def test_what_is_no_sheet_is_said(tmp_path: Path) -> None:
    Workbook().save(tmp_path / "good.xlsx")
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04 no")
    (tmp_path / "cut.xlsx").write_bytes((tmp_path / "good.xlsx").read_bytes()[:-100])
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfa\x81")
    (tmp_path / "a.pdf").write_bytes(b"")

    for name, said in (("bad.xlsx", "no readable"), ("cut.xlsx", "no readable"), ("bad.csv", "neither in UTF-8"),
                       ("a.pdf", "no .xlsx and no .csv"), ("absent.csv", "cannot be read")):  # fmt: skip
        with pytest.raises(InvalidInputError, match=said):
            _rows(tmp_path / name)
    with pytest.raises(InvalidInputError, match="no sheet is called '答卷'; there are Sheet"):
        _rows(tmp_path / "good.xlsx", "答卷")
