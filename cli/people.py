"""``aftercare staff``: who serves, in which team."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import IntegrityError

from cli.failure import CommandError
from cli.ready import working
from cli.screen import Grid, Screen
from cli.ticket import require_language
from domain.commands import describe_fault
from domain.contact import normalise_email
from domain.people import Department, Role, Tier
from domain.texts import ShortText

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_staff() -> None:
    """List staff by tier and team, with their open tickets."""
    from db import staff

    with working() as (connection, _):
        people = staff.list_all(connection)
    # Few columns, so that a terminal of 80 has room for whole addresses.
    grid = Grid("Id", "Team", "Name", "Role and duty", "Address", "Open", whole={"Id", "Address"})
    for person in people:
        role = f"{person['role']}{', senior' if person['is_senior'] else ''}, {person['calendar']}"
        team = f"{person['team_name']} (tier {person['tier']}, {person['region'] or 'every region'})"
        grid.row(person["id"], team, person["name"], role, person["email"], person["load"])
    Screen().show(grid, otherwise="No staff yet: 'aftercare db seed' adds samples, 'aftercare staff add' yours.")


@app.command("add-team")
def add_team(
    name: str,
    tier: Annotated[int, typer.Option(min=min(Tier), max=max(Tier), help="1 department, 2 centre, 3 support.")],
    region: Annotated[str | None, typer.Option(help="None: serves every region.")] = None,
    department: Department = Department.SERVICE,
) -> None:
    """Add a team."""
    from db import staff

    name = named(name)
    try:
        with working() as (connection, _):
            staff.add_team(connection, name, tier=Tier(tier), region=region, department=department)
    except IntegrityError:
        raise CommandError(f"there is a team {name!r} already") from None
    Screen().say(f"Added team {name}.")


def named(name: str, *, option: str = "name") -> str:
    """The name without blanks around it. Raises CommandError when nothing a person could read is left."""
    try:
        return TypeAdapter[str](ShortText).validate_python(name)
    except ValidationError as error:
        raise CommandError(f"{option}: {describe_fault(dict(error.errors()[0]))}") from error


@app.command()
def add(
    name: str,
    email: Annotated[str, typer.Option()],
    role: Annotated[Role, typer.Option()],
    team: Annotated[str, typer.Option(help="The team's name.")],
    language: str = "zh-CN",
    calendar: Annotated[str, typer.Option(help="When they are on duty.")] = "office",
    senior: Annotated[bool, typer.Option("--senior")] = False,
    skill: Annotated[list[str] | None, typer.Option(help="A product they know; may be given several times.")] = None,
) -> None:
    """Add a member of staff."""
    from db import staff

    if role in (Role.SYSTEM, Role.CUSTOMER):
        raise CommandError(f"--role: {role.value} is no role of staff")
    with working() as (connection, standard):
        teams = staff.team_ids(connection)
        if team not in teams:
            raise CommandError(f"--team: no team {team!r}; known are {', '.join(teams) or 'none, add one'}")
        if calendar not in standard.calendars:
            raise CommandError(f"--calendar: no calendar {calendar!r}; known are {', '.join(standard.calendars)}")
        address = normalise_email(email)
        require_language(language)
        if any(person["email"].casefold() == address.casefold() for person in staff.list_all(connection)):
            raise CommandError(f"there is a member of staff with the address {email} already")
        try:
            staff.add(
                connection,
                named(name),
                email=address,
                role=role,
                team_id=teams[team],
                language=language,
                calendar=calendar,
                is_senior=senior,
                skills=skill or (),
            )
        except IntegrityError:
            raise CommandError(f"there is a member of staff with the address {email} already") from None
    Screen().say(f"Added {name}.")
