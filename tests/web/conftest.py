"""The customer pages on a database of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from clock import utc_now
from db.session import database_url, transaction
from domain.links import PATHS, Subject, sign
from domain.messages import LinkPurpose
from domain.standard import Standard
from settings import get_settings, get_standard
from tests.conftest import read_cast
from tests.desk import Desk, snapshot
from web.app import create_app

KEY = "the key of the tests"


@dataclass
class Site:
    """The pages as a browser sees them, and the desk behind them."""

    client: TestClient
    database: str
    standard: Standard

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """A desk whose work is committed; the pages read the real time, so it works an hour ago."""
        with transaction(self.database) as connection:
            yield Desk(connection, self.standard, utc_now() - timedelta(hours=1), read_cast(connection).supervisor)

    def everything(self) -> dict[str, list[str]]:
        """All rows of all tables."""
        with transaction(self.database) as connection:
            return snapshot(connection)

    def state(self, ticket_id: int) -> str:
        """The ticket's state."""
        with self.desk() as desk:
            return str(desk.ticket(ticket_id)["state"])

    def link(self, purpose: LinkPurpose, subject_id: int, part: int = 0, *, hours: float = 24) -> str:
        """The path of a signed link that expires in ``hours``."""
        expires_at = utc_now() + timedelta(hours=hours)
        return f"/{PATHS[purpose]}/{sign(purpose, Subject(subject_id, part), key=KEY, expires_at=expires_at)}"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An environment of one's own, read anew before and after."""
    caches = (get_settings, get_standard, database_url)
    monkeypatch.setenv("AFTERCARE_HOME", str(tmp_path))
    monkeypatch.setenv("AFTERCARE_SECRET_KEY", KEY)
    for cached in caches:
        cached.cache_clear()
    yield monkeypatch
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def site(environment: pytest.MonkeyPatch, database: str, standard: Standard) -> Iterator[Site]:
    """The pages on their own database."""
    environment.setenv("AFTERCARE_DATABASE_URL", database.replace("+psycopg", ""))
    with TestClient(create_app()) as client:
        yield Site(client, database, standard)
