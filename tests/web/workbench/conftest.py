"""Members of staff at the workbench, who sign in as people do, on the pages' own database."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from db import seed, staff, staff_accounts
from db.models import Staff
from db.session import transaction
from domain.passwords import hash_password
from domain.people import Role
from tests.web.conftest import Site
from tests.web.workbench.forms import Bench
from web.app import create_app

PASSWORD = "correct horse battery"

MakeBench = Callable[..., Bench]


@cache
def kept_password() -> str:
    """Hashed once: it takes its time by design."""
    return hash_password(PASSWORD)


@pytest.fixture
def make_bench(site: Site) -> MakeBench:
    """A sample member of staff, signed in; in their own role unless told otherwise."""

    def make(member: str = "sun.jing", *, role: Role | None = None) -> Bench:
        with transaction(site.database) as connection:
            who = staff.actor(connection, seed.address(member))
            assert who.id is not None
            staff_accounts.keep_hash(connection, who.id, kept_password())
            if role:
                connection.execute(update(Staff).where(Staff.id == who.id).values(role=role.value))
        client = TestClient(create_app())
        form = {"email": seed.address(member), "password": PASSWORD}
        answer = client.post("/workbench/sign-in", data=form, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return Bench(client, who.id)

    return make


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """The supervisor at the workbench."""
    return make_bench()
