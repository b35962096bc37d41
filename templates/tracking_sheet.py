"""The progress tracking sheet (S-60) as a workbook: a row per ticket, written as it is read, in one language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from templates.languages import language_for, region_name, word

# A worksheet of Excel ends at row 1,048,576, a cell at 32,767 characters.
ROWS_OF_A_SHEET = 1_000_000
_LONGEST_CELL = 32_767


class Kind(Enum):
    """What a column holds."""

    TEXT = auto()
    LABEL = auto()
    REGION = auto()
    NUMBER = auto()
    MOMENT = auto()
    KEPT = auto()


@dataclass(frozen=True)
class Column:
    """``name`` is the row's value and the header's label; ``section``: where a LABEL has its words."""

    name: str
    kind: Kind = Kind.TEXT
    width: int = 16
    section: str = ""


COLUMNS = (
    Column("number", width=14),
    Column("opened_at", Kind.MOMENT),
    Column("channel", Kind.LABEL, section="channel"),
    Column("region", Kind.REGION, width=12),
    Column("customer_name"),
    Column("customer_tier", Kind.LABEL, section="customer_tier"),
    Column("product_model"),
    Column("serial_number"),
    Column("subject", width=32),
    Column("category", Kind.LABEL, section="category"),
    Column("priority", Kind.LABEL, width=14, section="priority"),
    Column("state", Kind.LABEL, width=20, section="state"),
    Column("assignee_name"),
    Column("team_name", width=20),
    Column("tier", Kind.LABEL, section="tier"),
    Column("respond_by", Kind.MOMENT),
    Column("responded_at", Kind.MOMENT),
    Column("response_kept", Kind.KEPT, width=14),
    Column("plan_deadline", Kind.MOMENT),
    Column("last_step", width=32),
    Column("last_step_at", Kind.MOMENT),
    Column("expected_at", Kind.MOMENT),
    Column("resolve_by", Kind.MOMENT),
    Column("completed_at", Kind.MOMENT),
    Column("resolution_kept", Kind.KEPT, width=14),
    Column("times_reopened", Kind.NUMBER, width=10),
    Column("closed_at", Kind.MOMENT),
    Column("overall", Kind.NUMBER, width=10),
    Column("comment", width=32),
    Column("cause", width=24),
    Column("callback_state", Kind.LABEL, section="callback_state"),
)
_AT = {column.name: position for position, column in enumerate(COLUMNS)}


def write(
    rows: Iterable[Mapping[str, Any]],
    out: Path,
    *,
    language: str,
    time_zone: str,
    each: Callable[[], object] = lambda: None,
) -> int:
    """Write the workbook to ``out`` and return how many tickets it holds; ``each`` is called after every one.

    Moments are local to ``time_zone`` and real dates. What people wrote is always text, never a formula or a link.
    Raises OSError when it cannot be written.
    """
    options = {"constant_memory": True, "tmpdir": str(out.parent)}
    try:
        with Workbook(str(out), options) as book:
            sheet = _Sheet(book, language_for(language), ZoneInfo(time_zone))
            for row in rows:
                sheet.add(row)
                each()
            sheet.finish()
    except FileCreateError as error:
        raise OSError(str(error)) from error
    return sheet.count


def title(language: str) -> str:
    """What the sheet is called."""
    return word(language_for(language), "tracking_sheet", "title")


class _Sheet:
    """The worksheet that is written to; a new one begins where Excel's ends."""

    def __init__(self, book: Workbook, language: str, zone: ZoneInfo) -> None:
        self._book, self._language, self._zone = book, language, zone
        self._header = book.add_format(
            {"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "text_wrap": True}
        )
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._bad = book.add_format({"bg_color": "#F8CBAD", "font_color": "#7F1D1D"})
        self._good = book.add_format({"bg_color": "#E2EFDA", "font_color": "#1E4620"})
        self._urgent = book.add_format({"bold": True, "font_color": "#B00020"})
        self._words: dict[tuple[str, str], str] = {}
        self.count = 0
        self._begin()

    def add(self, row: Mapping[str, Any]) -> None:
        if self._row == ROWS_OF_A_SHEET:
            self.finish()
            self._begin()
        self._row += 1
        self.count += 1
        for position, column in enumerate(COLUMNS):
            value = row[column.name]
            if value is None:
                continue
            if column.kind is Kind.MOMENT:
                self._sheet.write_datetime(self._row, position, self._local(value), self._moment)
            elif column.kind is Kind.NUMBER:
                self._sheet.write_number(self._row, position, value)
            else:
                self._sheet.write_string(self._row, position, self._said(column, value)[:_LONGEST_CELL])

    def finish(self) -> None:
        """What a worksheet gets when its length is known: filters and colours."""
        last = max(self._row, 1)
        self._sheet.autofilter(0, 0, last, len(COLUMNS) - 1)
        for name in ("response_kept", "resolution_kept"):
            self._colour(name, last, "==", f'"{self._word("kept_no")}"', self._bad)
            self._colour(name, last, "==", f'"{self._word("kept_yes")}"', self._good)
        self._colour("priority", last, "==", f'"{word(self._language, "priority", "P1")}"', self._urgent)
        # An empty cell counts as 0 in a comparison.
        self._colour("overall", last, "between", (1, 3), self._bad)

    def _begin(self) -> None:
        count = len(self._book.worksheets())
        title = self._word("title") if count == 0 else f"{self._word('title')} {count + 1}"
        self._sheet: Worksheet = self._book.add_worksheet(title)
        self._row = 0
        self._sheet.freeze_panes(1, 1)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)
        self._sheet.repeat_rows(0)
        self._sheet.set_row(0, 30)
        for position, column in enumerate(COLUMNS):
            self._sheet.set_column(position, position, column.width)
            self._sheet.write_string(0, position, self._word(column.name), self._header)

    def _colour(self, name: str, last: int, criteria: str, value: Any, colour: Format) -> None:
        limits = {"minimum": value[0], "maximum": value[1]} if isinstance(value, tuple) else {"value": value}
        rule = {"type": "cell", "criteria": criteria, "format": colour} | limits
        self._sheet.conditional_format(1, _AT[name], last, _AT[name], rule)

    def _local(self, moment: datetime) -> datetime:
        """Spreadsheets know no time zones."""
        return moment.astimezone(self._zone).replace(tzinfo=None)

    def _said(self, column: Column, value: Any) -> str:
        match column.kind:
            case Kind.LABEL:
                return self._word(str(value), column.section)
            case Kind.REGION:
                return region_name(self._language, value)
            case Kind.KEPT:
                return self._word("kept_yes" if value else "kept_no")
            case _:
                return str(value)

    def _word(self, key: str, section: str = "tracking_sheet") -> str:
        if (section, key) not in self._words:
            self._words[section, key] = word(self._language, section, key)
        return self._words[section, key]
