"""Members of staff are let into the workbench by the command line."""

from __future__ import annotations

from clock import utc_now
from db import staff_accounts
from db.session import transaction
from domain.invitations import invited
from domain.passwords import is_right
from settings import kept_secret
from tests.cli.conftest import SUPERVISOR, Console

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
