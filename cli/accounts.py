"""``aftercare staff password`` and ``invite``: how members of staff get into the workbench (S-72)."""

from __future__ import annotations

import sys
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli import colleagues
from cli.failure import CommandError
from cli.ready import working
from cli.screen import Screen
from cli.ticket import local_time
from clock import utc_now
from domain.exceptions import InvalidInputError
from domain.invitations import invite as written
from domain.passwords import LEAST, MOST, hash_password
from settings import get_settings

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


def _asked() -> str:
    if not sys.stdin.isatty():
        raise CommandError("there is no terminal to ask for the password; give it with --stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
