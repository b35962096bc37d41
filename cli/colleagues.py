"""Members of staff as people name them: by address in any case, or by a name that only one of them has."""

from __future__ import annotations

from sqlalchemy import Connection

from cli.failure import CommandError
from domain.exceptions import NotFoundError
from domain.people import Actor, Role


def find(connection: Connection, address_or_name: str) -> Actor:
    """The active member of staff. Raises NotFoundError, or CommandError when several have the name."""
    from db import staff

    wanted = address_or_name.strip().casefold()
    people = [person for person in staff.list_all(connection) if person["is_active"]]
    # Addresses are unique in any case since they are checked so; an older pair that differs in case goes by the letter.
    exact = [person for person in people if person["email"] == address_or_name]
    found = (
        exact
        or [person for person in people if person["email"].casefold() == wanted]
        or [person for person in people if person["name"].casefold() == wanted]
    )
    if not found:
        raise NotFoundError(
            f"no active member of staff has the address {address_or_name!r} or this name; see 'aftercare staff list'"
        )
    if len(found) > 1:
        addresses = ", ".join(person["email"] for person in found)
        raise CommandError(f"{address_or_name!r} may be {addresses}; say which by the address")
    return Actor(Role(found[0]["role"]), found[0]["id"])


def names(connection: Connection) -> dict[int, str]:
    """The name of every member of staff by id, those who left too."""
    from db import staff

    return {person["id"]: person["name"] for person in staff.list_all(connection)}
