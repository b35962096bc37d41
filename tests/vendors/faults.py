"""Which request goes wrong, and how: on order for the next ones, or by chance with a seed."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TARGETS = ("twilio.send", "twilio.lookup", "sendgrid.send", "sendgrid.lookup")
# "before" and "after" say whether the vendor has stored the message when it goes wrong.
KINDS = frozenset(
    {
        "429",
        "503_before",
        "503_after",
        "502_html",
        "drop_before",
        "drop_after",
        "hang_before",
        "hang_after",
        "garbled_after",
        "empty_after",
        "refuse",
    }
)


@dataclass(frozen=True)
class Fault:
    """One kind of going wrong; ``refuse`` answers with ``status`` and ``body`` and stores nothing."""

    kind: str
    status: int = 400
    body: str = ""
    wait: int = 1  # seconds that a 429 of SendGrid asks for

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind}; there are {', '.join(sorted(KINDS))}")


class Faults:
    """Decides for each request; what is ordered goes before chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._ordered: dict[str, deque[Fault]] = {target: deque() for target in TARGETS}
        self.chances: dict[str, dict[str, float]] = {target: {} for target in TARGETS}
        self.counts: Counter[str] = Counter()

    def order(self, target: str, fault: Fault, times: int) -> None:
        """Let the next ``times`` requests to a target go wrong in that way."""
        self._ordered[target].extend([fault] * times)

    def set_chances(self, chances: Mapping[str, Mapping[str, float]]) -> None:
        """Replace the chances of the named targets."""
        for target, kinds in chances.items():
            for kind in kinds:
                Fault(kind)
            self.chances[target] = dict(kinds)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        for target in TARGETS:
            self._ordered[target].clear()
            self.chances[target] = {}

    def draw(self, target: str) -> Fault | None:
        """What happens to this request; None: nothing."""
        if self._ordered[target]:
            fault: Fault | None = self._ordered[target].popleft()
        else:
            fault = self._by_chance(target)
        if fault is not None:
            self.counts[f"{target} {fault.kind}"] += 1
        return fault

    def _by_chance(self, target: str) -> Fault | None:
        if not self.chances[target]:
            return None
        drawn = self._random.random()
        for kind, chance in self.chances[target].items():
            drawn -= chance
            if drawn < 0:
                return Fault(kind)
        return None

    def state(self) -> dict[str, Any]:
        """What is set and what has happened."""
        ordered = {target: [fault.kind for fault in waiting] for target, waiting in self._ordered.items() if waiting}
        return {"chances": self.chances, "ordered": ordered, "counts": dict(self.counts)}
