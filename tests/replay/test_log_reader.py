"""Foreign logs as they are: broken quotes, marks of spreadsheets, nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.exceptions import HistoryMapError
from replay.history_map import load_map
from replay.log_reader import read_log

MAP = load_map("helpdesk_log")
HEADER = "Case ID,Activity,Resource,Complete Timestamp,customer,product,seriousness_2\n"


def _row(case: str, *, product: str = "P", minute: int = 0) -> str:
    return f"{case},Assign seriousness,V1,2012/10/09 14:{minute:02}:00.000,C,{product},Value 1\n"


def _log(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    log = folder / "log.csv"
    log.write_text(text, encoding)
    return log


@pytest.mark.parametrize("broken", ['"open', 'a"b', '"a"b', '"a\nb'])
def test_a_broken_quote_costs_its_own_line_and_no_other(tmp_path: Path, broken: str) -> None:
    text = HEADER + _row("1") + _row("2", product=broken) + _row("3", minute=1) + _row("4", minute=2)

    rows, bad = read_log(_log(tmp_path, text), MAP)

    cases = {row.case for row in rows}
    assert {"1", "3", "4"} <= cases
    if broken != 'a"b':  # a quote within a value is read as it stands
        assert cases == {"1", "3", "4"}
        assert bad[0].line == 3


def test_two_broken_quotes_far_apart_do_not_swallow_what_is_between(tmp_path: Path) -> None:
    text = HEADER + _row("1", product='"a') + "".join(_row(str(n)) for n in range(2, 30)) + _row("30", product='b"')

    rows, bad = read_log(_log(tmp_path, text), MAP)

    assert {row.case for row in rows} >= {str(n) for n in range(2, 30)}
    assert bad[0].line == 2


def test_a_value_may_run_over_lines(tmp_path: Path) -> None:
    rows, bad = read_log(_log(tmp_path, HEADER + _row("1", product='"a\nb ""c"""') + _row("2", minute=1)), MAP)

    assert [(row.case, row.product, row.line) for row in rows] == [("1", 'a\nb "c"', 3), ("2", "P", 4)]
    assert bad == []


def test_the_mark_of_a_spreadsheet_before_the_header_is_no_part_of_it(tmp_path: Path) -> None:
    rows, _ = read_log(_log(tmp_path, HEADER + _row("1"), encoding="utf-8-sig"), MAP)

    assert len(rows) == 1


@pytest.mark.parametrize(
    ("text", "said"), [("", "the log is empty"), (HEADER, "no rows"), ('"a\n', "first line is no header")]
)
def test_a_log_of_nothing_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(HistoryMapError, match=said):
        read_log(_log(tmp_path, text), MAP)
