"""What every test may use: a real Postgres, a connection that leaves no trace, a database of one's own, a cast."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from db import embedded, intake, reference, schema, seed, staff
from db.models import Base
from db.session import engine
from domain.intake import CustomerDetails, Report
from domain.people import Actor, Role
from domain.standard import Standard, load_standard
from domain.tickets import Channel, Impact
from tests.desk import Desk

pytest_plugins = ["tests.prefect_fixtures", "tests.vendors.fixtures"]

_numbers = itertools.count(1)
_LONGEST_NAME = 60


def pytest_make_parametrize_id(val: object) -> str | None:
    """A name for a long value: pytest would write it out, be it megabytes, and hand it from process to process."""
    if isinstance(val, str | bytes) and len(val) > _LONGEST_NAME:
        return f"{val[:20]!a} of {len(val)}"
    return None


@pytest.fixture
def now() -> datetime:
    """A Tuesday, 10:00 in Shanghai."""
    return datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def standard() -> Standard:
    """The default service standard."""
    return load_standard()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """SQLAlchemy URL of a real server, without a database: the one given, else an embedded one of this session."""
    given = os.environ.get("AFTERCARE_TEST_DATABASE_URL")
    if given:
        yield given.replace("postgresql://", "postgresql+psycopg://")
        return
    # Not in pytest's folder: whenever another pytest begins, it shuts that folder to the user that Postgres runs as.
    with tempfile.TemporaryDirectory(prefix="aftercare-tests-", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "data")
        url = server.url("postgres")
        _forgo_durability(url)
        yield url
        server.close()


def _forgo_durability(postgres: str) -> None:
    """The tests shoot processes, never the machine: nothing needs to reach the disk before it is said to be stored."""
    admin = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


def create_database(postgres: str, name: str, *, template: str = "template1") -> str:
    admin = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    admin.dispose()
    return make_url(postgres).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template_database(postgres: str, standard: Standard) -> str:
    """A migrated database with calendars and the sample staff, that others are copied from; nobody is connected."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    url = create_database(postgres, f"template_{worker}")
    schema.upgrade(url)
    with engine(url).begin() as connection:
        reference.sync_calendars(connection, standard)
        seed.add_staff(connection)
    engine(url).dispose()
    return url


@pytest.fixture(scope="session")
def shared_database(postgres: str, template_database: str) -> str:
    """The database of all tests that roll back."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return create_database(postgres, f"shared_{worker}", template=str(make_url(template_database).database))


@pytest.fixture
def connection(shared_database: str) -> Iterator[Connection]:
    """A connection whose transaction is rolled back at the end of the test."""
    with engine(shared_database).connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def database(postgres: str, template_database: str) -> Iterator[str]:
    """The URL of a fresh database of one's own, for tests with several connections or processes."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    url = create_database(
        postgres, f"own_{worker}_{next(_numbers)}", template=str(make_url(template_database).database)
    )
    yield url
    engine(url).dispose()


@dataclass(frozen=True)
class UsedDatabase:
    """A database that one test after the other uses, all with the connections of this process."""

    url: str
    statements: str

    def sweep(self) -> None:
        """Make it as if it were fresh: a fresh one, and new connections to it, take ten times as long."""
        with engine(self.url).begin() as connection:
            connection.exec_driver_sql(self.statements)


@pytest.fixture(scope="session")
def used_database(postgres: str, template_database: str) -> UsedDatabase:
    """A copy of the template that knows the way back."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    url = create_database(postgres, f"used_{worker}", template=str(make_url(template_database).database))
    tables = [table.name for table in Base.metadata.sorted_tables]
    with engine(url).begin() as connection:
        filled = [name for name in tables if connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first()]
        connection.execute(text("CREATE SCHEMA template"))
        for name in filled:
            connection.execute(text(f"CREATE TABLE template.{name} AS TABLE public.{name}"))
        sequences = connection.execute(text("SELECT sequencename, last_value FROM pg_sequences")).all()
    statements = [
        "SET LOCAL lock_timeout = '10s'",
        "SET LOCAL session_replication_role = replica",  # neither keys nor the guard of the history
        *(f"DELETE FROM {name}" for name in tables),
        *(f"INSERT INTO {name} SELECT * FROM template.{name}" for name in filled),
        *(f"SELECT setval('{name}', {last or 1}, {last is not None})" for name, last in sequences),
    ]
    return UsedDatabase(url, "; ".join(statements))


@pytest.fixture
def swept_database(used_database: UsedDatabase) -> str:
    """The URL of a database as if it were fresh, for tests of this process alone."""
    used_database.sweep()
    return used_database.url


@dataclass(frozen=True)
class Cast:
    """Sample staff as actors."""

    senior: Actor
    engineer: Actor
    agent: Actor
    supervisor: Actor
    manager: Actor


@pytest.fixture
def cast(connection: Connection) -> Cast:
    """People of the eastern region."""
    return read_cast(connection)


def read_cast(connection: Connection) -> Cast:
    """The sample staff of the eastern region in a database."""
    names = ("li.jianguo", "zhang.wei", "liu.fang", "sun.jing", "ma.chao")
    return Cast(*(staff.actor(connection, seed.address(name)) for name in names))


@pytest.fixture
def desk(connection: Connection, standard: Standard, now: datetime, cast: Cast) -> Desk:
    """A desk on the connection that leaves no trace; the supervisor works unless a test says otherwise."""
    return Desk(connection, standard, now, cast.supervisor)


MakeTicket = Callable[..., int]


@pytest.fixture
def make_ticket(connection: Connection, standard: Standard, now: datetime) -> MakeTicket:
    """Opens a ticket of a new customer and returns its id; what is not said is valid."""

    def make(
        *, at: datetime = now, description: str = "空调不制冷", impact: Impact | None = None, **details: str
    ) -> int:
        number = next(_numbers)
        customer = CustomerDetails(
            **{"name": f"Customer {number}", "email": f"customer{number}@example.com", "region": "east", **details}
        )
        report = Report(channel=Channel.HOTLINE, description=description, impact=impact)
        customer_id = intake.find_or_add_customer(connection, customer, standard=standard, now=at)
        actor = Actor(Role.CUSTOMER, customer_id)
        return intake.open_ticket(connection, customer_id, report, actor, standard=standard, now=at).ticket_id

    return make


@pytest.fixture(scope="session")
def shared_material() -> Path:
    """The folder of shared material that the project's own check provides; the test is skipped where it is absent."""
    folder = os.environ.get("AFTERCARE_SHARED")
    if not folder or not Path(folder).is_dir():
        pytest.skip("AFTERCARE_SHARED names no folder: the real help-desk log is not part of the project")
    return Path(folder)
