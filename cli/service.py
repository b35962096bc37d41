"""``aftercare up``: everything in one terminal, from the database to the pages, until Ctrl-C."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import NoReturn

import fasteners
import typer

from cli import stack
from cli.failure import CommandError
from cli.ready import prepare
from cli.screen import Screen
from settings import Settings, get_settings


def up() -> None:
    """Start database, Prefect server with UI, worker, deployments and web; stop them all with Ctrl-C."""
    settings = get_settings()
    console = Screen()
    settings.home.mkdir(parents=True, exist_ok=True)
    lock = fasteners.InterProcessLock(settings.home / "up.lock")
    if not lock.acquire(blocking=False):
        raise CommandError(
            f"Aftercare is up already on {settings.home.absolute()}; stop it, or set AFTERCARE_HOME to another folder"
        )
    try:
        stack.require_free(settings.prefect_port, "AFTERCARE_PREFECT_PORT", "the Prefect server")
        stack.require_free(settings.web_port, "AFTERCARE_WEB_PORT", "the pages")
        _run(settings, console)
    finally:
        lock.release()


def _run(settings: Settings, console: Screen) -> None:
    signal.signal(signal.SIGTERM, _interrupt)
    with console.status("Starting the database"):
        url, _ = prepare()
    env = stack.environment(settings, url)
    supervisor = stack.Supervisor(settings.home, stack.programs(settings), env)
    try:
        supervisor.start()
        with console.status("Starting the Prefect server (the first time it makes its tables)"):
            stack.wait_until_up(f"{settings.prefect_url}/api/health", supervisor, "prefect-server", seconds=180)
        with console.status("Deploying the flows"):
            stack.deploy(env)
            stack.require_credentials(env, settings)
            supervisor.control("start", "worker")
            stack.start_windows(env)
        stack.wait_until_up(f"http://127.0.0.1:{settings.web_port}/health", supervisor, "web", seconds=30)
        console.say(f"Aftercare is up.\n  Pages     {settings.web_url}\n  Prefect   {settings.prefect_url}", lines=True)
        if not settings.public_url:
            console.say(f"  Mailbox   {settings.web_url}/mailbox")
        console.say(f"  Logs      {supervisor.logs}\nCtrl-C stops it.", lines=True)
        while True:
            supervisor.require_running()
            time.sleep(1)
    except KeyboardInterrupt:
        with console.status("Stopping"):
            supervisor.stop()
        typer.echo("Aftercare is down; 'aftercare up' goes on with the same data.")
    finally:
        supervisor.stop()


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
