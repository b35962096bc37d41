"""Ticket creation and the progress page under load, beside django-helpdesk doing the same on the same Postgres.

Both serve from two worker processes on this machine to the same eight clients of a separate process, each request over a
connection of its own, as different people's are; rounds take turns, and the median round of each counts. Ours are the
program that ``aftercare up`` starts, twice (``WEB_CONCURRENCY``); theirs gunicorn, as Django's documentation proposes,
with as many threads in all as there are clients.

Creation: somebody new opens the public form, fills it and sends it; one creation is both requests. Ours stores a
customer, the ticket with suggestions, two SLA clocks and a hashed event, in one transaction. Theirs stores ticket and
follow-up, and makes the submitter's mail, which a dummy backend takes. Our messages are made later, by a flow, which is
the design and not a trick: neither side waits for a mail server. ``web_api`` is one ``POST /api/v1/tickets`` with a new
customer, as another system makes a ticket; it is compared with nothing.

Page. Ours: the progress page behind a signed link of a ticket in work, with plan, clocks and every visible step.
Theirs: the public page of a ticket behind its secret key, with as many public follow-ups. DEBUG is off, templates are
cached, database connections stay open.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from benchmarks.database import Bench
from benchmarks.load import Measured, run
from cli import stack
from cli.demo import free_port
from clock import utc_now
from db import api_keys, seed, staff
from db.session import engine, transaction
from domain.api_keys import Scope
from domain.lifecycle import CommandName, TicketState
from domain.links import PATHS, Subject, sign
from domain.messages import LinkPurpose
from settings import get_settings
from tests.conftest import read_cast
from tests.desk import Desk

ROOT = Path(__file__).parents[1]
THEIRS = ROOT / "build" / "django_helpdesk"
THEIR_SITE = Path(__file__).parent / "django_helpdesk"
WORKERS, CLIENTS, ROUNDS = 2, 8, 3
WARM_UP, SECONDS = 2, 5
TICKETS, STEPS = 200, 6
KEY = "the key of the benchmark"


def measure(bench: Bench) -> dict[str, float]:
    """Both sides of both questions, in turns."""
    _install()
    found: dict[str, list[Measured]] = {}
    with _ours(bench) as ours, _theirs(bench) as theirs:
        for turn in range(ROUNDS):
            for name, plan in {**ours, **theirs}.items():
                load = {"clients": CLIENTS, "warm_up": WARM_UP, "seconds": SECONDS, "round": f"{name}{turn}"}
                found.setdefault(name, []).append(run(plan | load))
    results: dict[str, float] = {}
    for name, rounds in found.items():
        middle = sorted(rounds, key=lambda measured: measured.per_second)[ROUNDS // 2]
        results |= {f"web_{name}_per_s": middle.per_second, f"web_{name}_load_cpu": middle.cpu}
        results |= {f"web_{name}_p{share}_ms": middle.at(share / 100) for share in (50, 95, 99)}
    for question in ("create", "page"):
        ours_per_s, theirs_per_s = (results[f"web_{question}{side}_per_s"] for side in ("", "_django"))
        results[f"{question}_vs_django_helpdesk"] = ours_per_s / theirs_per_s
    return results


def _install() -> None:
    """Their environment, made from the pinned list once."""
    wanted = THEIR_SITE / "requirements.txt"
    stamp, mark = THEIRS / "installed", hashlib.sha256(wanted.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == mark:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(THEIRS)], check=True)
    pip = [str(THEIRS / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "-r", str(wanted)], check=True)
    stamp.write_text(mark)


@contextmanager
def _ours(bench: Bench) -> Iterator[dict[str, dict[str, Any]]]:
    url, port = bench.fresh("bench_web"), free_port(0)
    paths, key = _fill(url, bench)
    env = os.environ | {
        "AFTERCARE_HOME": str(bench.folder / "web"),
        "AFTERCARE_DATABASE_URL": url.replace("+psycopg", ""),
        "AFTERCARE_SECRET_KEY": KEY,
        "AFTERCARE_API_REQUESTS_PER_MINUTE": str(10**9),
        "AFTERCARE_PAGE_REQUESTS_PER_MINUTE": str(10**9),
        "WEB_CONCURRENCY": str(WORKERS),
        "AFTERCARE_TRUSTED_PROXIES": "127.0.0.1",  # each report comes from an address of its own
    }
    served = stack.programs(get_settings().model_copy(update={"web_port": port}))
    command = list(next(program.command for program in served if program.name == "web"))
    with _server(command, env, ROOT, f"http://127.0.0.1:{port}/health"):
        yield {
            "create": {"work": "report", "port": port, "path": "/report"},
            "api": {"work": "api", "port": port, "path": "/api/v1/tickets", "key": key},
            "page": {"work": "page", "port": port, "paths": paths, "mark": "<h1>"},
        }
    engine(url).dispose()


def _fill(url: str, bench: Bench) -> tuple[list[str], str]:
    """Tickets in work with a history, as paths of their pages, and a key for the API."""
    now = utc_now() - timedelta(hours=1)
    with transaction(url) as connection:
        desk = Desk(connection, bench.standard, now, read_cast(connection).supervisor)
        ids = [desk.bring_to(TicketState.IN_WORK, ticket_id=desk.open(language="en")) for _ in range(TICKETS)]
        for ticket_id in ids:
            desk.give(ticket_id, CommandName.LOG_STEP, step="the capacitor is replaced")
        who = staff.actor(connection, seed.address("sun.jing"))
        assert who.id is not None
        limits = {"scopes": frozenset(Scope), "expires_at": utc_now() + timedelta(days=1)}
        key = api_keys.create(connection, "bench", staff_id=who.id, role=who.role, now=utc_now(), **limits)
    tokens = (sign(LinkPurpose.PROGRESS, Subject(i), key=KEY, expires_at=utc_now() + timedelta(days=1)) for i in ids)
    return [f"/{PATHS[LinkPurpose.PROGRESS]}/{token}" for token in tokens], key


@contextmanager
def _theirs(bench: Bench) -> Iterator[dict[str, dict[str, Any]]]:
    database, port = "bench_django_helpdesk", free_port(0)
    admin = create_engine(bench.server.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{database}"'))
    admin.dispose()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AFTERCARE_", "PYTHON"))} | {
        "DJANGO_SETTINGS_MODULE": "helpdesk_site",
        "BENCH_PGHOST": bench.server.server.get_postmaster_info().socket_dir.as_posix(),
        "BENCH_PGUSER": "postgres",
        "BENCH_PGDATABASE": database,
        "BENCH_MEDIA": str(bench.folder / "media"),
    }
    fill = [str(THEIRS / "bin" / "python"), "fill.py", str(TICKETS), str(STEPS)]
    made = json.loads(subprocess.run(fill, cwd=THEIR_SITE, env=env, stdout=subprocess.PIPE, check=True).stdout)
    command = [
        str(THEIRS / "bin" / "gunicorn"),
        "django.core.wsgi:get_wsgi_application()",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    command += ["--workers", str(WORKERS), "--threads", str(CLIENTS // WORKERS)]
    command += ["--log-level", "warning"]
    with _server(command, env, THEIR_SITE, f"http://127.0.0.1:{port}/tickets/submit/"):
        yield {
            "create_django": {
                "work": "report_to_django",
                "port": port,
                "path": "/tickets/submit/",
                "queue": made["queue"],
            },
            "page_django": {"work": "page", "port": port, "paths": made["paths"], "mark": "does not cool"},
        }


@contextmanager
def _server(command: list[str], env: dict[str, str], folder: Path, address: str) -> Iterator[None]:
    process = subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                httpx.get(address, timeout=5, trust_env=False).raise_for_status()
                break
            except httpx.TransportError:
                assert process.poll() is None, command
                assert time.monotonic() < end, command
                time.sleep(0.3)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
