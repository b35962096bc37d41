"""A change of the standard for tickets to come: read from what operators wrote, and told figure by figure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from domain.exceptions import StandardError
from domain.standard import CALENDARS, STANDARD, Standard

# A figure of the standard by its place, as it is written in each of the two.
Changed = tuple[str, str | None, str | None]


def read_draft(standard: object, calendars: object) -> dict[str, Any]:
    """The two drafts as one, to be laid over the file; nothing in it is checked but that it can be kept.

    Raises StandardError that names the draft and what to mend.
    """
    for name, draft in ((STANDARD, standard), (CALENDARS, calendars)):
        if not isinstance(draft, dict):
            raise StandardError(f'{name}: is {type(draft).__name__}, not a table; write it like {{"name": …}}')
        try:
            written = json.dumps(draft, ensure_ascii=False, allow_nan=False).encode()
        except ValueError as error:
            raise StandardError(f"{name}: holds what is neither text nor number: {error}") from error
        if b"\\u0000" in written:
            raise StandardError(f"{name}: holds a NUL character; write the text anew")
        if name == STANDARD and "calendars" in draft:
            raise StandardError(f"{name}: calendars: belong in {CALENDARS}")
    assert isinstance(standard, dict)  # noqa: S101  looked at above
    return {**standard, **({"calendars": calendars} if calendars else {})}


def require_calendars(standard: Standard, in_use: Collection[str]) -> None:
    """Raise StandardError when a calendar is gone by which open tickets or people still work."""
    for name in sorted(set(in_use) - set(standard.calendars)):
        raise StandardError(
            f"{CALENDARS}: {name}: open tickets or people work by this calendar; keep it until none does"
        )


def changed_figures(present: Mapping[str, Any], other: Mapping[str, Any]) -> list[Changed]:
    """The figures in which two standards differ, as they are written."""
    before, now = dict(flat(present)), dict(flat(other))
    keys = [*before, *(key for key in now if key not in before)]
    return [(key, before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key)]


def flat(figures: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Each figure by its place, ``priorities.P1.response``, as it is written."""
    for name, value in figures.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            value = {str(number): entry for number, entry in enumerate(value, 1)}
        if isinstance(value, Mapping):
            yield from flat(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)
