"""A real browser on a real web process: both on a database of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from clock import utc_now
from db import seed, staff, staff_accounts
from db.session import database_url, transaction
from domain.links import PATHS, Subject, sign
from domain.messages import LinkPurpose
from domain.passwords import hash_password
from domain.standard import Standard, load_standard
from settings import get_settings, written_standard
from tests.browser.browsing import NAMES, Reader, executable, launch
from tests.conftest import read_cast
from tests.desk import Desk
from tests.vendors.fixtures import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEY = "the key of the browser tests"
PASSWORD = "correct horse battery"
SUPERVISORS = {"zh-CN": "sun.jing", "en": "carol.king"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker drives the browser: two at once would only wait for each other."""
    missing = pytest.mark.skip(reason=f"no browser: none of {', '.join(NAMES)} is installed")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))
            if executable() is None:
                item.add_marker(missing)


@cache
def _kept_password() -> str:
    """Hashed once: it takes its time by design."""
    return hash_password(PASSWORD)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@dataclass
class Site:
    """The web process, and the desk behind it."""

    address: str
    database: str
    standard: Standard

    @contextmanager
    def desk(self, *, hours_ago: float = 1) -> Iterator[Desk]:
        """A desk whose work is committed; the pages read the real time, so it works some time ago."""
        with transaction(self.database) as connection:
            now = utc_now() - timedelta(hours=hours_ago)
            yield Desk(connection, self.standard, now, read_cast(connection).supervisor)

    def sign_in(self, reader: Reader, member: str) -> None:
        """At the workbench, as a member of the sample staff."""
        with transaction(self.database) as connection:
            who = staff.actor(connection, seed.address(member))
            assert who.id is not None
            staff_accounts.keep_hash(connection, who.id, _kept_password())
        reader.open("/workbench/sign-in")
        reader.page.locator('[name="email"]').fill(seed.address(member))
        reader.page.locator('[name="password"]').fill(PASSWORD)
        reader.page.locator("main form button").click()
        reader.page.wait_for_url("**/workbench")

    def link(self, purpose: LinkPurpose, subject_id: int, part: int = 0, *, hours: float = 24) -> str:
        """The path of a signed link that expires in ``hours``."""
        expires_at = utc_now() + timedelta(hours=hours)
        return f"/{PATHS[purpose]}/{sign(purpose, Subject(subject_id, part), key=KEY, expires_at=expires_at)}"


@contextmanager
def serving(database: str, home: Path) -> Iterator[Site]:
    """A web process as ``aftercare up`` starts it, this process pointed at the same database and settings."""
    port = free_port()
    caches = (get_settings, written_standard, database_url)
    monkeypatch = pytest.MonkeyPatch()
    for name, value in {
        "AFTERCARE_HOME": str(home),
        "AFTERCARE_DATABASE_URL": database.replace("+psycopg", ""),
        "AFTERCARE_SECRET_KEY": KEY,
        "AFTERCARE_WEB_PORT": str(port),
        "AFTERCARE_STANDARD": str(HERE / "standard.toml"),
    }.items():
        monkeypatch.setenv(name, value)
    for cached in caches:
        cached.cache_clear()
    command = [sys.executable, "-m", "uvicorn", "web.app:create_app", "--factory", "--port", str(port)]
    process = subprocess.Popen([*command, "--no-access-log", "--log-level", "warning"], cwd=ROOT, env={**os.environ})
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/health", process)
        yield Site(address, database, load_standard(HERE / "standard.toml"))
    finally:
        process.terminate()
        process.wait(timeout=10)
        monkeypatch.undo()
        for cached in caches:
            cached.cache_clear()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, "the web process ended"
        try:
            if httpx.get(address, timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the web process does not answer")
