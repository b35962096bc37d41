"""This file knows where the words lie, which languages there are, their labels, and which of them a reader gets."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from settings import SettingsError, get_settings

HERE = Path(__file__).parent
LABELS = "labels.toml"
_LAST_RESORT = "en"


class LabelMissingError(KeyError):
    """A language has no word for a value."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the sentence in quotes


class LabelsUnreadableError(ValueError):
    """A ``labels.toml`` cannot be read; the text names file and line."""


@lru_cache(maxsize=1)
def folders() -> tuple[Path, ...]:
    """Where words are looked for, in this order: the operator's own folder if there is one, then ours.

    Raises SettingsError when AFTERCARE_TEMPLATES names no folder.
    """
    own = get_settings().templates
    if own is None:
        return (HERE,)
    if not own.is_dir():
        raise SettingsError(f"AFTERCARE_TEMPLATES: {own} is no folder; mend it or remove the variable")
    return (own.absolute(), HERE)


def located(name: str) -> Path:
    """The file that counts as ``name`` (``en/labels.toml``): the operator's, else ours.

    Where neither exists, the file that would have to be written: in the folder that holds its language.
    """
    found = [folder / name for folder in folders() if (folder / name).is_file()]
    homes = [folder / name for folder in reversed(folders()) if (folder / name.partition("/")[0] / LABELS).is_file()]
    return next(iter([*found, *homes, HERE / name]))


def shown(file: Path) -> str:
    """How an error names a file of words: ``templates/…`` is ours, a whole path is the operator's."""
    return f"templates/{file.relative_to(HERE).as_posix()}" if file.is_relative_to(HERE) else str(file)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages that exist: the folders with a ``labels.toml``, the operator's and ours, in alphabetical order."""
    return tuple(sorted({path.parent.name for folder in folders() for path in folder.glob(f"*/{LABELS}")}))


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
    """The sections of a language's ``labels.toml``, the operator's entries over ours; ``language`` must exist.

    Nothing is borrowed from another language. Raises LabelsUnreadableError.
    """
    sections: dict[str, dict[str, Any]] = {}
    for folder in reversed(folders()):
        file = folder / language / LABELS
        if file.is_file():
            for section, entries in read_labels(file).items():
                sections.setdefault(section, {}).update(entries)
    return sections


def read_labels(file: Path) -> Mapping[str, Mapping[str, Any]]:
    """One ``labels.toml`` as it is. Raises LabelsUnreadableError."""
    try:
        sections = tomllib.loads(file.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise LabelsUnreadableError(f"{shown(file)}: not written in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        line = f":{place[1]}" if place else ""
        raise LabelsUnreadableError(f"{shown(file)}{line}: {str(error).partition(' (at ')[0]}") from error
    stray = next((name for name, entries in sections.items() if not isinstance(entries, dict)), None)
    if stray is not None:
        raise LabelsUnreadableError(f"{shown(file)}: {stray!r} stands in no [section]")
    return sections


def label_file(language: str, section: str, key: str) -> str:
    """How an error names the file an entry comes from, or where it is missing, the file to add it to."""
    files = [file for folder in folders() if (file := folder / language / LABELS).is_file()]
    having = (file for file in files if key in read_labels(file).get(section, {}))
    return shown(next(having, located(f"{language}/{LABELS}")))


def entry(language: str, section: str, key: str) -> Any:
    """One entry of the labels. Raises LabelMissingError, which names the file and the entry to add."""
    found = labels(language).get(section, {}).get(key)
    if found is None:
        raise LabelMissingError(f"{label_file(language, section, key)} has no {key!r} in [{section}]")
    return found


def word(language: str, section: str, key: str) -> str:
    """One label. Raises LabelMissingError, which names the file and the entry to add."""
    found = entry(language, section, key)
    if not isinstance(found, str):
        raise LabelMissingError(f"{label_file(language, section, key)} has no text for {key!r} in [{section}]")
    return found


def switches() -> dict[str, str]:
    """What leads from a page to each language: its name as its readers write it, by tag."""
    return {tag: word(tag, "language", "switch") for tag in languages()}


def forget() -> None:
    """Look again at settings, folders and labels; for tests and after words were changed on disk."""
    for remembered in (folders, languages, language_for, labels):
        remembered.cache_clear()


def region_name(language: str, region: str) -> str:
    """A region in the reader's language; a name that the operator gave is shown as it is."""
    try:
        return word(language, "region", region)
    except LabelMissingError:
        return region
