"""``aftercare feedback``: a sheet of answers on paper goes in, and comes back with what became of each row."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from openpyxl import Workbook, load_workbook

from clock import utc_now
from db.session import transaction
from domain.lifecycle import TicketState
from domain.standard import load_standard
from domain.tickets import ticket_number
from tests.cli.conftest import SUPERVISOR, Console
from tests.conftest import read_cast
from tests.desk import Desk


def _ticket(console: Console) -> str:
    with transaction(console.database) as connection:
        desk = Desk(connection, load_standard(), utc_now(), read_cast(connection).supervisor)
        return ticket_number(desk.bring_to(TicketState.COMPLETED))


def _sheet(file: Path, rows: list[list[object]]) -> None:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cell in book.active["D"]:
        cell.data_type = "s"  # what begins with = is no formula there, but what somebody wrote
    book.save(file)


def test_a_sheet_is_previewed_taken_and_given_back(console: Console) -> None:
    number, today = _ticket(console), utc_now().astimezone(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)
    file = console.home / "answers.xlsx"
    rows = [["满意度调查表"], ["工单号", "日期", "整体体验", "意见和建议", "房间"]]
    rows += [[number, today, "非常满意", "=cmd()", 1], [number, today.date(), 5, "=cmd()", 1]]
    _sheet(file, [*rows, [], ["TK-99999999", "昨天", 9, None, None]])
    do = ("feedback", "import", "answers.xlsx", "--as", SUPERVISOR)

    preview = console.succeed(*do, "--dry-run")
    first = console.succeed(*do, "--language", "en")
    file.rename(console.home / "renamed.xlsx")
    days = ("--from", str(today.date()), "--to", str(today.date()))
    report = console.succeed("feedback", "report", *days, "--language", "en")
    second = console.succeed("feedback", "import", "renamed.xlsx", "--as", SUPERVISOR)

    assert "1 would be taken, 1 repeated, 1 refused" in preview
    assert "Not read: 房间" in preview
    assert "1 taken, 1 repeated, 1 refused; answers.checked.xlsx says why." in first
    assert "is no date" in first
    assert "answers 1, before 0" in report
    assert "n = 1: too few to say" in report
    assert "0 taken, 2 repeated, 1 refused" in second
    page = load_workbook(console.home / "answers.checked.xlsx").active
    results = [page.cell(row, 6).value for row in (2, 3, 4, 6)]
    assert results[:3] == ["Result", "Imported", "Repeated, counted once"]
    assert "Overall experience: is no score from 1 to 5" in str(results[3])
    assert (page["D3"].value, page["D3"].data_type) == ("=cmd()", "s")
    assert "导入结果" in [cell.value for cell in load_workbook(console.home / "renamed.checked.xlsx").active[2]]


def test_a_sheet_that_cannot_be_read_is_said(used: Console) -> None:
    (used.home / "a.csv").write_text("name,score\nx,1\n", "utf-8")
    do = ("feedback", "import")

    assert "titles found are: name, score" in used.refuse(*do, "a.csv", "--as", SUPERVISOR)
    assert "is no .xlsx and no .csv" in used.refuse(*do, "a.pdf", "--as", SUPERVISOR)
    assert "is not for the role 'engineer'" in used.refuse(*do, "a.csv", "--as", "zhang.wei@aftercare.example")
    assert "must be a new *.xlsx" in used.refuse(*do, "a.csv", "--as", SUPERVISOR, "--checked", "a.csv")
    assert "--map: absent.toml cannot be read" in used.refuse(*do, "a.csv", "--as", SUPERVISOR, "--map", "absent.toml")
    assert not list(used.home.glob("*.checked.xlsx"))
