"""How a sheet of answers on paper is read: which column says what, which words stand for what (S-51)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from domain.exceptions import InvalidInputError
from domain.satisfaction import PaperAnswer
from domain.standard import overlay

REFERENCES = ("ticket", "order", "customer")
FIELDS = (*REFERENCES, "answered_on", "staff", *PaperAnswer.model_fields)
_NEEDED = ("overall", "answered_on")


class PaperMap(BaseModel):
    """Titles of columns and meanings of words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sheet: str | None = None
    slash_dates: Literal["unclear", "day_first", "month_first"]
    columns: dict[str, list[str]]
    scores: dict[str, int]
    answers: dict[Literal["yes", "no", "nothing"], list[str]]

    @field_validator("columns", mode="before")
    @classmethod
    def _known(cls, columns: Any) -> Any:
        if not isinstance(columns, Mapping):
            return columns
        if unknown := set(columns) - set(FIELDS):
            raise ValueError(f"no such value: {', '.join(sorted(unknown))}; known are {', '.join(FIELDS)}")
        return {name: [titles] if isinstance(titles, str) else titles for name, titles in columns.items()}

    @field_validator("scores", "answers")
    @classmethod
    def _folded(cls, words: dict[str, Any]) -> dict[str, Any]:
        return {
            folded(word): [folded(each) for each in value] if isinstance(value, list) else value
            for word, value in words.items()
        }


def load_map(own: Path | None = None) -> PaperMap:
    """The default map with the operator's file over it. Raises InvalidInputError (``map``)."""
    figures: dict[str, Any] = tomllib.loads(resources.files("domain").joinpath("paper_map.toml").read_text("utf-8"))
    try:
        if own is not None:
            figures = overlay(figures, tomllib.loads(own.read_text("utf-8-sig")))
        return PaperMap.model_validate(figures)
    except OSError as error:
        raise InvalidInputError("map", f"{own} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError("map", f"{own} is not readable as TOML: {error}") from error
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"]))
        raise InvalidInputError("map", f"{own}: {place}: {found['msg'].removeprefix('Value error, ')}") from error


def places_in(cells: Sequence[Any], words: PaperMap) -> dict[str, int] | None:
    """Where each value stands, if this row holds the titles; None when it does not hold those that are needed."""
    titles: dict[str, int] = {}
    for place, cell in enumerate(cells):
        titles.setdefault(_title(cell), place)
    places = {
        name: titles[_title(title)]
        for name, known in words.columns.items()
        for title in reversed(known)  # so that the first of them wins
        if _title(title) in titles
    }
    is_header = all(name in places for name in _NEEDED) and any(name in places for name in REFERENCES)
    return places if is_header else None


def folded(value: object) -> str:
    """Full-width as half-width, without blanks, in lower case: how titles and words are compared."""
    return "".join(unicodedata.normalize("NFKC", str(value)).casefold().split())


def _title(cell: object) -> str:
    return re.sub(r"[\W_]+", "", folded("" if cell is None else cell)).removesuffix("必填")
