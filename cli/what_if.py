"""The same history under two standards, for who decides: a table in the terminal, and a page for the manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cli.screen import Grid, Screen
from domain.standard import Standard
from templates.environment import rendered
from templates.languages import language_for

_MOST_PEOPLE = 30


def show(screen: Screen, compared: Mapping[str, Any]) -> None:
    """Promises, waiting, messages and load side by side."""
    names = compared["names"]
    grid = Grid("", names["before"], names["now"], title="What if")
    for promise in compared["promises"]:
        what = f"{promise['clock']} {promise['priority'] or 'all'}"
        _row(grid, f"{what} broken", promise["broken"], _count)
        _row(grid, f"{what} kept", promise["kept"], "{:.1%}".format)
    for clock, waited in compared["waiting"].items():
        _row(grid, f"{clock}: half within", waited["half"], _time)
        _row(grid, f"{clock}: nine of ten within", waited["most"], _time)
    _row(grid, "messages to customers", compared["messages"]["to_customers"], _count)
    _row(grid, "messages to staff", compared["messages"]["to_staff"], _count)
    _row(grid, "people who worked", compared["people"], _count)
    _row(grid, "most tickets of one person", compared["busiest"]["tickets"], _count)
    _row(grid, "most hours in hand of one person", compared["busiest"]["hours_in_hand"], _count)
    screen.show(grid)


def page(compared: Mapping[str, Any], standard: Standard, *, language: str | None) -> str:
    """The page for a manager, in one file that needs nothing else."""
    organisation = standard.organisation
    zone = ZoneInfo(organisation.time_zone)
    language = language_for(language or organisation.default_language)
    values = {
        "compared": compared,
        **{side: compared[side] and compared[side].astimezone(zone).date() for side in ("since", "until")},
        "language": language,
        "time_zone": organisation.time_zone,
        "organisation": organisation.name.get(language, organisation.name[organisation.default_language]),
        "most_people": _MOST_PEOPLE,
        "link": None,
        "unsubscribe_link": None,
    }
    return rendered("layouts/what_if.html", values, autoescape=True)


def _row(grid: Grid, what: str, pair: Mapping[str, Any], written: Callable[[Any], str]) -> None:
    grid.row(what, *("-" if pair[side] is None else written(pair[side]) for side in ("before", "now")))


def _count(figure: float) -> str:
    return f"{figure:,}"


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
