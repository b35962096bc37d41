"""Who acts, and in which role (S-72); the three tiers of teams (S-13)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Role(StrEnum):
    """What a person, or Aftercare itself, may be towards a ticket."""

    SYSTEM = "system"
    CUSTOMER = "customer"
    AGENT = "agent"
    ENGINEER = "engineer"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    QUALITY_INSPECTOR = "quality_inspector"
    ADMINISTRATOR = "administrator"


STAFF_ROLES = frozenset(Role) - {Role.SYSTEM, Role.CUSTOMER}
LEADS = frozenset({Role.SUPERVISOR, Role.MANAGER})


class Tier(IntEnum):
    """The three tiers a ticket climbs (S-13)."""

    REGIONAL_DEPARTMENT = 1
    REGIONAL_CENTRE = 2
    TECHNICAL_SUPPORT = 3


class Department(StrEnum):
    """The departments that a P1 ticket calls in at the same time (S-12)."""

    SERVICE = "service"
    TECHNICAL_SUPPORT = "technical_support"
    PARTS_SUPPLY = "parts_supply"


class CustomerTier(StrEnum):
    """How much the company values the customer (S-02)."""

    STANDARD = "standard"
    VALUED = "valued"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives a command: ``id`` is the staff or customer id, None for the system."""

    role: Role
    id: int | None = None

    def __str__(self) -> str:
        return self.role.value if self.id is None else f"{self.role.value}:{self.id}"


SYSTEM = Actor(Role.SYSTEM)
