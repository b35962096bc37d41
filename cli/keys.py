"""``aftercare keys``: keys with which other systems use the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli import colleagues
from cli.failure import CommandError
from cli.people import named
from cli.ready import working
from cli.screen import Grid, Screen
from cli.ticket import local_time
from clock import utc_now
from domain.api_keys import Scope, prefix_of
from domain.people import STAFF_ROLES, Role

app = typer.Typer(no_args_is_help=True)

_DAYS, _MOST_DAYS = 365, 3650
Which = Annotated[str, typer.Argument(metavar="KEY", help="The key's first part, as 'keys list' shows it.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Which system uses it.")],
    member: Annotated[str, typer.Option("--for", help="The member of staff it acts as: address or name.")],
    role: Annotated[Role | None, typer.Option(help="In which role; none: the member's own.")] = None,
    scope: Annotated[list[Scope] | None, typer.Option(help="May be given twice; none: read.")] = None,
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="After how many days it expires.")] = _DAYS,
    replaces: Annotated[str | None, typer.Option(help="Rotation: the first part of the key to revoke.")] = None,
) -> None:
    """Make a key and show it, once: only a hash of it is kept."""
    from db import api_keys

    if role is not None and role not in STAFF_ROLES:
        raise CommandError(f"--role: {role.value!r} is no role of staff")
    now = utc_now()
    with working() as (connection, standard):
        zone = ZoneInfo(standard.organisation.time_zone)
        who = colleagues.find(connection, member)
        if who.id is None:  # colleagues are always somebody
            raise CommandError(f"--for: {member!r} is nobody a key could act as")
        expires_at = now + timedelta(days=days)
        key = api_keys.create(
            connection,
            named(name),
            staff_id=who.id,
            role=role or who.role,
            scopes=scope or [Scope.READ],
            expires_at=expires_at,
            now=now,
        )
        if replaces is not None:
            api_keys.revoke(connection, _prefix(replaces), now=now)
    # The key alone on stdout, so that it can be piped to where it is kept.
    Screen(stderr=True).say(f"Keep it now, it is not shown again. It expires on {local_time(expires_at, zone)}.")
    typer.echo(key)


@app.command("list")
def list_keys() -> None:
    """List all keys, the newest first."""
    from db import api_keys

    now = utc_now()
    with working() as (connection, standard):
        zone = ZoneInfo(standard.organisation.time_zone)
        rows = api_keys.list_all(connection)
    grid = Grid(
        "Key", "Name", "Acts as", "Role", "Scopes", "Expires", "Last used", "State", whole={"Key", "Expires", "State"}
    )
    for row in rows:
        acts = (row["name"], row["staff_name"] or "-", row["role"], ", ".join(row["scopes"]))
        moments = (local_time(row["expires_at"], zone), local_time(row["last_used_at"], zone))
        grid.row(f"ac_{row['prefix']}", *acts, *moments, _state(row["revoked_at"], row["expires_at"], now))
    Screen().show(grid, otherwise="No keys yet: 'aftercare keys create' makes one.")


@app.command()
def revoke(key: Which) -> None:
    """End a key at once; what was done with it stays recorded."""
    from db import api_keys

    with working() as (connection, _):
        row = api_keys.revoke(connection, _prefix(key), now=utc_now())
    Screen().say(f"The key ac_{row['prefix']} ({row['name']}) is revoked.")


def _prefix(text: str) -> str:
    """The prefix in ``ac_1a2b3c4d``, ``1a2b3c4d`` or a whole key."""
    return prefix_of(text.strip()) or text.strip().removeprefix("ac_")


def _state(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else "valid"
