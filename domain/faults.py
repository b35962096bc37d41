"""What is wrong with a field of a form, for words in the reader's language (the labels' sections of faults)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one field; ``most`` is what the field takes, where that is the fault."""

    kind: str
    most: int | None = None


_KINDS = {
    "string_too_short": "missing",
    "too_short": "missing",
    "string_too_long": "too_long",
    "too_long": "too_many",
    "string_pattern_mismatch": "unreadable",
    "string_unicode": "unreadable",
    "greater_than_equal": "no_number",
    "less_than_equal": "no_number",
}


def fault_of(found: Mapping[str, Any], *, otherwise: str) -> Fault:
    """The fault behind one of pydantic's errors; ``otherwise``: what a kind without a word of its own is called."""
    kind = _KINDS.get(found.get("type", ""), otherwise)
    return Fault(kind, found["ctx"]["max_length"] if kind in ("too_long", "too_many") else None)
