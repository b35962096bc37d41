"""The weekly digest over a history of a million tickets, and over a tenth of it, beside the same figures by pandas.

Both histories have as many tickets a week, so that the digest should cost the same in both.
"""

from __future__ import annotations

import resource
import time
from datetime import timedelta
from multiprocessing import get_context

from sqlalchemy import text

from benchmarks.database import NOW, Bench
from db.session import engine, transaction
from domain.spans import last_full_week
from domain.standard import load_standard

LARGE, SMALL = 1_000_000, 100_000
APART = timedelta(seconds=63)  # 9,600 tickets a week
_WEEKS_READ = 8  # five are counted, and what is decided in them was opened a while before

_CUSTOMER = """
INSERT INTO customers (name, email, language, preferred_medium, time_zone, region, created_at)
VALUES ('Bench', 'bench@example.com', 'en', 'email', 'Asia/Shanghai', 'east', :now)
"""
# One in twenty is cancelled; what is younger than five days is open, everything else is closed.
_TICKETS = """
INSERT INTO tickets (customer_id, channel, region, state, category, suggested_category, category_reason, impact,
    is_safety_risk, priority, suggested_priority, priority_reason, subject, description, assignee_id, opened_at,
    completed_at, closed_at, completion_no, event_count)
SELECT 1, (ARRAY['hotline', 'chat', 'wechat', 'app', 'email', 'store', 'web', 'sms'])[1 + n % 8],
    (ARRAY['east', 'west', NULL])[1 + n % 3], state, category, category, '', 'partial', false, priority, priority, '',
    'It leaks', 'It leaks since the day before yesterday, and the floor is wet.', 1 + n % 6, at,
    CASE WHEN state = 'closed' THEN at + done END,
    CASE state WHEN 'closed' THEN at + done + interval '20 h' WHEN 'cancelled' THEN at + interval '2 h' END,
    CASE WHEN state = 'closed' THEN 1 ELSE 0 END, 8
FROM (
    SELECT n, at, make_interval(hours => 10 + n % 45) AS done,
        (ARRAY['product_fault', 'usage_question', 'complaint', 'guarantee'])[1 + n % 4] AS category,
        (ARRAY['P1', 'P2', 'P2', 'P2', 'P3', 'P3', 'P3', 'P3', 'P3', 'P3'])[1 + n % 10] AS priority,
        CASE WHEN n % 20 = 0 THEN 'cancelled' WHEN at > :now - interval '5 d' THEN 'diagnosing' ELSE 'closed' END AS state
    FROM (
        SELECT n, CAST(:now AS timestamptz) - :apart * (:tickets - n) - interval '3 h' AS at
        FROM generate_series(1, :tickets) n
    ) opened
) made
"""
# The customer is contacted after one to five hours, the work is complete after ten to fifty-four.
_EVENTS = """
INSERT INTO ticket_events (ticket_id, seq, kind, actor_role, actor_id, at, to_state, payload, facts, digest)
SELECT id, seq, CASE WHEN seq = 8 AND state = 'cancelled' THEN 'cancel' ELSE kind END, 'system', NULL,
    opened_at + CASE WHEN seq < 8 OR closed_at IS NULL THEN shift * (1 + id % 5) ELSE closed_at - opened_at END, state,
    CASE kind WHEN 'assign' THEN jsonb_build_object('assignee_id', assignee_id, 'reason', 'on_duty; open=3')
        WHEN 'log_step' THEN jsonb_build_object('step', 'looked at it',
            'parts', jsonb_build_array(jsonb_build_object('name', 'pump', 'use', 'awaited')))
        ELSE jsonb_build_object('summary', 'said what was done and what comes next') END,
    CASE kind WHEN 'assign' THEN '{"from": null, "tier": 1}'::jsonb ELSE '{}'::jsonb END,
    '\\x0102030405060708091011121314151617181920212223242526272829303132'
FROM tickets, (VALUES (1, 'opened', interval '0'), (2, 'acknowledge', interval '1 min'), (3, 'assign', interval '6 min'),
    (4, 'first_contact', interval '1 h'), (5, 'propose_plan', interval '90 min'), (6, 'log_step', interval '2 h'),
    (7, 'complete', interval '4 h'), (8, 'confirm_completion', interval '5 h')) AS step (seq, kind, shift)
"""
_CLOCKS = """
INSERT INTO sla_clocks (ticket_id, round, kind, calendar, target, started_at, due_at, stopped_at, breached_at)
SELECT id, 1, kind, 'always', target, opened_at, opened_at + target, stopped_at,
    CASE WHEN stopped_at > opened_at + target THEN opened_at + target END
FROM (
    SELECT id, kind, target, opened_at, CASE WHEN state = 'cancelled' THEN closed_at
        WHEN kind = 'assignment' THEN opened_at + interval '6 min' * (1 + id % 5)
        WHEN kind = 'response' THEN opened_at + interval '1 h' * (1 + id % 5) ELSE completed_at END AS stopped_at
    FROM tickets, (VALUES ('assignment', interval '30 min'), ('response', interval '4 h'),
        ('resolution', interval '48 h')) AS promise (kind, target)
) clock
"""
_SURVEYS = """
INSERT INTO surveys (ticket_id, completion_no, method, state, sent_at, expires_at)
SELECT id, 1, 'form', CASE WHEN id % 5 < 2 THEN 'answered' ELSE 'expired' END, completed_at + interval '24 h',
    completed_at + interval '192 h' FROM tickets WHERE state = 'closed'
"""
_ANSWERS = """
INSERT INTO survey_answers (survey_id, efficiency, attitude, solution, overall, booking, on_site, comment, answered_at)
SELECT id, 1 + id % 5, 3 + id % 3, 2 + id % 4, 1 + (id / 2) % 5, 4, CASE WHEN id % 2 = 0 THEN 3 END, 'It took long.',
    sent_at + interval '5 h' FROM surveys WHERE state = 'answered'
"""
_CALLBACKS = """
INSERT INTO callbacks (ticket_id, survey_id, kind, state, due_at, done_at, reason)
SELECT ticket_id, survey_id, 'low_score', 'done', answered_at + interval '1 h',
    answered_at + interval '20 min' * (1 + survey_id % 4), 'It took long.'
FROM survey_answers JOIN surveys ON surveys.id = survey_id WHERE overall <= 3
"""


def measure(bench: Bench) -> dict[str, float]:
    """Seconds and peak memory of a digest, beside a tenth of the history, and beside pandas."""
    small, _, _ = _digest(bench, SMALL)
    large, peak, by_pandas = _digest(bench, LARGE)
    return {
        "digest_s": large,
        "digest_peak_mb": peak,
        "digest_1m_vs_100k": large / small,
        "digest_vs_pandas": by_pandas / large,
    }


def _digest(bench: Bench, tickets: int) -> tuple[float, float, float]:
    name = f"bench_digest_{tickets}"
    url = bench.fresh(name)
    fill(url, tickets)
    ways = (_by_the_database, _by_pandas)
    found = []
    for way in ways:  # each in a process of its own, whose memory is that of the way alone
        with get_context("spawn").Pool(1) as pool:
            found.append(pool.apply(way, (url,)))
    engine(url).dispose()
    bench.server.drop(name)
    (seconds, peak), (by_pandas, _) = found
    return seconds, peak, by_pandas


def fill(url: str, tickets: int) -> None:
    """Put so many tickets with eight events each, their clocks, surveys, answers and callbacks into a database."""
    values = {"now": NOW, "apart": APART, "tickets": tickets}
    with engine(url).begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in (_CUSTOMER, _TICKETS, _EVENTS, _CLOCKS, _SURVEYS, _ANSWERS, _CALLBACKS):
            connection.execute(text(statement), values)
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _by_the_database(url: str) -> tuple[float, float]:
    from db import reports

    standard = load_standard()
    span = last_full_week(NOW, standard.organisation.time_zone)
    with transaction(url) as connection:
        reports.digest(connection, span.within("nowhere"), standard)  # connect and compile before the clock starts
    started = time.perf_counter()
    with transaction(url) as connection:
        digest = reports.digest(connection, span, standard)
    seconds = time.perf_counter() - started
    assert digest["volume"]["opened"]["now"] > 9_000, digest["volume"]
    return seconds, _peak_mb()


def _by_pandas(url: str) -> tuple[float, float]:
    from tests.figures import by_pandas, read_tables

    standard = load_standard()
    span = last_full_week(NOW, standard.organisation.time_zone)
    started = time.perf_counter()
    with transaction(url) as connection:
        since = span.until - timedelta(weeks=_WEEKS_READ)
        first = connection.execute(text("SELECT min(id) FROM tickets WHERE opened_at >= :since"), {"since": since})
        tables = read_tables(connection, first_ticket=first.scalar_one())
    by_pandas(tables, span, standard)
    return time.perf_counter() - started, _peak_mb()


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
