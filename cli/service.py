"""``aftercare up``: everything in one terminal, from the database to the pages, until Ctrl-C."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import fasteners

from cli import deployment, interrupts, runs, stack, supervisor
from cli.failure import CommandError
from cli.ready import prepare
from cli.screen import Screen
from clock import utc_now
from settings import Settings, get_settings, require_home

LOCK = "up.lock"


def up() -> None:
    """Start database, Prefect server with UI, worker, deployments and web; stop them all with Ctrl-C."""
    settings = get_settings()
    screen = Screen()
    require_home(settings.home)
    lock = lock_home(
        settings.home,
        f"Aftercare is up already on {settings.home.absolute()}; stop it, or set AFTERCARE_HOME to another folder",
    )
    try:
        interrupts.listen()
        stop_leftovers(settings.home, screen)
        stack.require_free(settings.prefect_port, "AFTERCARE_PREFECT_PORT", "the Prefect server")
        stack.require_free(settings.web_port, "AFTERCARE_WEB_PORT", "the pages")
        _run(settings, screen)
    except KeyboardInterrupt:
        # A terminal that was closed takes no farewell.
        with contextlib.suppress(OSError):
            screen.say("Aftercare is down; 'aftercare up' goes on with the same data.")
    finally:
        lock.release()


def lock_home(home: Path, refusal: str) -> Any:
    """The lock of the one ``up`` or ``demo`` of a home; raises CommandError with ``refusal`` when another has it."""
    lock = fasteners.InterProcessLock(home / LOCK)
    if not lock.acquire(blocking=False):
        raise CommandError(refusal)
    return lock


def stop_leftovers(home: Path, screen: Screen) -> None:
    """Stop what an ``aftercare`` that was killed left running on this home, and say so; the lock must be held."""
    with screen.status("Looking for what an earlier start left running"):
        found = supervisor.stop_leftovers(home)
    if found:
        screen.say("An earlier 'aftercare' on this home was killed; what it left running was stopped.")


def _run(settings: Settings, screen: Screen) -> None:
    with screen.status("Starting the database"):
        url, _ = prepare()
    env = stack.environment(settings, url)
    stack.require_possible_credentials(env, settings)
    started = utc_now()
    manager = supervisor.Supervisor(settings.home, stack.programs(settings), env)
    try:
        manager.start()
        with screen.status("Starting the Prefect server (the first time it makes its tables)"):
            stack.wait_until_up(f"{settings.prefect_url}/api/health", manager, "prefect-server", seconds=180)
        with screen.status("Deploying the flows"):
            stack.deploy(env)
            with _aside() as aside:
                aside.submit(_settle, env, settings, started).result()
                manager.control("start", "worker")
                aside.submit(runs.start_windows, env).result()
        stack.wait_until_up(f"http://127.0.0.1:{settings.web_port}/health", manager, "web", seconds=30)
        screen.say(
            f"Aftercare is up.\n  Pages     {settings.web_url}\n  Workbench {settings.web_url}/workbench",
            lines=True,
        )
        screen.say(f"  Prefect   {settings.prefect_url}")
        if not settings.public_url:
            screen.say(f"  Mailbox   {settings.web_url}/mailbox")
        screen.say(f"  Logs      {manager.logs}\nCtrl-C stops it.", lines=True)
        while True:
            manager.require_running()
            time.sleep(1)
    finally:
        interrupts.ignore()
        manager.stop()


def _aside() -> ProcessPoolExecutor:
    """A process for what needs Prefect's client: the 50 MB of it are not to be kept as long as ``up`` lives."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=interrupts.ignore)


def _settle(env: dict[str, str], settings: Settings, started: datetime) -> None:
    deployment.create_variables(env)
    deployment.apply_automations(env, settings.alarm_address)
    stack.require_credentials(env, settings)
    runs.settle_old(env, now=started)
