"""Members of staff are let into the workbench by the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from clock import utc_now
from db import api_keys, digests, staff, staff_accounts, staff_sessions
from db.models import Ticket
from db.session import transaction
from domain.api_keys import KeyRefusedError, Scope
from domain.digest_schedule import DigestPeriod, DigestWish
from domain.invitations import invited
from domain.lifecycle import TicketState
from domain.passwords import is_right
from domain.people import Role
from domain.standard import load_standard
from domain.tickets import ticket_number
from settings import kept_secret
from tests.cli.conftest import SUPERVISOR, Console
from tests.conftest import read_cast
from tests.desk import Desk

PASSWORD = "correct horse battery"


def _kept(console: Console) -> str | None:
    with transaction(console.database) as connection:
        account = staff_accounts.find(connection, SUPERVISOR)
    assert account is not None
    return account.password_hash


def test_a_password_is_set_from_standard_input_and_not_shown(console: Console) -> None:
    said = console.run("staff", "password", SUPERVISOR, "--stdin", typed=f"{PASSWORD}\n")

    assert is_right(_kept(console), PASSWORD)
    assert "/workbench" in said.stdout
    assert PASSWORD not in said.stdout + said.stderr


def test_what_is_no_password_and_who_is_nobody_changes_nothing(console: Console) -> None:
    short = console.run("staff", "password", SUPERVISOR, "--stdin", typed="short\n")
    unasked = console.run("staff", "password", SUPERVISOR, typed="")

    assert "10 to 200 characters" in short.stderr
    assert "--stdin" in unasked.stderr
    assert "no active member" in console.refuse("staff", "invite", "nobody@example.com")
    assert _kept(console) is None


def test_an_invitation_is_a_link_alone(console: Console) -> None:
    link = console.succeed("staff", "invite", SUPERVISOR).strip()

    staff_id, _ = invited(link.rpartition("/")[2], key=kept_secret(console.home, "signing_key"), now=utc_now())
    assert "/workbench/invitation/" in link
    with transaction(console.database) as connection:
        account = staff_accounts.find(connection, SUPERVISOR)
    assert account is not None
    assert account.staff_id == staff_id


def test_who_leaves_is_out_at_once_and_what_they_hold_is_listed(console: Console) -> None:
    now = utc_now()
    with transaction(console.database) as connection:
        account = staff_accounts.find(connection, SUPERVISOR)
        assert account is not None
        lasts = {"idle": timedelta(hours=1), "lasts": timedelta(days=1)}
        token = staff_sessions.start(connection, account.staff_id, now=now, **lasts)
        limits = {"scopes": frozenset(Scope), "expires_at": now + timedelta(days=1)}
        key = api_keys.create(connection, "shop", staff_id=account.staff_id, role=Role.SUPERVISOR, now=now, **limits)
        desk = Desk(connection, load_standard(), now, read_cast(connection).supervisor)
        ticket_id = desk.bring_to(TicketState.ASSIGNED)
        connection.execute(update(Ticket).where(Ticket.id == ticket_id).values(assignee_id=account.staff_id))

    said = console.succeed("staff", "deactivate", SUPERVISOR)

    assert ticket_number(ticket_id) in said
    assert "API keys ended: 1" in said
    with transaction(console.database) as connection:
        assert staff_accounts.find(connection, SUPERVISOR) is None
        assert staff_sessions.find(connection, token, idle=timedelta(hours=1), now=now) is None
        with pytest.raises(KeyRefusedError):
            api_keys.recognise(connection, key, now=now)
    assert "no active member" in console.refuse("staff", "deactivate", SUPERVISOR)


def test_the_last_administrator_stays(console: Console) -> None:
    with transaction(console.database) as connection:
        team = min(staff.team_ids(connection))
    first, last = (f"{name}@example.com" for name in ("root", "toor"))
    for address in (first, last):
        console.succeed("staff", "add", "Root", "--email", address, "--role", "administrator", "--team", team)

    assert "They hold no open tickets." in console.succeed("staff", "deactivate", first)
    assert "last administrator" in console.refuse("staff", "deactivate", last)
    with transaction(console.database) as connection:
        assert staff_accounts.find(connection, last) is not None


def test_a_managers_digest_is_chosen_and_nobody_elses(console: Console) -> None:
    manager = "ma.chao@aftercare.example"
    said = console.succeed(
        *("staff", "digest", manager, "--every", "monthly", "--region", "east", "--on", "friday", "--hour", "17")
    )

    assert "monthly of east, on friday at 17:00" in said
    with transaction(console.database) as connection:
        who = staff.actor(connection, manager)
        assert who.id is not None
        assert digests.wish_of(connection, who.id) == DigestWish(DigestPeriod.MONTHLY, "east", 4, 17)
    assert "no team serves 'atlantis'" in console.refuse("staff", "digest", manager, "--region", "atlantis")
    assert "the digest is for managers" in console.refuse("staff", "digest", SUPERVISOR)
    assert "No more digests" in console.succeed("staff", "digest", manager, "--every", "never")
