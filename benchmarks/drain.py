"""Tickets per second through the flow ``ticket_lifecycle``, its task runs recorded by a real Prefect server."""

from __future__ import annotations

import os
import time

from benchmarks.database import NOW, Bench
from cli import stack
from cli.demo import free_port
from db import intake
from db.session import database_url, transaction
from domain.intake import CustomerDetails, Report
from domain.people import SYSTEM
from domain.tickets import Channel
from settings import get_settings, written_standard

TICKETS = 1200


def measure(bench: Bench) -> dict[str, float]:
    """Open tickets, then drain them: acknowledge and assign each one."""
    url = bench.fresh("bench_drain")
    os.environ |= {
        "AFTERCARE_HOME": str(bench.folder / "home"),
        "AFTERCARE_DATABASE_URL": url.replace("+psycopg", ""),
        "AFTERCARE_PREFECT_PORT": str(free_port(0)),
    }
    for cached in (get_settings, written_standard, database_url):
        cached.cache_clear()
    settings = get_settings()
    env = stack.environment(settings, url)
    supervisor = stack.Supervisor(settings.home, stack.programs(settings)[:1], env)
    supervisor.start()
    try:
        stack.wait_until_up(f"{settings.prefect_url}/api/health", supervisor, "prefect-server", seconds=180)
        os.environ |= env | {"PREFECT_LOGGING_LEVEL": "WARNING"}
        from flows.ticket_lifecycle import ticket_lifecycle

        ticket_lifecycle(now=NOW)  # the first run of a process imports and connects
        _open(bench, url)
        started = time.perf_counter()
        ticket_lifecycle(now=NOW)
        seconds = time.perf_counter() - started
    finally:
        supervisor.stop()
    return {"drain_tickets_per_s": TICKETS / seconds}


def _open(bench: Bench, url: str) -> None:
    for number in range(TICKETS):
        with transaction(url) as connection:
            details = CustomerDetails(name="C", email=f"c{number}@example.com", language="en", region="east")
            customer_id = intake.find_or_add_customer(connection, details, standard=bench.standard, now=NOW)
            report = Report(channel=Channel.WEB, description="It leaks")
            intake.open_ticket(connection, customer_id, report, SYSTEM, standard=bench.standard, now=NOW)
