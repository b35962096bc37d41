"""``aftercare webhook``: which other systems are told of events, and how that goes."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.ready import working
from cli.screen import Grid, Screen
from cli.ticket import local_time
from clock import utc_now

app = typer.Typer(no_args_is_help=True)

Which = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="As 'webhook list' shows it.")]


@app.command("list")
def list_webhooks() -> None:
    """List the systems that are told; the API subscribes them (docs/api.md)."""
    from db import webhooks

    with working() as (connection, standard):
        zone = ZoneInfo(standard.organisation.time_zone)
        rows = webhooks.list_all(connection)
    grid = Grid("Id", "Name", "Address", "Events", "Owed", "Last taken", "State", whole={"Id", "Owed", "State"})
    for row in rows:
        state = "told"
        if row["paused_at"] is not None:
            state = f"paused: {row['pause_code']}"
        elif row["failures"]:
            state = f"out of reach: {row['last_code']}"
        grid.row(
            str(row["id"]),
            row["name"],
            row["url"],
            ", ".join(row["kinds"]) or "all",
            str(row["owed"]),
            local_time(row["last_taken_at"], zone),
            state,
        )
    Screen().show(grid, otherwise="Nobody is told: POST /api/v1/webhooks subscribes a system.")


@app.command()
def resume(subscription: Which) -> None:
    """Send again to a system that was paused or is left alone: what happened meanwhile is sent now."""
    from db import webhooks

    with working() as (connection, _):
        row = webhooks.resume(connection, subscription, now=utc_now())
    Screen().say(f"{row['name']} is told again; it is owed {row['owed']}.")


@app.command()
def end(subscription: Which) -> None:
    """Tell a system nothing any more; what it is owed is forgotten."""
    from db import webhooks

    with working() as (connection, _):
        webhooks.end(connection, subscription, now=utc_now())
    Screen().say(f"Subscription {subscription} has ended.")
