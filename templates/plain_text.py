"""This file makes plain text: the text part of an e-mail from its HTML, an SMS and a subject on one safe line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from html.parser import HTMLParser

# One of these in an English SMS turns all of it to UCS-2 and doubles its price.
_TO_GSM = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "…": "...", "•": "-", "·": "-"}
    | dict.fromkeys("\u00a0\u2007\u2009\u202f", " ")
)
# They reorder what is shown: with one in a name, a subject can be made to read as something else.
_BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_NO_BIDI = str.maketrans("", "", _BIDI_CONTROLS)
_CONTROLS = "".join(
    char for char in map(chr, range(0xA0)) if unicodedata.category(char) == "Cc" and char not in "\t\n\r"
)
# Looking costs a tenth of translating, and next to nothing that is shown has one.
_HARMFUL = re.compile(f"[{_BIDI_CONTROLS}{_CONTROLS}]")
_HARMLESS = str.maketrans("", "", _BIDI_CONTROLS + _CONTROLS)
# Where Chinese ends a sentence at a line's end, joining the lines needs no space.
_AFTER_FULL_STOP = re.compile(r"(?<=[。，；：！？】）])\s*\n\s*")

# A person's words that end with a mark of their own need no full stop from the template.
_SECOND_FULL_STOP = re.compile(r"(?<=[…？！?!])[.。]")


def harmless(value: object) -> object:
    """What a template shows, as it may be shown: text without control characters, and in the order it is written."""
    return value.translate(_HARMLESS) if isinstance(value, str) and _HARMFUL.search(value) else value


def one_line(text: str) -> str:
    """The text on one line, without control characters: no CR, no LF, nothing that could start another header."""
    joined = " ".join(_AFTER_FULL_STOP.sub("", text).split()).translate(_NO_BIDI)
    joined = _SECOND_FULL_STOP.sub("", joined)
    return "".join(char for char in joined if unicodedata.category(char) != "Cc")


def gsm_friendly(text: str) -> str:
    """The text with typographic characters replaced by those every phone network has for one septet."""
    return text.replace("°C", "C").replace("°F", "F").translate(_TO_GSM)


_UNSEEN = frozenset({"head", "style", "script", "title"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "ul", "ol", "div", "blockquote"})


class _Letter(HTMLParser):
    """HTML to a letter: layout tables vanish, data tables are aligned, links stand behind their words.

    Comments ``<!--visual only-->`` and ``<!--/visual only-->`` enclose what only the eye needs.
    """

    def __init__(self, colon: str) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self._breaks = 0  # line breaks owed before the next word
        self._quiet = 0
        self._tables: list[bool] = []  # for each open table: does it hold data?
        self._rows: list[list[str]] = []
        self._outside: list[str] = []  # what was written before the cell that is being read
        self._href: str | None = None
        self._colon = colon
        self._numbers: list[int | None] = []  # for each open list: the last number, None where there are none

    def handle_comment(self, data: str) -> None:
        """Stop or go on writing."""
        self._quiet += {"visual only": 1, "/visual only": -1}.get(data, 0)

    def handle_data(self, data: str) -> None:
        """Words; white space is folded as a browser does."""
        if not self._quiet:
            self._write(re.sub(r"[ \t\r\n]+", " ", data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What a tag begins."""
        values = dict(attrs)
        if tag in _UNSEEN:
            self._quiet += 1
        elif tag in _PARAGRAPHS:
            self._break(2 if not self._numbers else 1)
            if tag in {"ul", "ol"}:
                self._numbers.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "br":
            self._write("; ") if self._in_data else self._break(1)
        elif tag == "a":
            # A figure is not worth the address of its list beside it: a table of figures would be none.
            self._href = None if values.get("class") == "figure" else values.get("href")
        elif tag == "table":
            self._break(2)
            self._tables.append(values.get("role") != "presentation")
            self._rows = []
        elif tag == "tr":
            self._rows.append([])
            self._break(0 if self._in_data else 1)
        elif tag in {"td", "th"} and self._in_data:
            self.written, self._outside, self._breaks = [], self.written, 0

    def handle_endtag(self, tag: str) -> None:
        """What a tag ends."""
        if tag in _UNSEEN:
            self._quiet -= 1
        elif tag in _PARAGRAPHS:
            if tag in {"ul", "ol"}:
                self._numbers.pop()
            self._break(2 if not self._numbers else 1)
        elif tag == "a" and self._href:
            self._write(f"{self._colon}{self._href}")
            self._href = None
        elif tag == "table":
            if self._tables.pop():
                self._write("\n".join(_aligned(self._rows)))
            self._break(2)
        elif tag in {"td", "th"} and self._in_data:
            self.written, cell = self._outside, self.written
            self._rows[-1].append(" ".join("".join(cell).split()))
            self._breaks = 2
        elif tag == "th":
            self._write(self._colon)

    @property
    def _in_data(self) -> bool:
        return bool(self._tables) and self._tables[-1]

    def _item(self) -> None:
        self._break(1)
        number = self._numbers[-1] if self._numbers else None
        if number is not None:
            self._numbers[-1] = number + 1
        self._write(f"  {number + 1}. " if number is not None else "  - ")

    def _break(self, lines: int) -> None:
        if self.written:
            self._breaks = max(self._breaks, lines)

    def _write(self, text: str) -> None:
        if self._quiet:
            return
        if self._breaks or not self.written or self.written[-1].endswith((" ", "\n")):
            text = text if text.startswith("  ") else text.lstrip(" ")
        if text:
            self.written.append("\n" * self._breaks + text)
            self._breaks = 0


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    columns = max(map(len, rows), default=0)
    widths = [max((_width(row[i]) for row in rows if i < len(row)), default=0) for i in range(columns)]
    lines = ["  ".join(text + " " * (widths[i] - _width(text)) for i, text in enumerate(row)) for row in rows]
    return [line.rstrip() for line in lines]


def letter(html: str, *, colon: str = ": ") -> str:
    """The text part of an e-mail's HTML: readable as it is, every link behind its words, ends with a line break."""
    reader = _Letter(colon)
    reader.feed(html)
    reader.close()
    text = "".join(reader.written)
    text = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
