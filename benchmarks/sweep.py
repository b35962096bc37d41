"""A watchdog sweep with 1,000 breaches among 10,000 and among 1,000,000 open tickets."""

from __future__ import annotations

import time

from benchmarks.database import NOW, Bench, fill
from db import alarms
from db.session import engine, transaction

BREACHES = 1000


def measure(bench: Bench) -> dict[str, float]:
    """Escalations per second among a million, and how much longer that sweep takes than among ten thousand."""
    small = _sweep(bench, 10_000)
    large = _sweep(bench, 1_000_000)
    return {"escalations_per_s": BREACHES / large, "sweep_1m_vs_10k": large / small}


def _sweep(bench: Bench, tickets: int) -> float:
    url = bench.fresh(f"bench_sweep_{tickets}")
    fill(url, tickets, due=BREACHES)
    standard = bench.standard
    with transaction(url) as connection:  # connect and compile before the clock starts
        alarms.raise_due(connection, standard=standard, now=NOW, limit=0)
    raised, started = 0, time.perf_counter()
    while True:
        with transaction(url) as connection:
            batch = alarms.raise_due(connection, standard=standard, now=NOW)
        if not batch:
            break
        raised += len(batch)
    seconds = time.perf_counter() - started
    engine(url).dispose()
    assert raised == BREACHES, raised
    return seconds
