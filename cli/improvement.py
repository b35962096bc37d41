"""``aftercare action``: what is being improved, by whom and by when."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.ready import working
from cli.screen import Grid, Screen
from clock import utc_now
from domain.improvement import is_overdue

app = typer.Typer(no_args_is_help=True)
_MOST_ENDED = 50


@app.command("list")
def list_actions(
    ended: Annotated[bool, typer.Option("--ended", help="Also those that were done or dropped lately.")] = False,
) -> None:
    """List open improvement actions, the one due first on top (S-54)."""
    from db import improvement_actions

    with working() as (connection, standard):
        zone = standard.organisation.time_zone
        rows = improvement_actions.list_open(connection)
        if ended:
            rows += improvement_actions.list_ended(connection, limit=_MOST_ENDED)
    now = utc_now()
    grid = Grid("Id", "Due on", "State", "Department", "Responsible", "Measure", whole={"Id", "Due on"})
    for row in rows:
        late = row["ended_at"] is None and is_overdue(row["due_on"], time_zone=zone, now=now)
        state = "overdue" if late else row["state"]
        grid.row(
            str(row["id"]),
            row["due_on"].isoformat(),
            state,
            row["department"],
            row["responsible_name"],
            row["measure"],
        )
    Screen().show(grid, otherwise="No improvement actions are open.")
