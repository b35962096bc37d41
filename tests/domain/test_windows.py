"""When the window of a flow is taken to be dead, and how long its successor lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.windows import successor_window

SLOT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "after", "left"),
    [
        ("CRASHED", 100, 210),
        ("RUNNING", 100, 210),
        ("PENDING", 100, 210),
        ("RUNNING", 20, None),  # on its way to being awake
        ("CRASHED", 20, 290),
        ("SCHEDULED", 100, None),  # a worker will take it
        ("COMPLETED", 100, None),
        ("FAILED", 100, None),  # would fail again
        ("CANCELLED", 100, None),  # somebody wanted it so
        ("CRASHED", 306, None),  # the next slot's run is there
    ],
)
def test_only_what_died_within_its_window_gets_a_successor_for_the_rest(
    state: str, after: int, left: int | None
) -> None:
    found = successor_window(state, slot=SLOT, window=timedelta(seconds=310), now=SLOT + timedelta(seconds=after))

    assert found == (timedelta(seconds=left) if left is not None else None)
