"""How anything reaches the terminal: literally. What people wrote is text, never markup and never a control code."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Nobody reads a pipe with a ruler: there a table is as wide as its longest row.
_WIDE = 20_000
_NARROWEST = 7
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# An address of a page, a word, blanks, or a character of a script without blanks with the stops that follow it.
_PIECES = re.compile(r"https?://[!-~]+|[!-~\u00a1-\u2017\u2030-\u205f]+|[ \t]+|.[、。，；：！？）】》”’]*", re.DOTALL)


def clean(text: object, *, lines: bool = False) -> str:
    """The text without anything a terminal would obey; with ``lines`` its line breaks and tabs stay."""

    def visible(match: re.Match[str]) -> str:
        character = match[0]
        if character in "\n\t":
            return character if lines else {"\n": " ⏎ ", "\t": " "}[character]
        if ord(character) < 0x20:
            return chr(0x2400 + ord(character))
        return "␡" if character == "\x7f" else "\ufffd"

    return _CONTROL.sub(visible, str(text).replace("\r\n", "\n"))


def fold(text: str, width: int) -> Iterator[str]:
    """The text in lines of at most ``width`` cells; addresses of pages stay whole, no line ends in a blank."""
    for paragraph in clean(text, lines=True).expandtabs().splitlines():
        line = ""
        for piece in _PIECES.findall(paragraph):
            if line.strip() and cell_len(line) + cell_len(piece.rstrip()) > width:
                yield line.rstrip()
                line = ""
            if line or not piece.isspace():
                line += piece
        yield line.rstrip()


class Screen(Console):
    """The console of every command; a pipe gets no line that is cut."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)
        if not self.is_terminal:
            self.width = _WIDE

    def say(self, *parts: str | tuple[str, str], lines: bool = False) -> None:
        """One line; a part with a style is a pair. With ``lines`` the text keeps its own line breaks."""
        pairs = ((part, "") if isinstance(part, str) else part for part in parts)
        self.print(Text.assemble(*((clean(text, lines=lines), style) for text, style in pairs)))

    def show(self, grid: Grid, *, otherwise: str = "") -> None:
        """A table, or the sentence ``otherwise`` when it is empty.

        Where the terminal is narrower than what must stay whole, it wraps the lines and nothing is cut.
        """
        if otherwise and not grid.row_count:
            self.say(otherwise)
            return
        before, self.width = self.width, max(self.width, grid.fit())
        self.print(grid, soft_wrap=False, crop=False)
        self.width = before


class Grid(Table):
    """A table of literal values; the columns ``whole`` hold what is copied: numbers, addresses, names of commands."""

    def __init__(self, *headers: str, whole: Collection[str] = (), title: str | None = None) -> None:
        super().__init__(title=Text(title) if title else None)
        self._widest: list[int] = []
        self._whole = frozenset(headers) & frozenset(whole)
        for header in headers:
            self.add_column(Text(header), overflow="fold", no_wrap=header in self._whole)
            self._widest.append(cell_len(header))
        self._headers = headers

    def row(self, *values: Any) -> None:
        """Add a row; a Text keeps its style, everything else is shown as it is."""
        cells = [value if isinstance(value, Text) else Text(clean(value)) for value in values]
        self._widest = [max(known, cell.cell_len) for known, cell in zip(self._widest, cells, strict=True)]
        self.add_row(*cells)

    def fit(self) -> int:
        """Keep the whole columns whole; returns the least width that the table then needs."""
        needed = 1
        for header, column, widest in zip(self._headers, self.columns, self._widest, strict=True):
            least = widest if header in self._whole else min(widest, _NARROWEST)
            column.min_width = least
            needed += least + 3
        return needed


def humanly(value: object) -> str:
    """A value of a payload as a person would write it down: no braces, no quotes."""
    match value:
        case dict():
            return ", ".join(f"{str(name).replace('_', ' ')}: {humanly(inner)}" for name, inner in value.items())
        case list() | tuple():
            return "; ".join(humanly(inner) for inner in value)
        case bool():
            return "yes" if value else "no"
        case None:
            return "-"
        case _:
            return str(value)
