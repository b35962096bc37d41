"""A fresh database per benchmark, with sample staff, and tickets in bulk where a history would take too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, text

from db import reference, schema, seed
from db.embedded import EmbeddedPostgres
from db.session import engine
from domain.standard import Standard, load_standard

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@dataclass
class Bench:
    """The server of this run and a folder for what a benchmark needs."""

    server: EmbeddedPostgres
    folder: Path

    @property
    def standard(self) -> Standard:
        """The default standard."""
        return load_standard()

    def fresh(self, name: str) -> str:
        """A new migrated database; returns its URL."""
        admin = create_engine(self.server.url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        admin.dispose()
        url = self.server.url(name)
        schema.upgrade(url)
        with engine(url).begin() as connection:
            reference.sync_calendars(connection, self.standard)
            seed.add_staff(connection)
        return url


def fill(url: str, tickets: int, *, due: int) -> None:
    """Put open tickets with their clocks into a database, ``due`` of them with a response promise broken at NOW.

    Written with triggers off and without histories: only for measuring what a sweep costs.
    """
    with engine(url).begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "INSERT INTO customers (name, email, language, preferred_medium, time_zone, region, created_at) "
                "VALUES ('Bench', 'bench@example.com', 'en', 'email', 'Asia/Shanghai', 'east', :now)"
            ),
            {"now": NOW},
        )
        connection.execute(
            text(
                "INSERT INTO tickets (customer_id, channel, region, state, category, suggested_category, "
                "category_reason, impact, is_safety_risk, priority, suggested_priority, priority_reason, subject, "
                "description, assignee_id, opened_at, event_count) "
                "SELECT 1, 'web', 'east', 'diagnosing', 'product_fault', 'product_fault', '', 'partial', false, "
                "'P2', 'P2', '', 'It leaks', 'It leaks', 1 + n % 2, :now, 1 FROM generate_series(1, :tickets) n"
            ),
            {"now": NOW, "tickets": tickets},
        )
        for kind, hours in (("response", 4), ("resolution", 48)):
            connection.execute(
                text(
                    "INSERT INTO sla_clocks (ticket_id, round, kind, calendar, target, started_at, due_at, "
                    "next_alarm_at, rungs_raised) "
                    "SELECT id, 1, CAST(:kind AS text), 'always', make_interval(hours => :hours), "
                    "start, start + make_interval(hours => :hours), "
                    "CASE WHEN late THEN start + make_interval(hours => :hours) "
                    "ELSE start + make_interval(hours => :hours) + interval '10 days' END, CASE WHEN late THEN 2 ELSE 0 END "
                    "FROM (SELECT id, id <= :due AND :kind = 'response' AS late, "
                    "CASE WHEN id <= :due THEN CAST(:now AS timestamptz) - interval '5 hours' + id * interval '1 ms' "
                    "ELSE CAST(:now AS timestamptz) END AS start FROM tickets) t"
                ),
                {"kind": kind, "hours": hours, "due": due, "now": NOW},
            )
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
