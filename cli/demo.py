"""The demo: a week of service played through real flow runs, on a Postgres and a Prefect server of its own."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from pathlib import Path

from cli import stack
from cli.failure import CommandError
from cli.ready import prepare
from cli.screen import Screen
from db.session import database_url
from settings import Settings, get_settings, get_standard

_MARK = "this folder belongs to 'aftercare demo' and is made anew each time"


def play(*, keep_open: bool) -> None:
    """Play the story; raises CommandError when a step of it did not happen."""
    console = Screen()
    settings = _own_home(get_settings())
    with console.status("Starting Postgres"):
        url, _ = prepare(migrate=True)
    env = stack.environment(settings, url)
    supervisor = stack.Supervisor(settings.home, stack.programs(settings)[:1], env)
    try:
        supervisor.start()
        with console.status("Starting the Prefect server; it makes its tables, which takes half a minute"):
            stack.wait_until_up(f"{settings.prefect_url}/api/health", supervisor, "prefect-server", seconds=180)
        # Prefect reads its settings when it is first imported: only now does it know where its server is.
        os.environ |= env | {"PREFECT_LOGGING_LEVEL": "WARNING"}
        from cli.story import tell

        missing = tell(console, get_standard(), ui=settings.prefect_url)
        console.say(f"\nLook around in Prefect: AFTERCARE_HOME={settings.home} {sys.argv[0]} up", lines=True)
        if keep_open:
            console.say(f"Prefect's UI stays at {settings.prefect_url} until Ctrl-C.")
            while True:
                time.sleep(1)
    except KeyboardInterrupt:
        return
    finally:
        supervisor.stop()
    if missing:
        raise CommandError(f"{len(missing)} steps of the demo did not happen: {'; '.join(missing)}")


def _own_home(settings: Settings) -> Settings:
    """A fresh home beside the real one, with a free port, so that the demo disturbs nothing."""
    home = settings.home.absolute() / "demo"
    mark = home / "README"
    if home.exists():
        if not mark.exists():
            raise CommandError(f"{home} is not the demo's own folder; move it away")
        shutil.rmtree(home)
    home.mkdir(parents=True)
    mark.write_text(_MARK, "ascii")
    os.environ["AFTERCARE_HOME"] = str(home)
    os.environ["AFTERCARE_PREFECT_PORT"] = str(free_port(settings.prefect_port))
    # Whatever the real one uses: the demo's customers are invented, their numbers may be somebody's.
    os.environ |= {"AFTERCARE_SMS": "mailbox", "AFTERCARE_EMAIL": "mailbox"}
    os.environ.pop("AFTERCARE_DATABASE_URL", None)
    os.environ.pop("AFTERCARE_PREFECT_DATABASE_URL", None)
    for cached in (get_settings, get_standard, database_url):
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
