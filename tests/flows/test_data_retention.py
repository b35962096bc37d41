"""The nightly retention on a real Prefect server: it does its work once, names nobody, and runs again for nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from db import events
from db.session import transaction
from domain.lifecycle import TicketState
from domain.standard import Standard
from flows.data_retention import data_retention
from tests.conftest import read_cast
from tests.desk import Desk

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


def test_a_night_lets_go_what_is_past_its_time_and_the_next_finds_nothing(
    product: str, standard: Standard, now: object
) -> None:
    with transaction() as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)  # type: ignore[arg-type]
        old = desk.bring_to(TicketState.CLOSED)
        late = desk.now + standard.retention.tickets + timedelta(days=1)
        young = desk.bring_to(TicketState.CLOSED, at=late - timedelta(days=10))

    first, second = (data_retention(now=late, return_state=True) for _ in range(2))

    assert first.is_completed()
    assert "tickets: 1, customers: 1" in first.message
    assert second.message == "nothing was due"
    with transaction() as connection:
        blank = connection.execute(text("SELECT id FROM tickets WHERE description = '—'")).scalars().all()
        assert blank == [old]
        assert young != old
        assert list(events.find_flaws(connection)) == []
