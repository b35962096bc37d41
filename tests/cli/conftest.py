"""The real command ``aftercare``, in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from db.session import engine
from tests.conftest import create_database

AFTERCARE = Path(sys.executable).parent / "aftercare"
SUPERVISOR = "sun.jing@aftercare.example"
ENGINEER = "zhang.wei@aftercare.example"


# Each process is forked from one that has read the program already: what takes a command long is its imports.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["cli.main", "db.commands", "templates.render"])
_STREAMS = (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY))


def _begin(arguments: list[str], env: Mapping[str, str], cwd: Path, streams: Path) -> None:
    """What the console script does, in the process in which it is done."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for number, (name, flags) in enumerate(_STREAMS):
        os.dup2(os.open(streams / name, flags), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  multiprocessing has closed its own
    sys.argv = [str(AFTERCARE), *arguments]
    from cli.main import main

    sys.exit(main())  # type: ignore[func-returns-value]


@dataclass
class Console:
    """Runs the command with an environment of its own; ``env`` may be changed by a test."""

    home: Path
    database: str
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, typed: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end; ``typed`` comes from standard input."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERCARE_", "PREFECT_"))}
        own = {
            "AFTERCARE_HOME": str(self.home),
            "AFTERCARE_DATABASE_URL": self.database.replace("+psycopg", ""),
            "COLUMNS": "200",
        }
        with tempfile.TemporaryDirectory() as folder:
            streams = {name: Path(folder) / name for name, _ in _STREAMS}
            for name, path in streams.items():
                path.write_text((typed or "") if name == "stdin" else "")
            given = (list(arguments), inherited | own | self.env | env, self.home, Path(folder))
            process = _processes.Process(target=_begin, args=given)
            process.start()
            process.join(120)
            if process.exitcode is None:
                process.kill()
                raise subprocess.TimeoutExpired(list(arguments), 120)
            said = {name: path.read_text() for name, path in streams.items()}
        return subprocess.CompletedProcess(arguments, process.exitcode, said["stdout"], said["stderr"])

    def succeed(self, *arguments: str, **env: str) -> str:
        """What it printed; the test fails when the command does."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuse(self, *arguments: str, **env: str) -> str:
        """The one sentence with which it refuses, exit code 1, and nothing that looks like a crash."""
        done = self.run(*arguments, **env)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("aftercare: ")
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        return done.stderr


@pytest.fixture
def console(database: str, tmp_path: Path) -> Console:
    """The command on a database and a home of its own."""
    return Console(tmp_path, database)


@pytest.fixture(scope="module")
def used(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The command on a database that the tests of a module share, for commands that are refused."""
    name = f"refused_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = create_database(postgres, name, template=str(make_url(template_database).database))
    yield Console(tmp_path_factory.mktemp("home"), url)
    engine(url).dispose()


@pytest.fixture
def empty_database(postgres: str) -> Iterator[str]:
    """A database without a table."""
    url = create_database(postgres, f"bare_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
    yield url
    engine(url).dispose()
