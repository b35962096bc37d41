"""This file says who works in a replay: the people that the log names, or as many as somebody wonders about."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, cycle

from sqlalchemy import Connection

from db import staff
from domain.people import Department, Role, Tier


def add_staff(
    connection: Connection, resources: Sequence[str], *, language: str, engineers: int | None = None
) -> dict[str, int]:
    """Add the first tier, two higher tiers, a supervisor and a manager; returns who of the first tier stands for each
    of the log's resources: they themselves, or in turn one of so many ``engineers``.
    """
    numbers = count(1)  # two names of a log may differ in their case only, or be one that is added here

    def add(team: int, name: str, role: Role, *, is_senior: bool = False) -> int:
        email = f"staff.{next(numbers)}@replay.example"
        return staff.add(connection, name, email=email, role=role, team_id=team, language=language, is_senior=is_senior)

    desk = staff.add_team(connection, "the log's desk", tier=Tier.REGIONAL_DEPARTMENT, region=None)
    names = resources if engineers is None else [f"engineer {number}" for number in range(1, engineers + 1)]
    first_tier = [add(desk, name, Role.ENGINEER, is_senior=True) for name in names]
    centre = staff.add_team(connection, "second tier", tier=Tier.REGIONAL_CENTRE, region=None)
    support = staff.add_team(
        connection,
        "third tier",
        tier=Tier.TECHNICAL_SUPPORT,
        region=None,
        department=Department.TECHNICAL_SUPPORT,
    )
    add(centre, "second tier engineer", Role.ENGINEER, is_senior=True)
    add(support, "third tier engineer", Role.ENGINEER, is_senior=True)
    add(desk, "supervisor", Role.SUPERVISOR)
    add(desk, "manager", Role.MANAGER)
    return dict(zip(resources, cycle(first_tier)))
