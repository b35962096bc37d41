"""The command: ``python -m benchmarks.chaos [kills|prefect|postgres] --minutes 10 --seed 1``."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from random import Random, SystemRandom
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.chaos.aftermath import STANDARD, Ledger
from benchmarks.chaos.lives import People
from benchmarks.chaos.rules import Shot, Success, plan_shots, recovery, share
from benchmarks.chaos.shape import KINDS, Shape, production
from benchmarks.database import Bench
from benchmarks.load import Client
from clock import utc_now
from db import api_keys, embedded, seed, staff
from db.session import transaction
from domain.api_keys import Scope
from tests.receiver import receiving

PAUSES = (3.0, 7.0)
AWAKE_WITHIN, QUIET_WITHIN = 300, 900


class Disaster(StrEnum):
    """What happens under load."""

    KILLS = "kills"
    PREFECT = "prefect"
    POSTGRES = "postgres"


def main(
    disaster: Annotated[
        Disaster, typer.Argument(help="Kills, Prefect's API gone, or Postgres restarted.")
    ] = Disaster.KILLS,
    minutes: Annotated[float, typer.Option(help="How long it goes on.")] = 10,
    rate: Annotated[float, typer.Option(help="Tickets a second.")] = 1.5,
    seed_: Annotated[int | None, typer.Option("--seed", help="The same shots again.")] = None,
) -> None:
    """Prove the shape of deployments/compose.yaml: afterwards nothing is lost and nothing doubled, else exit code 1."""
    chosen = seed_ if seed_ is not None else SystemRandom().randrange(10**6)
    print(f"{disaster}: {minutes:g} minutes, {rate:g} tickets/s, seed {chosen}", flush=True)
    with tempfile.TemporaryDirectory(prefix="aftercare-chaos-") as folder, receiving() as operations:
        bench = Bench(embedded.start(Path(folder) / "data"), Path(folder))
        standard = bench.folder / "chaos.toml"
        standard.write_text(STANDARD)
        try:
            with production(bench, standard, alarms=f"json://127.0.0.1:{operations.port}/") as shape:
                faults = _prove(shape, disaster, seconds=minutes * 60, rate=rate, dice=Random(chosen))
        finally:
            bench.server.close()
        for alarm in operations.taken:
            print(f"operations were told: {alarm['title']}")
    for fault in faults:
        print(f"WRONG: {fault}")
    if faults:
        sys.exit(1)
    print("Nothing is lost, nothing is doubled.")


def _prove(shape: Shape, disaster: Disaster, *, seconds: float, rate: float, dice: Random) -> list[str]:
    """Load, disaster, and what is found afterwards."""
    url = shape.bench.server.url("bench_chaos")
    people, ledger = People(shape.web, _key(url), rate), Ledger(url)
    with _watching(shape) as seen, ThreadPoolExecutor(1) as pool:
        load = pool.submit(people.come)
        try:
            ledger.wait_until_awake(seconds=AWAKE_WITHIN)
            shots = list(_DISASTERS[disaster](shape, ledger, seconds, dice))
        finally:
            people.over.set()
        load.result()
        left = ledger.wait_until_quiet(seconds=QUIET_WITHIN)
    seen["next message"] = ledger.handovers()
    print(f"asked again: {dict(people.again)}; {ledger.counts()}")
    Console().print(_recoveries(shots, seen))
    checked = shape.command("aftercare", "db", "check")
    print(checked)
    unfinished = [f"{count} {what} after {QUIET_WITHIN} s" for what, count in left.items()]
    return people.refused + unfinished + ledger.faults(people.opened) + [checked] * ("exit code" in checked)


def _kills(shape: Shape, _ledger: Ledger, seconds: float, dice: Random) -> Iterator[Shot]:
    """One process after the other."""
    started = _now()
    for planned in plan_shots(KINDS, dice, seconds=seconds, pauses=PAUSES):
        time.sleep(max(0.0, started + planned.at - _now()))
        if shape.kill(planned.kind, dice):
            yield Shot(_now(), planned.kind)


def _prefect_gone(shape: Shape, ledger: Ledger, seconds: float, _dice: Random) -> Iterator[Shot]:
    """Prefect's API and services are stopped, for the whole time."""
    servers = [*shape.of_kind("prefect"), *shape.of_kind("services")]
    shape.manager.control("stop", *servers)
    since = _now()
    time.sleep(seconds / 2)
    print("while it is gone, doctor says:\n" + shape.command("aftercare", "doctor"))
    time.sleep(max(0.0, since + seconds - _now()))
    print(f"while Prefect was gone: {ledger.since(since)}")
    shape.manager.control("start", *servers)
    yield Shot(_now(), "prefect is back")
    time.sleep(30)


def _postgres_restarted(shape: Shape, _ledger: Ledger, seconds: float, _dice: Random) -> Iterator[Shot]:
    """The database is restarted as after a crash, in the middle."""
    time.sleep(seconds / 2)
    at = _now()
    shape.restart_postgres()
    print(f"Postgres was restarted in {_now() - at:.1f} s")
    yield Shot(at, "postgres")
    time.sleep(seconds / 2)


_DISASTERS = {Disaster.KILLS: _kills, Disaster.PREFECT: _prefect_gone, Disaster.POSTGRES: _postgres_restarted}


def _now() -> float:
    return utc_now().timestamp()


def _key(url: str) -> str:
    with transaction(url) as connection:
        who = staff.actor(connection, seed.address("sun.jing"))
        assert who.id is not None
        limits = {"scopes": frozenset(Scope), "expires_at": utc_now() + timedelta(days=1)}
        return api_keys.create(connection, "chaos", staff_id=who.id, role=who.role, now=utc_now(), **limits)


@contextmanager
def _watching(shape: Shape) -> Iterator[dict[str, list[Success]]]:
    """Asks pages and Prefect's API four times a second, through what stands before the replicas."""
    over = threading.Event()
    doors = {"pages": (shape.web, "/health"), "Prefect's API": (shape.prefect, "/api/ready")}
    seen: dict[str, list[Success]] = {name: [] for name in doors}

    def watch(name: str, port: int, path: str) -> None:
        while not over.wait(0.25):
            began = _now()
            try:
                status, *_ = Client("127.0.0.1", port, timeout=5).ask("GET", path, {})
            except (OSError, ValueError):
                continue
            if status == 200:
                seen[name].append(Success(began, _now()))

    watchers = [threading.Thread(target=watch, args=(name, *door)) for name, door in doors.items()]
    for watcher in watchers:
        watcher.start()
    try:
        yield seen
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()


def _recoveries(shots: list[Shot], seen: dict[str, list[Success]]) -> Table:
    table = Table("killed", "times", "works again", "p50 s", "p95 s", "worst s")
    for kind, times in Counter(shot.kind for shot in shots).items():
        for what, successes in seen.items():
            waits = [recovery(shot, successes) for shot in shots if shot.kind == kind]
            found = [wait for wait in waits if wait is not None]
            figures = [f"{share(found, part):.1f}" for part in (0.5, 0.95, 1.0)] if found else ["-"] * 3
            never = f" ({len(waits) - len(found)} without any after)" * (len(found) < len(waits))
            table.add_row(kind, str(times), what + never, *figures)
    return table


if __name__ == "__main__":
    typer.run(main)
