"""This file knows what one Aftercare consists of: its programs, their environment, and what Prefect is told of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.engine import make_url

import logs
from channels import registry
from cli.failure import CommandError
from cli.supervisor import Program, Supervisor
from db.session import engine, require_usable
from settings import Settings, kept_secret

WORK_POOL = "aftercare"
PREFECT_YAML = Path(__file__).parents[1] / "deployments" / "prefect.yaml"
_BIN = Path(sys.executable).parent


def prefect_database(settings: Settings, url: str) -> str:
    """Prefect's own database as SQLAlchemy's asyncpg URL; created beside the product's when it is missing.

    Raises CommandError when it is missing and may not be created.
    """
    if settings.prefect_database_url is not None:
        require_usable(settings.prefect_database_url, named="AFTERCARE_PREFECT_DATABASE_URL")
        return make_url(settings.prefect_database_url).set(drivername="postgresql+asyncpg").render_as_string(False)
    own = make_url(url).set(database="prefect")
    with engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        exists = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = 'prefect'")).scalar()
        if not exists:
            try:
                connection.execute(text("CREATE DATABASE prefect"))
            except Exception as error:
                raise CommandError(
                    "there is no database 'prefect' and this user may not create it; "
                    "create it or set AFTERCARE_PREFECT_DATABASE_URL"
                ) from error
    return own.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def environment(settings: Settings, url: str) -> dict[str, str]:
    """The environment of every process of this Aftercare."""
    home = settings.home.absolute()
    return {
        # Flow runs are started as "python -m prefect.engine": it must be this environment's python.
        "PATH": f"{_BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "AFTERCARE_HOME": str(home),
        "AFTERCARE_DATABASE_URL": url.replace("postgresql+psycopg://", "postgresql://"),
        "AFTERCARE_WEB_PORT": str(settings.web_port),
        "AFTERCARE_PREFECT_PORT": str(settings.prefect_port),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"{settings.prefect_url}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": prefect_database(settings, url),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(settings.prefect_port),
        "PREFECT_SERVER_ENCRYPTION_KEY": kept_secret(home, "prefect_encryption_key"),
        # Nothing that comes along is to report to its makers from a service that holds customers' words.
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Prefect keeps its runs for 14 days, its events for its own 7; the record of truth is the product's own.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "1209600",
        # Our server, on 127.0.0.1, wants no CSRF tokens: no client need ask for one before its first request.
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        # glibc keeps memory for each thread apart, which programs that run one thread at a time need not.
        "MALLOC_ARENA_MAX": "1",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    } | (dict(logs.FOR_PREFECT) if settings.log == "json" else {})


def programs(settings: Settings) -> list[Program]:
    """What ``aftercare up`` runs."""
    # Whom to believe about X-Forwarded-For says AFTERCARE_TRUSTED_PROXIES; uvicorn would believe every local program.
    uvicorn = ["--factory", "--host", "127.0.0.1", "--port", str(settings.web_port), "--no-access-log"]
    uvicorn.append("--no-proxy-headers")
    worker = ["start", "--pool", WORK_POOL, "--name", "aftercare", "--limit", "10"]
    return [
        Program("prefect-server", [str(_BIN / "prefect"), "server", "start"], 10),
        Program("web", [sys.executable, "-m", "uvicorn", "web.app:create_app", *uvicorn], 20),
        Program("worker", [sys.executable, "-m", "flows.worker", *worker], 30, autostart=False),
    ]


def require_free(port: int, setting: str, what: str) -> None:
    """Raise CommandError, which names the setting to change, when a port is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"port {port}, meant for {what}, is in use; stop what uses it or set {setting} to another port"
            ) from None


def wait_until_up(address: str, supervisor: Supervisor, program: str, *, seconds: float) -> None:
    """Wait until a program answers at an address. Raises CommandError with the cause its log gives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(address, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(1)
        supervisor.require_program(program)
    raise CommandError(f"{address} did not answer in {seconds:.0f} s: {supervisor.cause(program)}")


def run_prefect(arguments: Sequence[str], env: dict[str, str]) -> None:
    """Run a ``prefect`` command against our server. Raises CommandError with the end of its output."""
    command = [str(_BIN / "prefect"), "--no-prompt", *arguments]
    done = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise CommandError(f"'prefect {' '.join(arguments)}' failed:\n{tail}")


def deploy(env: dict[str, str]) -> None:
    """Create the work pool if it is missing, and every deployment; a schedule that was paused stays paused."""
    run_prefect(["work-pool", "create", WORK_POOL, "--type", "process", "--overwrite"], env)
    for module in ("tasks.credentials", "tasks.operations_alarm"):
        run_prefect(["block", "register", "--module", module], env)
    run_prefect(["deploy", "--all", "--prefect-file", str(PREFECT_YAML)], env)


def require_credentials(env: dict[str, str], settings: Settings) -> None:
    """Raise SettingsError, which names each variable, when a chosen transport lacks something in its environment and
    its Prefect block."""
    os.environ.update(env)
    from tasks.credentials import with_blocks

    registry.require(with_blocks(settings))


def require_possible_credentials(env: dict[str, str], settings: Settings) -> None:
    """Raise SettingsError like ``require_credentials``, before any server is started, where there can be no block:
    Prefect's database was never used."""
    url = make_url(env["PREFECT_API_DATABASE_CONNECTION_URL"]).set(drivername="postgresql+psycopg")
    with engine(url.render_as_string(hide_password=False)).connect() as connection:
        has_blocks = connection.execute(text("SELECT to_regclass('block_document')")).scalar()
    if has_blocks is None:
        registry.require(settings)
