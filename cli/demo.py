"""The demo: a week of service played through real flow runs, on a Postgres and a Prefect server of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import time
from pathlib import Path

from cli import interrupts, service, stack
from cli.failure import CommandError
from cli.ready import prepare
from cli.screen import Screen
from cli.supervisor import Supervisor
from db import embedded
from db.session import database_url
from settings import Settings, get_settings, require_home, written_standard

_README = "README"
_MARK = "this folder belongs to 'aftercare demo' and is made anew each time"


def play(*, keep_open: bool) -> None:
    """Play the story; raises CommandError when a step of it did not happen, or it was stopped before its end."""
    screen = Screen()
    home = get_settings().home.absolute() / "demo"
    require_home(home.parent)
    _require_own(home)
    lock = service.lock_home(home, f"'aftercare up' or a demo is running on {home}; stop it first")
    try:
        interrupts.listen()
        service.stop_leftovers(home, screen)
        missing = _play(screen, _fresh(home), keep_open=keep_open)
    except KeyboardInterrupt:
        raise CommandError("the demo was stopped before its end") from None
    finally:
        lock.release()
    if missing:
        raise CommandError(f"{len(missing)} steps of the demo did not happen: {'; '.join(missing)}")


def _play(screen: Screen, settings: Settings, *, keep_open: bool) -> list[str]:
    with screen.status("Starting Postgres"):
        url, _ = prepare(migrate=True)
    env = stack.environment(settings, url)
    manager = Supervisor(settings.home, stack.programs(settings)[:1], env)
    try:
        manager.start()
        with screen.status("Starting the Prefect server; it makes its tables, which takes half a minute"):
            stack.wait_until_up(f"{settings.prefect_url}/api/health", manager, "prefect-server", seconds=180)
        # Prefect reads its settings when it is first imported: only now does it know where its server is.
        os.environ |= env | {"PREFECT_LOGGING_LEVEL": "WARNING"}
        from prefect.logging.handlers import APILogWorker

        from cli.story import tell

        try:
            missing = tell(screen, written_standard(), ui=settings.prefect_url)
        finally:
            # The last lines of the flows' logs go to the server while it is there.
            APILogWorker.drain_all(timeout=5)
        screen.say(f"\nLook around in Prefect: AFTERCARE_HOME={settings.home} {sys.argv[0]} up", lines=True)
        if keep_open:
            screen.say(f"Prefect's UI stays at {settings.prefect_url} until Ctrl-C.")
            _wait_for_an_end()
        return missing
    finally:
        interrupts.ignore()
        manager.stop()


def _wait_for_an_end() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)


def _require_own(home: Path) -> None:
    """Make the demo's folder. Raises CommandError when there is one that is not its own."""
    mark = home / _README
    if home.exists() and not mark.exists() and any(home.iterdir()):
        raise CommandError(f"{home} is not the demo's own folder; move it away")
    home.mkdir(exist_ok=True)
    mark.write_text(_MARK, "ascii")


def _fresh(home: Path) -> Settings:
    """The demo's home emptied, beside the real one, with a free port, so that the demo disturbs nothing."""
    embedded.stop(home / "postgres" / "data")
    for entry in home.iterdir():
        if entry.name in {_README, service.LOCK}:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    wished = get_settings()
    prefect_port = free_port(wished.prefect_port)
    os.environ["AFTERCARE_HOME"] = str(home)
    os.environ["AFTERCARE_PREFECT_PORT"] = str(prefect_port)
    # Whatever the real one uses: the demo's customers are invented, their numbers may be somebody's.
    os.environ |= {"AFTERCARE_SMS": "mailbox", "AFTERCARE_EMAIL": "mailbox"}
    os.environ.pop("AFTERCARE_DATABASE_URL", None)
    os.environ.pop("AFTERCARE_PREFECT_DATABASE_URL", None)
    for cached in (get_settings, written_standard, database_url):
        cached.cache_clear()
    fresh = get_settings()
    return fresh.model_copy(update={"home": Path(fresh.home)})


def free_port(wished: int) -> int:
    """The wished port if nothing uses it, else one that is free."""
    with socket.socket() as probe:
        if wished and probe.connect_ex(("127.0.0.1", wished)):
            return wished
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
