"""An answer on paper, as a row of a sheet: its cells cleaned, or what is wrong with each (S-51)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from domain.faults import Fault, fault_of
from domain.paper_map import FIELDS, REFERENCES, PaperMap, folded
from domain.satisfaction import DIMENSIONS, STAGES, PaperAnswer

# Excel counts days from here; what it wrote as a bare number of this size is a day between 1954 and 2119.
_FIRST_DAY = date(1899, 12, 30)
_SERIALS = range(20_000, 80_000)
_SCORE = re.compile(r"([1-5一二三四五])(?:\.0+)?(?:分|星|颗星|/5|points?|stars?)?")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ].*)?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_IN_WORDS = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%Y%m%d")


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One customer's answer, cleaned; of the references at least one is not empty. ``staff``: a number or address."""

    ticket: str
    order: str
    customer: str
    answered_on: date
    staff: str
    answer: PaperAnswer

    @property
    def reference(self) -> str:
        """By which of the references the ticket is found: the most exact one that is given."""
        return next(name for name in REFERENCES if getattr(self, name))


class Fate(StrEnum):
    """What becomes of a row; a repeated one was counted already, from this sheet or an earlier import."""

    TAKEN = "taken"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row's fate; faults are there when it is refused, by value."""

    fate: Fate
    faults: Mapping[str, Fault] = field(default_factory=dict)


def refused(**faults: str) -> Verdict:
    """The verdict on a row that cannot be used, by the kind of each fault."""
    return Verdict(Fate.REFUSED, {name: Fault(kind) for name, kind in faults.items()})


def read_row(
    cells: Sequence[Any], places: Mapping[str, int], words: PaperMap, *, today: date
) -> PaperRow | dict[str, Fault]:
    """The row's answer, or what is wrong with each value that cannot be used."""
    faults: dict[str, Fault] = {}
    values: dict[str, Any] = {}
    for name, place in places.items():
        try:
            values[name] = _READERS[name](cells[place] if place < len(cells) else None, words)
        except _UnreadableError as error:
            faults[name] = Fault(error.kind)
    answered_on = values.get("answered_on")
    if answered_on is None:
        faults.setdefault("answered_on", Fault("missing"))
    elif answered_on > today:
        faults["answered_on"] = Fault("ahead")
    references = {name: values.get(name, "") for name in REFERENCES}
    if not any(references.values()):
        faults[next(name for name in REFERENCES if name in places)] = Fault("missing")
    said = {name: value for name, value in values.items() if name in PaperAnswer.model_fields and value is not None}
    try:
        answer = PaperAnswer.model_validate(said)
    except ValidationError as error:
        return {str(f["loc"][0]): fault_of(f, otherwise="missing") for f in error.errors()} | faults
    if faults or answered_on is None:
        return faults
    return PaperRow(**references, answered_on=answered_on, staff=values.get("staff", ""), answer=answer)


class _UnreadableError(Exception):
    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def _words(value: Any, words: PaperMap) -> str:
    """What was written, a number without the fraction that spreadsheets give it; empty for a dash and its like."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return "" if folded(text) in words.answers["nothing"] else text


def _score(value: Any, words: PaperMap) -> int | None:
    text = folded(_words(value, words))
    if not text:
        return None
    match = _SCORE.fullmatch(text)
    score = words.scores.get(match[1] if match else text)
    if score is not None:
        return score
    if match is None:
        raise _UnreadableError("no_score")
    return int(match[1])


def _flag(value: Any, words: PaperMap) -> bool | None:
    text = folded(_words(value, words))
    if not text:
        return None
    for word, meaning in (("yes", True), ("no", False)):
        if text in words.answers[word]:  # type: ignore[index]
            return meaning
    raise _UnreadableError("no_flag")


def _day(value: Any, words: PaperMap) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = unicodedata.normalize("NFKC", _words(value, words)).strip()
    if not text:
        return None
    if re.fullmatch(r"\d{5}(?:\.\d+)?", text) and int(float(text)) in _SERIALS:
        return _FIRST_DAY + timedelta(days=int(float(text)))
    try:
        if match := _YEAR_FIRST.fullmatch(text):
            return date(*map(int, match.groups()))
        if match := _YEAR_LAST.fullmatch(text):
            return _year_last(int(match[1]), int(match[3]), int(match[4]), mark=match[2], rule=words.slash_dates)
    except ValueError:
        raise _UnreadableError("no_day") from None
    for form in _IN_WORDS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    raise _UnreadableError("no_day")


def _year_last(first: int, second: int, year: int, *, mark: str, rule: str) -> date:
    """``24.11.2026`` is written where days come first; with a slash both ways are usual."""
    if mark == "." or rule == "day_first" or first > 12:
        return date(year, second, first)
    if rule == "month_first" or second > 12 or first == second:
        return date(year, first, second)
    raise _UnreadableError("unclear_day")


_READERS: Mapping[str, Callable[[Any, PaperMap], Any]] = {
    **dict.fromkeys(FIELDS, _words),
    "answered_on": _day,
    **dict.fromkeys((*DIMENSIONS, *STAGES), _score),
    **dict.fromkeys(("solved_in_one_visit", "called_afterwards"), _flag),
}
