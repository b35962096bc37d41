"""A window goes on when the database comes back, and ends red when it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.exc import OperationalError

from flows import drain_window
from flows.drain_window import drain


def steps(*outcomes: int | Exception) -> Callable[[datetime], int]:
    left = list(outcomes)

    def step(_moment: datetime) -> int:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return step


def test_a_window_waits_for_a_database_that_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_window, "TICK_SECONDS", 0.05)
    away = OperationalError("SELECT 1", {}, Exception("the server closed the connection"))

    drain(steps(1, away, away, 0), now=None, window_seconds=1)

    with pytest.raises(OperationalError):
        drain(steps(away), now=None, window_seconds=1)
    with pytest.raises(ZeroDivisionError):
        drain(steps(ZeroDivisionError()), now=None, window_seconds=1)
