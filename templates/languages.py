"""This file knows which languages there are, their labels, and which of them a reader gets."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_LABELS = "labels.toml"
_LAST_RESORT = "en"


class LabelMissingError(KeyError):
    """A language has no word for a value."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the sentence in quotes


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages that exist: the folders with a ``labels.toml``, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in HERE.glob(f"*/{_LABELS}")))


@lru_cache(maxsize=256)
def language_for(language: str) -> str:
    """The language whose words a reader of ``language`` (a BCP 47 tag) gets.

    The same one, else one with the same primary subtag (``zh-TW`` reads ``zh-CN``), else English.
    """
    wanted = language.strip().replace("_", "-").casefold()
    by_tag = {known.casefold(): known for known in languages()}
    if wanted in by_tag:
        return by_tag[wanted]
    primary = wanted.partition("-")[0]
    return next((known for tag, known in by_tag.items() if tag.partition("-")[0] == primary), _LAST_RESORT)


@lru_cache(maxsize=64)
def labels(language: str) -> Mapping[str, Mapping[str, Any]]:
    """The sections of a language's ``labels.toml``; ``language`` must exist."""
    with (HERE / language / _LABELS).open("rb") as file:
        return tomllib.load(file)


def word(language: str, section: str, key: str) -> str:
    """One label. Raises LabelMissingError, which names the file and the entry to add."""
    found = labels(language).get(section, {}).get(key)
    if not isinstance(found, str):
        raise LabelMissingError(f"templates/{language}/{_LABELS} has no {key!r} in [{section}]")
    return found
