"""``aftercare report``: figures for people who decide, in the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from cli.failure import CommandError
from cli.ready import working
from cli.screen import Grid, Screen
from domain.exceptions import InvalidInputError

app = typer.Typer(no_args_is_help=True)
_DAY = ["%Y-%m-%d"]
_OPTIONS = {"first_day": "--from", "last_day": "--to"}


@app.callback()
def _group() -> None:
    """The group stays one with a single command."""


@app.command()
def appraisal(
    first: Annotated[datetime, typer.Option("--from", formats=_DAY, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=_DAY, help="Last day.")],
) -> None:
    """People and teams, each figure with its volume; nobody is ranked on a few tickets (S-57)."""
    from db import appraisal as measured
    from domain.appraisal import Measure, appraise
    from domain.spans import days_between

    with working() as (connection, standard):
        try:
            span = days_between(first.date(), last.date(), standard.organisation.time_zone)
        except InvalidInputError as error:
            raise CommandError(f"{_OPTIONS[error.field]}: {error.problem}") from None
        found = appraise(measured.measured(connection, since=span.since, until=span.until), standard.appraisal)

    for title, group in (("People", found.people), ("Teams", found.teams)):
        grid = Grid("rank", "name", "completed", *Measure, title=title)
        for one in group:
            figures = [one.figures.get(measure) for measure in Measure]
            said = [f"{figure.value:.2f} (n={figure.count})" if figure else "" for figure in figures]
            grid.row(one.rank or "too few", one.name, one.tickets, *said)
        Screen().show(grid, otherwise="Nothing happened in these days.")
