"""This file keeps programs running under a supervisord of our own, and finds those that an earlier one left behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psutil

from cli.failure import CommandError

_PATIENCE = 60
# A database or a Prefect server that is away for an hour ends those who start meanwhile; each pause is a second longer.
_NEVER_GIVE_UP = 10**6
# The last line of a traceback; a server that could not start says afterwards only that it could not.
_ERROR = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Violation|Refused)\w*: .+|(?:FATAL|ERROR): .+")
# How SQLAlchemy repeats what the driver said, which is what a person can mend.
_WRAPPING = re.compile(r"^sqlalchemy\.\S+: \(.+\) <class '[\w.]+'>: ")
_FOLLOWS = re.compile(r"RuntimeError: Server|ERROR: +Application startup failed|SystemExit")


@dataclass(frozen=True)
class Program:
    """One supervised process. ``priority``: started in this order, stopped in the opposite one."""

    name: str
    command: Sequence[str]
    priority: int
    autostart: bool = True


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
        self._seen: dict[str, str] = {}

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
        """Stop the programs in reverse order of their start, then supervisord, then whatever they left behind."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=_PATIENCE)
        stop_leftovers(self.home)

    def require_running(self) -> None:
        """Raise CommandError with the end of the log when supervisord itself has ended."""
        if self.process is not None and self.process.poll() is not None:
            tail = (self.logs / "supervisord.out").read_text("utf-8", "replace").strip().splitlines()[-3:]
            raise CommandError(f"the process manager ended: {' / '.join(tail)}; see {self.logs}")

    def require_program(self, program: str) -> None:
        """Raise CommandError with the cause its log gives when a program ended by itself, even if it runs again."""
        self.require_running()
        status = self.control("status", program)
        pid = re.search(r"pid (\d+)", status)
        ended = pid is not None and self._seen.setdefault(program, pid[1]) != pid[1]
        if ended or re.search(r"FATAL|BACKOFF|EXITED", status):
            raise CommandError(f"{program} does not stay up: {self.cause(program)}")

    def cause(self, program: str) -> str:
        """The last error in a program's log, else its last line; and where the log lies."""
        log = self.logs / f"{program}.log"
        written = log.read_text("utf-8", "replace") if log.exists() else ""
        lines = [line.strip() for line in written.splitlines() if line.strip()]
        errors = [line for line in lines if _ERROR.match(line) and not _FOLLOWS.match(line)]
        said = _WRAPPING.sub("", (errors or lines or ["it wrote nothing"])[-1])
        return f"{said}; its log is {log}"

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
                f"autostart={str(program.autostart).lower()}\nautorestart=true\nstartsecs=3\nstartretries={_NEVER_GIVE_UP}\nstopwaitsecs=20\n"
                f"stopasgroup=true\nkillasgroup=true\nredirect_stderr=true\n"
                f"stdout_logfile={self.logs}/{program.name}.log\nstdout_logfile_maxbytes=10MB\n"
                "stdout_logfile_backups=2\n"
            )
        return "\n".join(sections)


def stop_leftovers(home: Path) -> bool:
    """Stop what was started for this home and goes on without its ``aftercare``; returns whether there was anything."""
    found = list(processes_of(home.absolute()))
    # The process manager first: it would start the others again, and stops them in their order.
    managers = [process for process in found if _is_manager(process)]
    _end(managers, patience=_PATIENCE)
    _end([process for process in found if process not in managers], patience=10)
    return bool(found)


def processes_of(home: Path) -> Iterator[psutil.Process]:
    """Processes with the environment of this home's programs; nobody else sets both variables so."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            env = process.environ()
            is_of_home = env.get("AFTERCARE_HOME") == str(home) and env.get("PREFECT_HOME") == str(home / "prefect")
            if is_of_home and process.pid not in ours and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _is_manager(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "supervisor.supervisord" in process.cmdline()
    return False


def _end(processes: Sequence[psutil.Process], *, patience: float) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
