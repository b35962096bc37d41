"""This file reads spreadsheets that people send, row by row: workbooks and CSV, whatever wrote them."""

from __future__ import annotations

import csv
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from domain.exceptions import InvalidInputError
from domain.sheets import Row

_MOST_COLUMNS = 200
_PIECE = 1 << 20
_MOST_HELD = 64 << 20
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
_LONGEST_MERGED = 200


@contextmanager
def open_rows(file: Path, *, sheet: str | None = None) -> Iterator[Iterator[Row]]:
    """The rows of a workbook's sheet (none named: its first) or of a CSV file, without holding them all.

    Cells are text, numbers, flags, dates or None, rows as long as they are filled; a merged cell's value stands in each
    row that it spans. Raises InvalidInputError (``file`` or ``sheet``), at the latest while the rows are read.
    """
    try:
        if file.suffix.lower() in (".xlsx", ".xlsm"):
            with _workbook(file, sheet) as rows:
                yield rows
        elif file.suffix.lower() == ".csv":
            with file.open(encoding=_encoding(file), newline="") as text:
                yield _csv_rows(text)
        else:
            raise InvalidInputError("file", "is no .xlsx and no .csv")
    except OSError as error:
        raise InvalidInputError("file", f"cannot be read: {error.strerror or error}") from error
    except csv.Error as error:
        raise InvalidInputError("file", f"is no readable CSV: {error}") from error


@contextmanager
def _workbook(file: Path, sheet: str | None) -> Iterator[Iterator[Row]]:
    from openpyxl import load_workbook

    _require_small(file)
    warnings.filterwarnings("ignore", module="openpyxl")  # of styles and extensions, which we do not read
    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except OSError:
        raise
    except Exception as error:  # whatever a broken or hostile file makes of the library
        raise InvalidInputError("file", "is no readable workbook") from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise InvalidInputError("sheet", f"no sheet is called {sheet!r}; there are {', '.join(book.sheetnames)}")
        if not book.worksheets:
            raise InvalidInputError("file", "has no sheet with rows")
        page = book[sheet] if sheet is not None else book.worksheets[0]
        yield _workbook_rows(page, _merged(file, page._worksheet_path))
    finally:
        book.close()


def _require_small(file: Path) -> None:
    """Raise InvalidInputError when more would be unpacked than is read row by row: that is held in memory."""
    try:
        with zipfile.ZipFile(file) as archive:
            held = sum(part.file_size for part in archive.infolist() if "worksheets/" not in part.filename)
    except zipfile.BadZipFile:
        raise InvalidInputError("file", "is no readable workbook") from None
    if held > _MOST_HELD:
        raise InvalidInputError("file", "holds too many texts or pictures; save the sheet as CSV")


def _workbook_rows(page: Any, merged: Mapping[tuple[int, int], int]) -> Iterator[Row]:
    from openpyxl.utils.exceptions import InvalidFileException

    page.reset_dimensions()  # some programs write wrong ones
    spanning: dict[int, tuple[int, Any]] = {}  # by column: until which row, and what
    try:
        for number, found in enumerate(page.iter_rows(values_only=True), 1):
            cells = list(found[:_MOST_COLUMNS])
            for column, (last, value) in spanning.items():
                if number <= last:
                    cells += [None] * (column + 1 - len(cells))
                    cells[column] = value
            yield Row(number, tuple(cells))
            spanning |= {
                column: (merged[number, column], value)
                for column, value in enumerate(cells)
                if (number, column) in merged
            }
    except (zipfile.BadZipFile, SyntaxError, ValueError, KeyError, InvalidFileException) as error:
        raise InvalidInputError("file", "is a workbook that breaks off") from error


def _merged(file: Path, part: str) -> dict[tuple[int, int], int]:
    """The cells that span several rows: from row and column (from 0) to their last row.

    They are listed after all rows; the reader that needs little memory leaves them out.
    """
    from openpyxl.utils.cell import range_boundaries

    found: dict[tuple[int, int], int] = {}
    with zipfile.ZipFile(file) as archive, archive.open(part) as xml:
        rest = b""
        while piece := xml.read(_PIECE):
            piece = rest + piece
            for match in _MERGED.finditer(piece):
                left, top, _, bottom = range_boundaries(match[1].decode())
                if bottom > top:
                    found[top, left - 1] = bottom
            rest = piece[-_LONGEST_MERGED:]
    return found


def _csv_rows(text: Any) -> Iterator[Row]:
    first = text.read(8192)
    text.seek(0)
    counts = {mark: first.count(mark) for mark in (",", ";", "\t")}
    delimiter = max(counts, key=lambda mark: counts[mark])
    for number, cells in enumerate(csv.reader(text, delimiter=delimiter), 1):
        yield Row(number, tuple(cell or None for cell in cells[:_MOST_COLUMNS]))


def _encoding(file: Path) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else GB18030, which holds GBK. Raises InvalidInputError."""
    with file.open("rb") as raw:
        if raw.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with file.open(encoding=encoding, newline="") as text:
                while text.read(_PIECE):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise InvalidInputError("file", "is written neither in UTF-8 nor in GBK; save it as UTF-8")
