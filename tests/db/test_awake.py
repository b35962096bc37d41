"""Who is awake is known by a lock that ends with its holder."""

from __future__ import annotations

import time

from sqlalchemy import text

from db.awake import awake, find_awake
from db.session import engine

NAMES = {"message_delivery", "sla_watchdog"}


def test_a_window_is_awake_while_one_of_its_holders_lives(database: str) -> None:
    with engine(database).connect() as connection:
        with awake(database, "sla_watchdog"), awake(database, "sla_watchdog"):
            assert find_awake(connection, NAMES) == {"sla_watchdog"}
        # Postgres sees a moment later that its client has left.
        end = time.monotonic() + 30
        while find_awake(connection, NAMES) and time.monotonic() < end:
            time.sleep(0.05)
        assert find_awake(connection, NAMES) == set()

        with awake(database, "sla_watchdog"):
            connection.execute(text("SELECT pg_terminate_backend(pid, 9000) FROM pg_locks WHERE classid = 2654"))
            assert find_awake(connection, NAMES) == set()
