"""The process manager: it tells why a program does not stay up, and what it left behind is found by the next start."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli.failure import CommandError
from cli.service import lock_home
from cli.supervisor import Program, Supervisor, stop_leftovers
from tests.cli.conftest import Console


def _supervisor(home: Path, script: str) -> Supervisor:
    env = {"AFTERCARE_HOME": str(home), "PREFECT_HOME": str(home / "prefect")}
    supervisor = Supervisor(home, [Program("one", [sys.executable, "-c", script], 10)], env)
    supervisor.start()
    return supervisor


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home in which nothing runs any more after the test."""
    yield tmp_path
    stop_leftovers(tmp_path)


def _pid_of(supervisor: Supervisor) -> int:
    end = time.monotonic() + 30
    while "RUNNING" not in supervisor.control("status", "one"):
        assert time.monotonic() < end
        time.sleep(0.5)
    return int(supervisor.control("pid", "one"))


def test_what_a_killed_start_left_running_is_stopped(home: Path) -> None:
    supervisor = _supervisor(home, "import time; time.sleep(600)")
    program = _pid_of(supervisor)
    assert supervisor.process is not None

    assert stop_leftovers(home)

    assert supervisor.process.wait(10) is not None
    assert not psutil.pid_exists(program)
    assert not stop_leftovers(home)


def test_programs_whose_manager_was_killed_too_are_found(home: Path) -> None:
    supervisor = _supervisor(home, "import time; time.sleep(600)")
    program = _pid_of(supervisor)
    assert supervisor.process is not None
    os.kill(supervisor.process.pid, signal.SIGKILL)
    supervisor.process.wait()

    assert stop_leftovers(home)

    assert not psutil.pid_exists(program)


def test_another_home_is_left_alone(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    supervisor = _supervisor(home, "import time; time.sleep(600)")
    _pid_of(supervisor)

    assert not stop_leftovers(tmp_path_factory.mktemp("other"))
    assert "RUNNING" in supervisor.control("status", "one")
    supervisor.stop()


def test_a_program_that_ends_again_and_again_is_said_with_its_last_error_within_seconds(home: Path) -> None:
    supervisor = _supervisor(home, "import time; time.sleep(4); raise PermissionError('the table may not be written')")
    end = time.monotonic() + 30

    def watch() -> None:
        while time.monotonic() < end:
            supervisor.require_program("one")
            time.sleep(0.5)

    with pytest.raises(CommandError, match=r"one does not stay up: PermissionError: the table may not be written"):
        watch()


class TestTheDemo:
    def test_leaves_a_home_alone_that_is_in_use(self, console: Console) -> None:
        home = console.home / "demo"
        home.mkdir()
        (home / "README").write_text("x")
        (home / "treasure").write_text("x")
        lock = lock_home(home, "free")

        try:
            assert "is running on" in console.refuse("demo")
        finally:
            lock.release()
        assert (home / "treasure").exists()

    def test_leaves_a_folder_alone_that_is_not_its_own(self, console: Console) -> None:
        (console.home / "demo").mkdir()
        (console.home / "demo" / "treasure").write_text("x")

        assert "not the demo's own folder" in console.refuse("demo")
        assert (console.home / "demo" / "treasure").exists()


class TestUp:
    def test_without_a_vendors_credentials_is_refused_before_anything_is_started(self, console: Console) -> None:
        prefect = console.database.replace("+psycopg", "")
        ports = {"AFTERCARE_WEB_PORT": str(_free_port()), "AFTERCARE_PREFECT_PORT": str(_free_port())}
        started = time.monotonic()

        sentence = console.refuse(
            "up",
            AFTERCARE_SMS="twilio",
            TWILIO_ACCOUNT_SID="AC1",
            TWILIO_FROM="+15005550006",
            AFTERCARE_PREFECT_DATABASE_URL=prefect,
            **ports,
        )

        assert "TWILIO_AUTH_TOKEN" in sentence
        assert "TWILIO_FROM" not in sentence
        assert time.monotonic() - started < 30
        assert not (console.home / "logs" / "prefect-server.log").exists()

    def test_names_the_variable_of_prefects_database(self, console: Console) -> None:
        ports = {"AFTERCARE_WEB_PORT": str(_free_port()), "AFTERCARE_PREFECT_PORT": str(_free_port())}
        url = "postgresql://prefect:secret@127.0.0.1:1/prefect"

        sentence = console.refuse("up", AFTERCARE_PREFECT_DATABASE_URL=url, **ports)

        assert "AFTERCARE_PREFECT_DATABASE_URL" in sentence
        assert "refused" in sentence
        assert "secret" not in sentence


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
