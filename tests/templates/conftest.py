"""A folder of an operator's own words, laid over ours for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from settings import get_settings
from templates.render import forget

WriteWords = Callable[[str, str], Path]


@pytest.fixture
def own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteWords]:
    """Writes one file of the operator's folder, named like ``en/labels.toml``."""
    folder = tmp_path / "words"
    folder.mkdir()
    monkeypatch.setenv("AFTERCARE_TEMPLATES", str(folder))
    get_settings.cache_clear()
    forget()

    def write(name: str, text: str) -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8"))
        forget()
        return file

    yield write
    monkeypatch.undo()
    get_settings.cache_clear()
    forget()
