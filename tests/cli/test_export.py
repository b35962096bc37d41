"""``aftercare export``: the workbook as its reader finds it, and what cannot be exported."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import Console

SHEET = ("export", "tracking-sheet")


def test_the_tracking_sheet_holds_what_was_opened(console: Console) -> None:
    opened = console.succeed("ticket", "open", "=1+1", "--name", "王丽", "--email", "w@example.com").split()[0]
    out = console.home / "sheet.xlsx"
    out.write_text("an older one")

    said = console.succeed(*SHEET, "--out", "sheet.xlsx", "--language", "en")

    assert said == "Wrote 1 ticket to sheet.xlsx.\n"
    [sheet] = load_workbook(out).worksheets
    assert [cell.value for cell in sheet["A"]] == ["Ticket", opened]
    assert out.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in console.home.iterdir() if path.name.startswith(".aftercare-")] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "sheet.csv"), "must end with .xlsx"),
        (("--out", "nowhere/sheet.xlsx"), "there is no folder nowhere"),
        (("--out", "a.xlsx", "--language", "tlh"), "--language: there are no words in 'tlh'"),
        (("--out", "a.xlsx", "--from", "2099-01-01"), "--from: lies ahead"),
        (("--out", "a.xlsx", "--from", "2026-11-02", "--to", "2026-11-01"), "--to: is before the first day"),
    ],
)
def test_what_cannot_be_exported_is_said(used: Console, arguments: tuple[str, ...], said: str) -> None:
    assert said in used.refuse(*SHEET, *arguments)
    assert not (used.home / "a.xlsx").exists()


def test_a_folder_is_never_replaced(used: Console, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").mkdir()

    assert "is a folder" in used.refuse(*SHEET, "--out", str(tmp_path / "a.xlsx"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]
