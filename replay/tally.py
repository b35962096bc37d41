"""What became of the rows of a log, counted while it is played."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What became of each row: the three sum to the rows read."""

    rows_read: int = 0
    applied: int = 0
    repaired: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_lines: list[tuple[int, str]] = field(default_factory=list)

    def reject(self, line: int, why: str, *, kind: str | None = None) -> None:
        """Note a row that could not be used; ``kind`` counts it together with others, else its reason does."""
        self.rejected[kind or why] += 1
        self.rejected_lines.append((line, why))

    @property
    def is_complete(self) -> bool:
        """True when every row read is accounted for."""
        return self.rows_read == self.applied + self.repaired.total() + self.rejected.total()
