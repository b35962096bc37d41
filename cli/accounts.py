"""``aftercare staff password``, ``invite``, ``deactivate``: how staff get into the workbench, and out (S-72)."""

from __future__ import annotations

import sys
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli import colleagues
from cli.failure import CommandError
from cli.ready import working
from cli.screen import Grid, Screen
from cli.ticket import local_time
from clock import utc_now
from domain.exceptions import InvalidInputError
from domain.invitations import invite as written
from domain.passwords import LEAST, MOST, hash_password
from settings import get_settings

_MOST_HELD = 1000
Member = Annotated[str, typer.Argument(metavar="EMAIL", help="The member of staff: address, or a name only they have.")]


def password(
    email: Member,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from standard input.")] = False,
) -> None:
    """Set the password with which somebody signs in to the workbench; where they were signed in, they are out."""
    from db import staff_accounts

    with working() as (connection, _):
        who = colleagues.find(connection, email).id
        given = sys.stdin.readline().rstrip("\r\n") if stdin else _asked()
        try:
            kept = hash_password(given)
        except InvalidInputError:
            raise CommandError(f"the password must have {LEAST} to {MOST} characters; nothing was changed") from None
        if who is not None:
            staff_accounts.set_password(connection, who, kept)
    Screen().say(f"The password is set; sign in at {get_settings().web_url}/workbench.")


def invite(email: Member) -> None:
    """Print a link with which somebody chooses their own password, once."""
    from db import staff_accounts

    with working() as (connection, standard):
        who = colleagues.find(connection, email).id
        account = staff_accounts.get(connection, who) if who is not None else None
        if account is None:  # colleagues are always somebody
            raise CommandError(f"{email!r} is nobody who could sign in")
        expires_at = utc_now() + standard.workbench.invitation_lasts
        zone = ZoneInfo(standard.organisation.time_zone)
    settings = get_settings()
    token = written(account.staff_id, account.password_hash, key=settings.signing_key(), expires_at=expires_at)
    # The link alone on stdout, so that it can be piped to where it is sent from.
    Screen(stderr=True).say(f"Good for one password, until {local_time(expires_at, zone)}.")
    typer.echo(f"{settings.web_url}/workbench/invitation/{token}")


def deactivate(email: Member) -> None:
    """Let somebody in no more: signed out, keys ended, no new tickets. Lists what they still hold, to be handed on."""
    from db import staff_accounts, worklists

    with working() as (connection, standard):
        who = colleagues.find(connection, email).id
        if who is None:  # colleagues are always somebody
            raise CommandError(f"{email!r} is nobody who could leave")
        keys = staff_accounts.deactivate(connection, who, now=utc_now())
        held = worklists.of_member(connection, who, limit=_MOST_HELD)
        zone = ZoneInfo(standard.organisation.time_zone)
    screen = Screen()
    screen.say(f"{email} is no longer active: signed out, API keys ended: {keys}.")
    if held:
        screen.say("Still theirs; hand on with 'aftercare ticket assign', or on the workbench's board:")
    grid = Grid("Number", "Priority", "State", "Subject", "Due", whole={"Number"})
    for row in held:
        due = local_time(row["due_at"], zone) if row["due_at"] else ""
        grid.row(row["number"], row["priority"], row["state"], row["subject"], due)
    screen.show(grid, otherwise="They hold no open tickets.")


def _asked() -> str:
    if not sys.stdin.isatty():
        raise CommandError("there is no terminal to ask for the password; give it with --stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
