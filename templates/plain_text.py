"""This file makes plain text: the text part of an e-mail from its HTML, an SMS and a subject on one safe line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from html2text import HTML2Text

# One of these in an English SMS turns all of it to UCS-2 and doubles its price.
_TO_GSM = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "…": "...", "•": "-", "·": "-"}
    | dict.fromkeys("\u00a0\u2007\u2009\u202f", " ")
)
# They reorder what is shown: with one in a name, a subject can be made to read as something else.
_BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_NO_BIDI = str.maketrans("", "", _BIDI_CONTROLS)
# Where Chinese ends a sentence at a line's end, joining the lines needs no space.
_AFTER_FULL_STOP = re.compile(r"(?<=[。，；：！？】）])\s*\n\s*")

# A person's words that end with a mark of their own need no full stop from the template.
_SECOND_FULL_STOP = re.compile(r"(?<=[…？！?!])[.。]")


def one_line(text: str) -> str:
    """The text on one line, without control characters: no CR, no LF, nothing that could start another header."""
    joined = " ".join(_AFTER_FULL_STOP.sub("", text).split()).translate(_NO_BIDI)
    joined = _SECOND_FULL_STOP.sub("", joined)
    return "".join(char for char in joined if unicodedata.category(char) != "Cc")


def gsm_friendly(text: str) -> str:
    """The text with typographic characters replaced by those every phone network has for one septet."""
    return text.replace("°C", "C").replace("°F", "F").translate(_TO_GSM)


class _Letter(HTML2Text):
    """HTML to a letter: layout tables vanish, data tables are aligned, links stand behind their words.

    Comments ``<!--visual only-->`` and ``<!--/visual only-->`` enclose what only the eye needs.
    """

    def __init__(self) -> None:
        super().__init__(bodywidth=0)
        self.ignore_emphasis = True
        self.ignore_links = True
        self.unicode_snob = True
        self.ul_item_mark = "-"
        self._tables: list[bool] = []  # for each open table: does it hold data?
        self._rows: list[list[str]] = []
        self._outside: list[str] = []  # what was written before the cell that is being read
        self._href: str | None = None

    def handle_comment(self, data: str) -> None:
        match data:
            case "visual only":
                self.quiet += 1
            case "/visual only":
                self.quiet -= 1

    def handle_data(self, data: str, entity_char: bool = False) -> None:  # noqa: ARG002 - the parent's signature
        # True: no Markdown escapes; this text is read as it is.
        super().handle_data(data, True)

    def handle_tag(self, tag: str, attrs: dict[str, str | None], start: bool) -> None:
        if tag in {"table", "tr", "td", "th"}:
            if tag == "table":
                self._table(attrs, start)
            elif self._tables[-1]:
                self._data(tag, start)
            else:
                self._layout(tag, start)
        elif tag in {"h1", "h2", "h3"}:
            self.p()
        elif tag == "br":
            self._line_break()
        elif tag == "a":
            self._link(attrs, start)
        else:
            super().handle_tag(tag, attrs, start)

    def _line_break(self) -> None:
        if self._tables and self._tables[-1]:
            self.o("; ")  # a table's row is one line
        else:
            self.pbr()

    def _link(self, attrs: dict[str, str | None], start: bool) -> None:
        if start:
            self._href = attrs.get("href")
        elif self._href:
            self.o(f": {self._href}")

    def _table(self, attrs: dict[str, str | None], start: bool) -> None:
        self.p()
        if start:
            self._tables.append(attrs.get("role") != "presentation")
            self._rows = []
        elif self._tables.pop():
            self.o("\n".join(_aligned(self._rows)))
            self.p()

    def _data(self, tag: str, start: bool) -> None:
        if tag == "tr":
            if start:
                self._rows.append([])
        elif start:
            self.outtextlist, self._outside = [], self.outtextlist
            self.start = True
        else:
            self.outtextlist, written = self._outside, self.outtextlist
            self._rows[-1].append(" ".join("".join(written).split()))
            self.p_p = 2

    def _layout(self, tag: str, start: bool) -> None:
        if tag == "tr":
            self.pbr()
        elif tag == "th" and not start:
            self.o(": ")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    columns = max(map(len, rows), default=0)
    widths = [max((_width(row[i]) for row in rows if i < len(row)), default=0) for i in range(columns)]
    lines = ["  ".join(text + " " * (widths[i] - _width(text)) for i, text in enumerate(row)) for row in rows]
    return [line.rstrip() for line in lines]


def letter(html: str) -> str:
    """The text part of an e-mail's HTML: readable as it is, every link behind its words, ends with a line break."""
    text = _Letter().handle(html)
    text = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
