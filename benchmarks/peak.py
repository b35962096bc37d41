"""``aftercare up`` as a whole: what it takes at rest, and how quickly it answers at the peak of a large operator.

The peak is three tickets a second with their whole lives (ten million customers a year, ten times the mean), then three
times as much. Handed over: from the event's commit to the message in the mailbox, seen by somebody who looks every 50 ms.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles

import httpx
import psutil
from sqlalchemy import text

from benchmarks.database import Bench
from cli.demo import free_port
from cli.supervisor import processes_of
from clock import utc_now
from db import commands, intake, staff, tickets
from db.session import engine, transaction
from domain.commands import AgreePlan, Command, Complete, ConfirmCompletion, FirstContact, LogStep, ProposePlan
from domain.intake import CustomerDetails, Report
from domain.people import Actor, Role
from domain.standard import Standard, load_standard
from domain.tickets import Channel, Impact

RATE = 3
SECONDS = 600
# A whole round of windows: one begins every five minutes. Before it those that `up` begins at once live beside them.
SETTLING, AT_REST = 400, 300
_STANDARD = """
[priorities.P1]
response = "60s"

[courtesy]
quiet_from = 00:00:00
quiet_until = 00:00:00
merge_within = "1s"
messages_per_customer_and_day = 1000

[delivery]
per_second = { sms = 1000, email = 1000 }
"""
# One in so many is left alone, so that the watchdog has something to say.
_UNATTENDED = 20


def measure(bench: Bench) -> dict[str, float]:
    """At rest, then at the peak, then at three times the peak."""
    url = bench.fresh("bench_peak")
    standard_file = bench.folder / "peak.toml"
    standard_file.write_text(_STANDARD)
    standard = load_standard(standard_file)
    with _up(bench, url, standard_file) as (home, prefect):
        at_rest = _at_rest(home, bench)
        peak = _load(url, standard, prefect, rate=RATE, seconds=SECONDS, first=0)
        triple = _load(url, standard, prefect, rate=3 * RATE, seconds=SECONDS, first=10**6)
    return at_rest | peak | {f"{name}_at_3x": figure for name, figure in triple.items()}


@contextmanager
def _up(bench: Bench, url: str, standard: Path) -> Iterator[tuple[Path, str]]:
    home, prefect, web = bench.folder / "peak", free_port(0), free_port(0)
    env = os.environ | {
        "AFTERCARE_HOME": str(home),
        "AFTERCARE_DATABASE_URL": url.replace("+psycopg", ""),
        "AFTERCARE_STANDARD": str(standard),
        "AFTERCARE_PREFECT_PORT": str(prefect),
        "AFTERCARE_WEB_PORT": str(web),
    }
    with (bench.folder / "up.log").open("wb") as log:
        up = subprocess.Popen([str(Path(sys.executable).parent / "aftercare"), "up"], env=env, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 300
        while "Aftercare is up" not in (said := (bench.folder / "up.log").read_text()):
            assert up.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(1)
        yield home, f"http://127.0.0.1:{prefect}"
    finally:
        up.terminate()
        up.wait(timeout=90)


def _at_rest(home: Path, bench: Bench) -> dict[str, float]:
    """CPU and memory of everything, the database too, while nothing is to be done; shared memory counts once."""
    time.sleep(SETTLING)
    before, started = _cpu(home, bench), time.monotonic()
    time.sleep(AT_REST)
    spent, seconds = _cpu(home, bench) - before, time.monotonic() - started
    memory = 0
    for process in _everything(home, bench):
        with suppress(psutil.NoSuchProcess):
            memory += process.memory_full_info().pss
    return {"idle_cpu_pct": 100 * spent / seconds, "idle_rss_mb": memory / 2**20}


def _everything(home: Path, bench: Bench) -> list[psutil.Process]:
    data = str(bench.folder / "data")
    database = [p for p in psutil.process_iter(["cmdline"]) if data in (p.info["cmdline"] or [])]
    return [*processes_of(home), *(p for found in database for p in (found, *found.children(recursive=True)))]


def _cpu(home: Path, bench: Bench) -> float:
    """Seconds of CPU of all that are there and, through those who waited for their end, of all that were."""
    spent = 0.0
    for process in _everything(home, bench):
        with suppress(psutil.NoSuchProcess):
            spent += sum(process.cpu_times()[:4])  # user, system, and both of children that have ended
    return spent


def _load(url: str, standard: Standard, prefect: str, *, rate: float, seconds: int, first: int) -> dict[str, float]:
    """Open tickets at this rate and live their lives; what was handed over when, and how late the watchdog was."""
    since, over = utc_now(), threading.Event()
    seen: dict[int, datetime] = {}
    answers: list[float] = []
    watchers = [
        threading.Thread(target=_watch_mailbox, args=(url, seen, over)),
        threading.Thread(target=_ask_prefect, args=(prefect, answers, over)),
    ]
    for watcher in watchers:
        watcher.start()
    started = time.monotonic()
    with ThreadPoolExecutor(int(60 * rate)) as people:
        lives = []
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            lives.append(people.submit(_live, url, standard, first + number))
        for life in lives:
            life.result()
    time.sleep(75)  # the last unattended one is broken and told
    over.set()
    for watcher in watchers:
        watcher.join()
    with engine(url).connect() as connection:
        messages = connection.execute(_HANDED_OVER, {"since": since}).all()
        late = connection.execute(_WATCHDOG, {"since": since}).scalar_one()
    assert late is not None, "the watchdog raised no alarm"
    waits = [(seen[row.mark] - row.queued_at).total_seconds() for row in messages if row.mark in seen]
    cuts = quantiles(waits, n=20)
    return {
        "handover_p50_s": cuts[9],
        "handover_p95_s": cuts[18],
        "watchdog_late_s": float(late),
        "prefect_api_p95_s": quantiles(answers, n=20)[18],
    }


# What need not wait for other news or for the morning.
_HANDED_OVER = text(
    "SELECT b.id AS mark, m.queued_at FROM messages m JOIN mailbox_entries b ON b.message_id = m.id "
    "WHERE m.queued_at >= :since AND m.kind IN ('ticket_received', 'staff_assigned', 'staff_sla_breach')"
)
_WATCHDOG = text(
    "SELECT max(extract(epoch FROM at - CAST(facts->>'reached_at' AS timestamptz))) FROM ticket_events "
    "WHERE kind IN ('sla_warned', 'sla_breached') AND at >= :since"
)


def _watch_mailbox(url: str, seen: dict[int, datetime], over: threading.Event) -> None:
    last = 0
    while not over.wait(0.05):
        with engine(url).connect() as connection:
            rows = connection.execute(
                text("SELECT id FROM mailbox_entries WHERE id > :last ORDER BY id"), {"last": last}
            )
            new, now = [row.id for row in rows], utc_now()
        seen |= dict.fromkeys(new, now)
        last = new[-1] if new else last


def _ask_prefect(prefect: str, answers: list[float], over: threading.Event) -> None:
    """What the runs page of the UI asks for, every two seconds."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        while not over.wait(2):
            started = time.monotonic()
            client.post(f"{prefect}/api/flow_runs/filter", json={"limit": 50, "sort": "START_TIME_DESC"})
            answers.append(time.monotonic() - started)


def _live(url: str, standard: Standard, number: int) -> None:
    """One ticket's life, a second between its steps: ten events, six of them given by people."""
    is_attended = number % _UNATTENDED != 0
    with transaction(url) as connection:
        details = CustomerDetails(name=f"C {number}", email=f"c{number}@example.com", language="en", region="east")
        now = utc_now()
        customer_id = intake.find_or_add_customer(connection, details, standard=standard, now=now)
        impact = Impact.PARTIAL if is_attended else Impact.CORE_USE_LOST
        report = Report(channel=Channel.APP, description=f"The fridge leaks, case {number}", impact=impact)
        customer = Actor(Role.CUSTOMER, customer_id)
        opened = intake.open_ticket(connection, customer_id, report, customer, standard=standard, now=now)
    assignee = _wait_for_assignee(url, opened.ticket_id)
    if not is_attended:
        return
    steps: list[tuple[Actor, Command]] = [
        (assignee, FirstContact(summary="called")),
        (assignee, ProposePlan(kind="repair", steps=["repair it"], deadline_at=utc_now() + timedelta(days=1))),
        (customer, AgreePlan()),
        (assignee, LogStep(step="on site")),
        (assignee, Complete(summary="repaired", tested=True)),
        (customer, ConfirmCompletion(signed_by=f"C {number}")),
    ]
    for actor, command in steps:
        time.sleep(1)
        with transaction(url) as connection:
            commands.apply_command(connection, opened.ticket_id, command, actor, standard=standard, now=utc_now())


def _wait_for_assignee(url: str, ticket_id: int) -> Actor:
    while True:
        with transaction(url) as connection:
            assignee_id = tickets.get(connection, ticket_id)["assignee_id"]
            if assignee_id is not None:
                return Actor(Role(staff.get(connection, assignee_id)["role"]), assignee_id)
        time.sleep(0.5)
