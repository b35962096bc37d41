"""``aftercare staff digest``: when a manager gets the digest, and of what (S-61)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli import colleagues
from cli.accounts import Member
from cli.failure import CommandError
from cli.ready import working
from cli.screen import Screen
from clock import utc_now
from domain.digest_schedule import DigestPeriod, DigestWish
from domain.people import Role


class Often(StrEnum):
    """How often; never: not at all."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    NEVER = "never"


class Weekday(StrEnum):
    """In the order of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


def digest(
    email: Member,
    every: Annotated[Often, typer.Option(help="Monthly: on the first such day of the month.")] = Often.WEEKLY,
    region: Annotated[str | None, typer.Option(help="Only its tickets; without: all regions.")] = None,
    on: Annotated[Weekday, typer.Option(help="The day of the week.")] = Weekday.MONDAY,
    hour: Annotated[int, typer.Option(min=0, max=23, help="In the organisation's time zone.")] = 8,
) -> None:
    """Choose when a manager gets the digest, and of which region."""
    from db import digests, staff

    with working() as (connection, _):
        who = colleagues.find(connection, email)
        if who.id is None or who.role is not Role.MANAGER:
            raise CommandError(f"the digest is for managers; {email} is {who.role.value}")
        regions = staff.list_regions(connection)
        if region is not None and region not in regions:
            raise CommandError(f"--region: no team serves {region!r}; known are {', '.join(regions) or 'none'}")
        wish = DigestWish(DigestPeriod(every), region, list(Weekday).index(on), hour) if every != Often.NEVER else None
        digests.choose(connection, who.id, wish, now=utc_now())
    where = f" of {region}" if region else ""
    Screen().say(f"{every.value}{where}, on {on.value} at {hour}:00." if wish else "No more digests.")
