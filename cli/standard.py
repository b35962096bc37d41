"""``aftercare standard``: the figures in force, from when and why, and how they came to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import typer

from cli.ready import working
from cli.screen import Grid, Screen
from cli.ticket import local_time
from domain.standard import Standard, overlay, read_figures
from domain.standard_change import changed_figures, flat
from settings import get_settings

app = typer.Typer(no_args_is_help=True)


@app.command()
def show() -> None:
    """Every figure in force for new tickets, and which of them operations changed, when and why."""
    from db import standards

    with working() as (connection, standard):
        newest = standards.find_newest(connection)
    written = read_figures(get_settings().standard)
    present = overlay(written, newest["changes"]) if newest else written
    changed = {figure: before for figure, before, _ in changed_figures(written, present)}
    grid = Grid("Figure", "In force", "In the files", whole={"Figure"})
    for figure, value in flat(present):
        grid.row(figure, value, (changed[figure] or "-") if figure in changed else "")
    screen = Screen()
    screen.show(grid)
    screen.say(_said(newest, standard) if newest else "As in the files; operations have changed nothing.")


@app.command()
def history() -> None:
    """Every version, newest first, with what it changed and why."""
    from db import standards

    with working() as (connection, standard):
        versions = standards.history(connection)
    written = read_figures(get_settings().standard)
    befores = [overlay(written, version["changes"]) for version in versions[1:]] + [written]
    screen = Screen()
    for version, before in zip(versions, befores, strict=True):
        screen.say(_said(version, standard))
        grid = Grid("Figure", "Before", "Since then", whole={"Figure"})
        for figure, old, new in changed_figures(before, overlay(written, version["changes"])):
            grid.row(figure, old or "-", new or "-")
        screen.show(grid)
    if not versions:
        screen.say("As in the files; operations have changed nothing.")


def _said(version: Mapping[str, Any], standard: Standard) -> str:
    since = local_time(version["adopted_at"], ZoneInfo(standard.organisation.time_zone))
    return f"Version {version['id']}, in force since {since}, adopted by {version['adopted_by']}: {version['reason']}"
