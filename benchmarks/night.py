"""The nightly retention: a day's tickets and messages past their time, in a history of a million tickets and a tenth of it.

As many tickets a day in both, so that a night should cost the same in both.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import text

from benchmarks.database import Bench
from benchmarks.digest import LARGE, SMALL, fill
from db import retention
from db.retention import Past
from db.session import engine, transaction

DAY = timedelta(days=1)
# What is older than the middle of the history has been through it in earlier nights.
_MIDDLE = "SELECT opened_at FROM tickets WHERE id = :half"
_MESSAGES = """
INSERT INTO messages (dedupe_key, ticket_id, customer_id, kind, medium, language, context, state, queued_at, send_after, body)
SELECT id || '-' || n, id, 1, 'progress_step', 'email', 'en',
    CASE WHEN opened_at <= :middle THEN '{"erased": true}' ELSE '{"step": "looked at it"}' END::jsonb, 'delivered',
    opened_at, opened_at, 'Somebody has looked at it.'
FROM tickets, generate_series(1, 4) n
"""
_ERASED = "UPDATE tickets SET erased_at = closed_at WHERE closed_at <= :middle"


def measure(bench: Bench) -> dict[str, float]:
    """Seconds of a night over the whole history, and beside a tenth of it."""
    small, large = (_night(bench, tickets) for tickets in (SMALL, LARGE))
    return {"night_s": large, "night_1m_vs_100k": large / small}


def _night(bench: Bench, tickets: int) -> float:
    name = f"bench_night_{tickets}"
    url = bench.fresh(name)
    fill(url, tickets)
    with engine(url).begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        middle: datetime = connection.execute(text(_MIDDLE), {"half": tickets // 2}).scalar_one()
        for statement in (_MESSAGES, _ERASED):
            connection.execute(text(statement), {"middle": middle})
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    kept = bench.standard.retention
    seconds = _let_go(bench, url, Past.TICKETS, now=middle + DAY + kept.tickets)
    seconds += _let_go(bench, url, Past.MESSAGES, now=middle + DAY + kept.messages)
    engine(url).dispose()
    bench.server.drop(name)
    return seconds


def _let_go(bench: Bench, url: str, what: Past, *, now: datetime) -> float:
    """Seconds until everything of a day is through."""
    started, total, gone = time.perf_counter(), 0, 1
    while gone:
        with transaction(url) as connection:
            gone = retention.let_go(connection, what, standard=bench.standard, now=now)
        total += gone
    assert total > 1_000, f"{total} {what} were past their time"
    return time.perf_counter() - started
