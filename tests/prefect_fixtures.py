"""A real Prefect server on the tests' Postgres, and the product pointed at a database of one's own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from cli import stack
from db.session import database_url
from settings import get_settings, written_standard


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def prefect_api(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API address of a Prefect server of this session; flows called in tests report to it."""
    home = tmp_path_factory.mktemp("prefect")
    port = _free_port()
    admin = create_engine(postgres, isolation_level="AUTOCOMMIT")
    name = f"prefect_{port}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(postgres).set(database=name, drivername="postgresql+asyncpg").render_as_string(hide_password=False)
    env = os.environ | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_DATABASE_CONNECTION_URL": url,
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    command = [str(Path(sys.executable).parent / "prefect"), "server", "start"]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
    api = f"http://127.0.0.1:{port}/api"
    try:
        _wait_for(f"{api}/health", server, home / "server.log")
        from prefect.settings import (
            PREFECT_API_URL,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
            PREFECT_HOME,
            temporary_settings,
        )

        # Without heartbeats: each run would wait up to a second at its end for the thread that sends them.
        with temporary_settings({PREFECT_API_URL: api, PREFECT_HOME: home, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield api
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(address, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def deployed(prefect_api: str) -> None:
    """Our deployments are on the Prefect server."""
    stack.deploy(os.environ | {"PREFECT_API_URL": prefect_api})


@pytest.fixture
def product(prefect_api: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The product's database, used by flows of this process and, through the environment, of others."""
    monkeypatch.setenv("AFTERCARE_DATABASE_URL", database.replace("postgresql+psycopg://", "postgresql://"))
    monkeypatch.setenv("AFTERCARE_HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    caches = (get_settings, written_standard, database_url)
    for cached in caches:
        cached.cache_clear()
    yield database
    for cached in caches:
        cached.cache_clear()
