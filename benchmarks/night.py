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
# Those of the first half of the history have been through it in earlier nights.
_MESSAGES = """
INSERT INTO messages (dedupe_key, ticket_id, customer_id, kind, medium, language, context, state, queued_at, send_after, body)
SELECT id || '-' || n, id, 1, 'progress_step', 'email', 'en',
    CASE WHEN id <= :half THEN '{"erased": true}' ELSE '{"step": "looked at it"}' END::jsonb, 'delivered',
    opened_at, opened_at, CASE WHEN id <= :half THEN '' ELSE 'Somebody has looked at it.' END
FROM tickets, generate_series(1, 4) n
"""
_ERASED = "UPDATE tickets SET erased_at = closed_at WHERE closed_at IS NOT NULL AND id <= :half"
_OLDEST = {
    Past.TICKETS: text("SELECT min(closed_at) FROM tickets WHERE erased_at IS NULL"),
    Past.MESSAGES: text("SELECT min(queued_at) FROM messages WHERE context <> '{\"erased\": true}'"),
}


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
        for statement in (_MESSAGES, _ERASED):
            connection.execute(text(statement), {"half": tickets // 2})
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    seconds = sum(_let_go(bench, url, what) for what in _OLDEST)
    engine(url).dispose()
    bench.server.drop(name)
    return seconds


def _let_go(bench: Bench, url: str, what: Past) -> float:
    """Seconds until everything of the oldest day is through."""
    with transaction(url) as connection:
        oldest: datetime = connection.execute(_OLDEST[what]).scalar_one()
    kept = {Past.TICKETS: bench.standard.retention.tickets, Past.MESSAGES: bench.standard.retention.messages}[what]
    started, total, gone = time.perf_counter(), 0, 1
    while gone:
        with transaction(url) as connection:
            gone = retention.let_go(connection, what, standard=bench.standard, now=oldest + DAY + kept)
        total += gone
    assert total > 1_000, f"{total} {what} were past their time"
    return time.perf_counter() - started
