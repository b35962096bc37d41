"""The copy of a sheet of answers that goes back to who sent it: beside each row, what became of it (S-51)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from domain.paper_rows import Fate, Verdict
from domain.sheets import Row
from templates.languages import language_for, word

_LONGEST_CELL = 32_767


def said(verdict: Verdict, language: str) -> str:
    """What became of a row, in the reader's words."""
    if verdict.fate is not Fate.REFUSED:
        return word(language, "paper", verdict.fate.value)
    colon, between = word(language, "fact", "colon"), word(language, "paper", "between")
    return between.join(
        f"{word(language, 'paper_field', name)}{colon}"
        + word(language, "paper_fault", fault.kind).replace("{most}", str(fault.most))
        for name, fault in verdict.faults.items()
    )


class CheckedSheet:
    """The worksheet that is written to, each row where it stood. What people wrote is always text, never a formula."""

    def __init__(self, book: Workbook, language: str) -> None:
        self._language = language_for(language)
        self._title = word(self._language, "paper", "result")
        self._place = self._head = self._last = 0
        self._sheet = book.add_worksheet()
        self._bold = book.add_format({"bold": True, "text_wrap": True})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._bad = book.add_format({"bg_color": "#F8CBAD", "font_color": "#7F1D1D"})
        self._soft = book.add_format({"font_color": "#595959"})

    @classmethod
    @contextmanager
    def open(cls, file: Path, language: str) -> Iterator[Self]:
        """Written to ``file`` when the block ends. Raises OSError when it cannot be written."""
        options = {"constant_memory": True, "tmpdir": str(file.parent)}
        try:
            with Workbook(str(file), options) as book:
                copy = cls(book, language)
                yield copy
                copy.finish()
        except FileCreateError as error:
            raise OSError(str(error)) from error

    def add(self, row: Row, verdict: Verdict | None = None, *, is_title: bool = False) -> None:
        """Write a row with its verdict; the row of titles names the new column, or the one of an earlier copy."""
        line = self._last = row.number - 1
        if is_title:
            cells = [str(cell) for cell in row.cells if cell is not None]
            self._place = row.cells.index(self._title) if self._title in cells else _width(row)
            self._sheet.set_column(self._place, self._place, 48)
            self._sheet.freeze_panes(row.number, 0)
            self._head = line
        for place, cell in enumerate(row.cells):
            if cell is not None and not (self._place and place == self._place):
                self._write(line, place, cell, self._bold if is_title else None)
        if is_title:
            self._sheet.write_string(line, self._place, self._title, self._bold)
        elif verdict is not None:
            colour = self._bad if verdict.fate is Fate.REFUSED else self._soft
            self._sheet.write_string(line, self._place, said(verdict, self._language)[:_LONGEST_CELL], colour)

    def finish(self) -> None:
        """Let the reader filter by what became of the rows."""
        if self._place:
            self._sheet.autofilter(self._head, 0, max(self._last, self._head), self._place)

    def _write(self, line: int, place: int, cell: Any, style: Any) -> None:
        if isinstance(cell, datetime | date):
            self._sheet.write_datetime(line, place, cell, self._day)
        elif isinstance(cell, bool):
            self._sheet.write_boolean(line, place, cell)
        elif isinstance(cell, int | float):
            self._sheet.write_number(line, place, cell)
        else:
            self._sheet.write_string(line, place, str(cell)[:_LONGEST_CELL], style)


def _width(row: Row) -> int:
    return max(place for place, cell in enumerate(row.cells) if cell is not None) + 1
