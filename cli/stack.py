"""This file starts and stops the processes of one Aftercare: Prefect server, worker and web, under supervisord."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx
import yaml
from sqlalchemy import text
from sqlalchemy.engine import make_url

from cli.failure import CommandError
from db.session import engine
from settings import Settings, kept_secret

WORK_POOL = "aftercare"
PREFECT_YAML = Path(__file__).parents[1] / "deployments" / "prefect.yaml"
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Program:
    """One supervised process. ``priority``: started in this order, stopped in the opposite one."""

    name: str
    command: Sequence[str]
    priority: int
    autostart: bool = True


def prefect_database(settings: Settings, url: str) -> str:
    """Prefect's own database as SQLAlchemy's asyncpg URL; created beside the product's when it is missing.

    Raises CommandError when it is missing and may not be created.
    """
    if settings.prefect_database_url is not None:
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
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Prefect keeps its runs for 14 days, its events for its own 7; the record of truth is the product's own.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "1209600",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    }


def programs(settings: Settings) -> list[Program]:
    """What ``aftercare up`` runs."""
    uvicorn = ["--factory", "--host", "127.0.0.1", "--port", str(settings.web_port), "--no-access-log"]
    worker = ["worker", "start", "--pool", WORK_POOL, "--name", "aftercare", "--limit", "10"]
    return [
        Program("prefect-server", [str(_BIN / "prefect"), "server", "start"], 10),
        Program("web", [sys.executable, "-m", "uvicorn", "web.app:create_app", *uvicorn], 20),
        Program("worker", [str(_BIN / "prefect"), *worker], 30, autostart=False),
    ]


class Supervisor:
    """A supervisord of our own with these programs; its files are in ``home/run``, its logs in ``home/logs``."""

    def __init__(self, home: Path, programs: Sequence[Program], env: dict[str, str]) -> None:
        self.home = home.absolute()
        self.logs = self.home / "logs"
        self.env = os.environ | env
        self.config = self.home / "run" / "supervisord.conf"
        self.config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        # The path of a Unix socket must be short, the home may be deep.
        mark = sha256(str(self.home).encode()).hexdigest()[:12]
        self.socket = Path(tempfile.gettempdir()) / f"aftercare-{os.getuid()}-{mark}.sock"
        self.config.write_text(self._render(programs), "utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start supervisord and the programs that start by themselves."""
        command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self.config)]
        with (self.logs / "supervisord.out").open("wb") as log:
            # A session of its own: Ctrl-C reaches us, and we stop the programs in order.
            self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, start_new_session=True)

    def control(self, *arguments: str) -> str:
        """Give supervisorctl a command, for example ``start worker``."""
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self.config), *arguments]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        return done.stdout

    def stop(self) -> None:
        """Stop the programs in reverse order of their start, then supervisord."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def require_running(self) -> None:
        """Raise CommandError with the end of the log when supervisord itself has ended."""
        if self.process is not None and self.process.poll() is not None:
            tail = (self.logs / "supervisord.out").read_text("utf-8", "replace").strip().splitlines()[-3:]
            raise CommandError(f"the process manager ended: {' / '.join(tail)}; see {self.logs}")

    def require_program(self, program: str) -> None:
        """Raise CommandError with the end of its log when a program cannot be kept running."""
        self.require_running()
        if re.search(r"FATAL|BACKOFF|EXITED", self.control("status", program)):
            raise CommandError(
                f"{program} does not stay up; its log {self.logs}/{program}.log ends:\n{self.tail(program)}"
            )

    def tail(self, program: str) -> str:
        """The last lines of a program's log."""
        lines = (self.logs / f"{program}.log").read_text("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-5:])

    def _render(self, programs: Sequence[Program]) -> str:
        run = self.config.parent
        sections = [
            f"[supervisord]\nlogfile={self.logs}/supervisord.log\npidfile={run}/supervisord.pid\nloglevel=info\n"
            f"user={os.getuid()}\nnodaemon=true\n",
            f"[unix_http_server]\nfile={self.socket}\nchmod=0600\n",
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n",
            f"[supervisorctl]\nserverurl=unix://{self.socket}\n",
        ]
        for program in programs:
            command = " ".join(f'"{part}"' if re.search(r"\s", part) else part for part in program.command)
            sections.append(
                f"[program:{program.name}]\ncommand={command.replace('%', '%%')}\npriority={program.priority}\n"
                f"autostart={str(program.autostart).lower()}\nautorestart=true\nstartsecs=3\nstopwaitsecs=20\n"
                f"stopasgroup=true\nkillasgroup=true\nredirect_stderr=true\n"
                f"stdout_logfile={self.logs}/{program.name}.log\nstdout_logfile_maxbytes=10MB\n"
                "stdout_logfile_backups=2\n"
            )
        return "\n".join(sections)


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
    """Wait until a program answers at an address. Raises CommandError with the end of its log."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(address, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(1)
        supervisor.require_program(program)
    raise CommandError(f"{address} did not answer in {seconds:.0f} s; its log ends:\n{supervisor.tail(program)}")


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
    run_prefect(["block", "register", "--module", "tasks.credentials"], env)
    run_prefect(["deploy", "--all", "--prefect-file", str(PREFECT_YAML)], env)


def require_credentials(env: dict[str, str], settings: Settings) -> None:
    """Raise SettingsError, which names each variable, when a chosen transport lacks something in its environment and
    its Prefect block."""
    os.environ.update(env)
    from channels.registry import require
    from tasks.credentials import with_blocks

    require(with_blocks(settings))


def start_windows(env: dict[str, str]) -> None:
    """Start a run of each windowed flow at once, rather than wait for its next slot with nobody awake."""
    # Prefect reads its settings when it is first imported: only now does it know where its server is.
    os.environ.update(env)
    from prefect.client.orchestration import get_client

    deployments = yaml.safe_load(PREFECT_YAML.read_text("utf-8"))["deployments"]
    with get_client(sync_client=True) as client:
        for deployment in deployments:
            if "window_seconds" in deployment.get("parameters", {}):
                flow_name = str(deployment["entrypoint"]).rpartition(".")[2]
                found = client.read_deployment_by_name(f"{flow_name}/{deployment['name']}")
                if not found.paused and any(schedule.active for schedule in found.schedules):
                    client.create_flow_run_from_deployment(found.id, tags=["start-up"])
