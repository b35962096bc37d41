"""The customer pages and the API on a database of one's own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from clock import utc_now
from db import api_keys, seed, staff
from db.session import database_url, transaction
from domain.api_keys import Scope
from domain.lifecycle import CommandName
from domain.links import PATHS, Subject, sign
from domain.messages import LinkPurpose
from domain.people import Role
from domain.standard import Standard
from settings import get_settings, written_standard
from tests.conftest import read_cast
from tests.desk import Desk, snapshot
from web.api.description import PREFIX
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


@dataclass
class Api:
    """The API as another system uses it, with one key."""

    client: TestClient
    key: str
    prefix: str = PREFIX

    def get(self, path: str, *, if_none_match: str | None = None, **query: Any) -> Response:
        """Ask; what is None is not asked."""
        given = {name: value for name, value in query.items() if value is not None}
        known = {"If-None-Match": if_none_match} if if_none_match is not None else {}
        return self.client.get(f"{self.prefix}{path}", params=given, headers=self._key() | known)

    def post(
        self, path: str, body: Any, *, once: str | None = None, if_match: str | None = None, **headers: str
    ) -> Response:
        """Send JSON; with an idempotency key of its own unless one is given."""
        sent = self._key() | {"Idempotency-Key": once or uuid4().hex} | headers
        if if_match is not None:
            sent["If-Match"] = if_match
        return self.client.post(f"{self.prefix}{path}", json=body, headers=sent)

    def upload(
        self, number: str, content: bytes, *, name: str = "part.jpg", once: str | None = None, **fields: str
    ) -> Response:
        """Send a photo with the step or note that says what it shows; ``if_match`` is a header."""
        headers = self._key() | {"Idempotency-Key": once or uuid4().hex}
        if (if_match := fields.pop("if_match", None)) is not None:
            headers["If-Match"] = if_match
        address = f"{self.prefix}/tickets/{number}/attachments"
        return self.client.post(address, data=fields, files={"photo": (name, content)}, headers=headers)

    def give(self, number: str, command: CommandName, **values: Any) -> Response:
        """Give a command; ``once`` and ``if_match`` are headers."""
        headers = {name: values.pop(name) for name in ("once", "if_match") if name in values}
        return self.post(f"/tickets/{number}/commands/{command}", values, **headers)

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


MakeApi = Callable[..., Api]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An environment of one's own, read anew before and after."""
    caches = (get_settings, written_standard, database_url)
    monkeypatch.setenv("AFTERCARE_HOME", str(tmp_path))
    monkeypatch.setenv("AFTERCARE_SECRET_KEY", KEY)
    # A test may ask as often as it likes; what the limits do is shown in test_limits.py.
    monkeypatch.setenv("AFTERCARE_PAGE_REQUESTS_PER_MINUTE", "100000")
    monkeypatch.setenv("AFTERCARE_FAILED_LINKS_PER_MINUTE", "100000")
    for cached in caches:
        cached.cache_clear()
    yield monkeypatch
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def site(environment: pytest.MonkeyPatch, swept_database: str, standard: Standard) -> Iterator[Site]:
    """The pages on a database that nobody else uses meanwhile."""
    environment.setenv("AFTERCARE_DATABASE_URL", swept_database.replace("+psycopg", ""))
    with TestClient(create_app()) as client:
        yield Site(client, swept_database, standard)


@pytest.fixture
def make_api(site: Site) -> MakeApi:
    """The API with a key of a sample member of staff, in their own role unless told otherwise."""

    def make(
        member: str = "sun.jing",
        role: Role | None = None,
        scopes: Collection[Scope] = frozenset(Scope),
        expires_in: timedelta = timedelta(hours=1),
    ) -> Api:
        now = utc_now()
        with transaction(site.database) as connection:
            who = staff.actor(connection, seed.address(member))
            assert who.id is not None
            key = api_keys.create(
                connection,
                f"key of {member}",
                staff_id=who.id,
                role=role or who.role,
                scopes=scopes,
                expires_at=now + expires_in,
                now=now,
            )
        return Api(site.client, key)

    return make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    """The API with a supervisor's key that may do everything."""
    return make_api()


def problem_of(answer: Response) -> dict[str, Any]:
    """The problem in an answer, in the form that every problem has."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told: dict[str, Any] = answer.json()
    assert set(told) - {"errors", "current"} == {"type", "title", "status", "detail"}
    assert told["status"] == answer.status_code
    assert "Traceback" not in answer.text
    return told


def paths_of(answer: Response) -> set[str]:
    """The values that an answer says are wrong."""
    assert answer.status_code == 422, answer.text
    return {fault["path"] for fault in problem_of(answer)["errors"]}
