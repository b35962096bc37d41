"""Staff and teams: who may take a ticket, and who is told when a promise is in danger (S-12, S-13, S-72)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Text, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

from db.models import Staff, Team, Ticket
from db.rows import fetch, fetch_one
from domain.assignment import Candidate
from domain.exceptions import NotFoundError
from domain.people import Actor, Department, Role, Tier
from domain.standard import Standard

# Nobody who reads about a colleague is given the password's hash.
_KNOWN = tuple(column for column in Staff.__table__.c if column.name != "password_hash")


def add_team(
    connection: Connection, name: str, *, tier: Tier, region: str | None, department: Department = Department.SERVICE
) -> int:
    """Add a team; returns its id."""
    values = {"name": name, "tier": tier.value, "region": region, "department": department.value}
    return connection.execute(insert(Team).values(**values).returning(Team.id)).scalar_one()


def team_ids(connection: Connection) -> dict[str, int]:
    """The id of every team by name."""
    return dict(connection.execute(select(Team.name, Team.id)).tuples().all())


def add(
    connection: Connection,
    name: str,
    *,
    email: str,
    role: Role,
    team_id: int,
    language: str,
    calendar: str = "office",
    is_senior: bool = False,
    skills: Sequence[str] = (),
) -> int:
    """Add a member of staff; skills are compared without case. Returns the id."""
    values = {
        "name": name,
        "email": email,
        "role": role.value,
        "team_id": team_id,
        "language": language,
        "calendar": calendar,
        "is_senior": is_senior,
        "skills": [skill.casefold() for skill in skills],
    }
    return connection.execute(insert(Staff).values(**values).returning(Staff.id)).scalar_one()


_GET = (
    select(*_KNOWN, Team.name.label("team_name"), Team.tier, Team.region)
    .join(Team, Team.id == Staff.team_id)
    .where(Staff.id == bindparam("wanted"), Staff.is_active)
)


def get(connection: Connection, staff_id: int) -> Mapping[str, Any]:
    """An active member of staff with team, tier and region. Raises NotFoundError."""
    row = fetch_one(connection, _GET, wanted=staff_id)
    if row is None:
        raise NotFoundError(f"no active member of staff has the id {staff_id}; see 'aftercare staff list'")
    return row


_REGIONS = select(Team.region).where(Team.region.is_not(None)).distinct().order_by(Team.region)


def list_regions(connection: Connection) -> list[str]:
    """The regions that teams serve, by name."""
    return [region for region in connection.execute(_REGIONS).scalars() if region]


def find_supervisor(connection: Connection, *, region: str | None) -> tuple[int, str] | None:
    """Id and language of an active supervisor, of the region if it has one; on duty or not."""
    query = (
        select(Staff.id, Staff.language)
        .join(Team, Team.id == Staff.team_id)
        .where(Staff.role == Role.SUPERVISOR.value, Staff.is_active)
        .order_by((Team.region == region).desc().nulls_last(), Staff.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return (row.id, row.language) if row is not None else None


def actor(connection: Connection, email: str) -> Actor:
    """The member of staff with this address, as an actor. Raises NotFoundError."""
    row = connection.execute(
        select(Staff.id, Staff.role).where(func.lower(Staff.email) == email.lower(), Staff.is_active)
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"no active member of staff has the address {email!r}; see 'aftercare staff list'")
    return Actor(Role(row.role), row.id)


def list_all(connection: Connection) -> list[dict[str, Any]]:
    """All staff with team, tier, region and number of open tickets."""
    query = (
        select(*_KNOWN, Team.name.label("team_name"), Team.tier, Team.region, _load().label("load"))
        .join(Team, Team.id == Staff.team_id)
        .order_by(Team.tier, Team.name, Staff.id)
    )
    return fetch(connection, query)


def _load() -> Any:
    return (
        select(func.count())
        .select_from(Ticket)
        .where(Ticket.assignee_id == Staff.id, Ticket.closed_at.is_(None))
        .scalar_subquery()
    )


_CANDIDATES = (
    select(
        Staff.id,
        Staff.name,
        Staff.role,
        Staff.is_senior,
        Staff.skills,
        Staff.calendar,
        Staff.language,
        Team.tier,
        Team.region,
        _load().label("load"),
    )
    .join(Team, Team.id == Staff.team_id)
    .where(Staff.is_active, Staff.role == func.any(bindparam("roles", type_=ARRAY(Text))))
)


def candidates(
    connection: Connection, standard: Standard, *, roles: Sequence[Role] = (Role.ENGINEER, Role.AGENT)
) -> list[Candidate]:
    """Active staff in these roles as the rules see them, with their present load of open tickets."""
    return [
        Candidate(
            id=row.id,
            name=row.name,
            role=Role(row.role),
            is_senior=row.is_senior,
            tier=Tier(row.tier),
            region=row.region,
            skills=frozenset(row.skills),
            calendar=standard.calendar(row.calendar),
            load=row.load,
            language=row.language,
        )
        for row in connection.execute(_CANDIDATES, {"roles": [role.value for role in roles]})
    ]


def department_contacts(connection: Connection, department: Department) -> list[int]:
    """Active staff of a department's teams who are told of its requests (S-12)."""
    query = (
        select(Staff.id)
        .join(Team, Team.id == Staff.team_id)
        .where(Staff.is_active, Team.department == department.value)
        .order_by(Staff.id)
    )
    return list(connection.execute(query).scalars())


def languages(connection: Connection) -> dict[int, str]:
    """The language of every member of staff by id."""
    return dict(connection.execute(select(Staff.id, Staff.language)).tuples().all())
