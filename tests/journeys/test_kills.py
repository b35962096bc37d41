"""Processes are shot at random points while forty customers live their stories; then everything is counted."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from db import events, mailbox, outbox
from db.models import Callback, Message, Survey, SurveyAnswer, Ticket, TicketEvent
from db.session import engine
from tests.journeys.lives import LIVES

pytestmark = [pytest.mark.prefect, pytest.mark.kill, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(900)]
KILLS = 50
HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def start(what: str, rounds: int = 1000) -> subprocess.Popen[bytes]:
    env = os.environ | {"PYTHONPATH": str(ROOT), "PREFECT_LOGGING_LEVEL": "ERROR"}
    return subprocess.Popen(
        [sys.executable, str(HERE / "lives.py"), what, str(rounds)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def shoot(seed: int) -> int:
    """Keep two flow processes and one of people running and shoot one after the other; returns the kills."""
    dice = random.Random(seed)
    kinds = ["flows", "flows", "people"]
    processes = [(kind, start(kind), time.monotonic()) for kind in kinds]
    kills = 0
    while kills < KILLS:
        time.sleep(dice.uniform(0.1, 1.2))
        index = dice.randrange(len(processes))
        kind, process, since = processes[index]
        # A process that is still importing has nothing to lose; most shots shall hit one at work.
        if process.poll() is None and time.monotonic() - since < dice.uniform(1.0, 8.0):
            continue
        kills += process.poll() is None
        process.kill()
        process.wait()
        processes[index] = (kind, start(kind), time.monotonic())
    for _, process, _ in processes:
        process.kill()
        process.wait()
    return kills


def finish() -> None:
    """Let everything come to its end undisturbed."""
    people = start("people")
    for _ in range(12):
        assert start("flows", rounds=1).wait(timeout=180) == 0
        if people.poll() is not None:
            break
    assert people.wait(timeout=10) == 0
    time.sleep(8)  # what was shot while sending is looked up after six seconds
    for _ in range(3):
        assert start("flows", rounds=1).wait(timeout=180) == 0


def test_nothing_is_lost_and_nothing_is_doubled(product: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERCARE_STANDARD", str(HERE / "standard.toml"))

    kills = shoot(seed=20261124)
    finish()

    with engine(product).connect() as connection:

        def count(table: object, *where: object) -> int:
            return connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()

        assert kills >= KILLS
        assert count(Ticket) == LIVES
        assert count(Ticket, Ticket.state != "closed") == 0
        assert count(SurveyAnswer) == LIVES
        assert count(Survey) == LIVES
        assert count(Callback) == count(SurveyAnswer, SurveyAnswer.overall <= 3) == LIVES / 4
        assert count(Callback, Callback.assigned_to.is_(None)) == 0
        assert list(events.find_flaws(connection)) == []
        assert connection.execute(text("SELECT count(*) FROM pending_events")).scalar_one() == 0
        states = outbox.count_by_state(connection)
        # What was settled before it could be said is withheld; news that came together are said together.
        assert set(states) <= {"delivered", "withheld", "merged"}, states
        withheld = connection.execute(select(Message.error_code).where(Message.state == "withheld")).scalars()
        assert set(withheld) <= {"out_of_date"}
        assert mailbox.find_doubled(connection) == []
        per_ticket = Counter(
            connection.execute(
                select(Message.ticket_id).where(Message.kind.in_(["ticket_received", "ticket_assigned"]))
            ).scalars()
        )
        assert set(per_ticket.values()) == {2}
        alarms = connection.execute(
            select(TicketEvent.ticket_id, TicketEvent.facts).where(TicketEvent.kind.like("sla_%"))
        ).all()
        rungs = Counter((row.ticket_id, row.facts["clock"], row.facts["round"], row.facts["share"]) for row in alarms)
        assert set(rungs.values()) <= {1}
    print(
        f"{kills} kills, {LIVES} lives, {sum(states.values())} messages, {len(alarms)} alarms: none lost, none doubled"
    )
