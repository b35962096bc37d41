"""A process that erases is shot in the middle: nothing is half erased, and the next one finishes (S-71)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from multiprocessing import get_context

import pytest
from sqlalchemy import Connection, create_engine, text

from db import erasure, events, retention
from db.retention import Past
from db.session import engine, transaction
from domain.lifecycle import TicketState
from domain.standard import Standard
from tests.conftest import read_cast
from tests.db.test_erasure import _customer, _seeded, _traces
from tests.desk import Desk, snapshot

Work = Callable[[Connection], object]


def _run(url: str, works: list[Work]) -> None:
    """Each piece in a transaction, on connections of this process alone."""
    own = create_engine(url, connect_args={"application_name": "victim"})
    for work in works:
        with own.begin() as connection:
            work(connection)


def _shoot(url: str, in_the_way: str, works: list[Work]) -> None:
    """Let a process work until it waits for what this lock holds, and shoot it there."""
    with engine(url).connect() as guard:
        guard.execute(text(in_the_way))
        victim = get_context("fork").Process(target=_run, args=(url, works))
        victim.start()
        _await(url, "wait_event_type = 'Lock'", is_there=True)
        os.kill(victim.pid or 0, signal.SIGKILL)
        victim.join()
        assert victim.exitcode == -signal.SIGKILL
    _await(url, "true", is_there=False)


def _await(url: str, what: str, *, is_there: bool) -> None:
    query = text(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND {what}")
    end = time.monotonic() + 20
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        while bool(watcher.execute(query).scalar_one()) is not is_there:
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.mark.parametrize("table", ["messages", "suppressions"])
def test_an_erasure_that_is_shot_leaves_everything_and_the_next_one_leaves_nothing(
    database: str, standard: Standard, now: datetime, table: str
) -> None:
    with transaction(database) as connection:
        cast = read_cast(connection)
        desk = Desk(connection, standard, now, cast.supervisor)
        customer_id = _customer(desk, _seeded(desk, cast))
        before = snapshot(connection)

    def erase(connection: Connection) -> bool:
        return erasure.erase_customer(connection, customer_id, cast.supervisor, "asked", standard=standard, now=now)

    _shoot(database, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", [erase])

    with transaction(database) as connection:
        assert snapshot(connection) == before
        assert erase(connection)
        assert _traces(connection) == set()
        assert list(events.find_flaws(connection)) == []


def test_a_nightly_run_that_is_shot_has_lost_one_batch(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        first, second = (desk.bring_to(TicketState.CLOSED) for _ in range(2))
    later = now + standard.retention.tickets * 2

    def let_one_go(connection: Connection) -> int:
        return retention.let_go(connection, Past.TICKETS, standard=standard, now=later, limit=1)

    _shoot(database, f"SELECT id FROM plans WHERE ticket_id = {second} FOR UPDATE", [let_one_go] * 2)

    with transaction(database) as connection:
        desk = Desk(connection, standard, now, desk.clerk)
        erased = [desk.ticket(ticket_id)["erased_at"] is not None for ticket_id in (first, second)]
        assert erased == [True, False]
        assert desk.ticket(second)["description"] == "空调不制冷"
        assert [let_one_go(connection) for _ in range(2)] == [1, 0]
        assert list(events.find_flaws(connection)) == []
