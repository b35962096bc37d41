"""A row of a spreadsheet, whatever wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the spreadsheet counts it, from 1."""

    number: int
    cells: tuple[Any, ...]

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it."""
        return all(cell is None or not str(cell).strip() for cell in self.cells)
