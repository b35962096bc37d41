"""Who takes a ticket: eligible by priority and tier, then skill, region, duty and present load decide (S-12, S-13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.business_hours import BusinessCalendar
from domain.exceptions import NobodyEligibleError
from domain.people import Department, Role, Tier
from domain.tickets import Priority

# S-13: every ticket begins here.
STARTING_TIER = Tier.REGIONAL_DEPARTMENT

# S-12: whom a ticket of this priority opens a request with, at the moment it is assigned.
SUPPORT_BY_PRIORITY = {
    Priority.P1: (Department.TECHNICAL_SUPPORT, Department.PARTS_SUPPLY),
    Priority.P2: (),
    Priority.P3: (),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of staff as the rule sees them. ``load`` counts the open tickets they hold."""

    id: int
    name: str
    role: Role
    is_senior: bool
    tier: Tier
    region: str | None
    skills: frozenset[str]
    calendar: BusinessCalendar
    load: int
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Need:
    """What the ticket needs."""

    priority: Priority
    tier: Tier
    region: str | None
    skill: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who takes it, and the reason as it is shown to staff."""

    candidate: Candidate
    reason: str


def is_eligible(candidate: Candidate, need: Need) -> bool:
    """P1: senior engineer; P2: engineer; P3: customer service or remote support. Above tier 1: engineers there."""
    if candidate.tier != need.tier:
        return False
    if need.tier > Tier.REGIONAL_DEPARTMENT:
        return candidate.role is Role.ENGINEER
    match need.priority:
        case Priority.P1:
            return candidate.role is Role.ENGINEER and candidate.is_senior
        case Priority.P2:
            return candidate.role is Role.ENGINEER
        case Priority.P3:
            return candidate.role is Role.AGENT


def choose_assignee(
    candidates: Sequence[Candidate], need: Need, *, now: datetime, except_for: int | None = None
) -> Choice:
    """The eligible candidate who is on duty, knows the product, is in the region and has the least load.

    When no eligible person is left the circle widens: any engineer or agent of the tier, then of any tier. When
    nobody is on duty, the one whose duty begins first takes it: a ticket is never without an owner for want of
    daylight. Raises NobodyEligibleError when there is nobody at all.
    """
    willing = [c for c in candidates if c.id != except_for and c.role in (Role.ENGINEER, Role.AGENT)]
    circles: Iterable[tuple[str, list[Candidate]]] = (
        ("", [c for c in willing if is_eligible(c, need)]),
        ("nobody of the usual grade", [c for c in willing if c.tier == need.tier]),
        ("nobody on that tier", willing),
    )
    for widened, circle in circles:
        if circle:
            best = min(circle, key=lambda c: _rank(c, need, now=now))
            return Choice(best, "; ".join(filter(None, (widened, _reason(best, need, now=now)))))
    raise NobodyEligibleError("no active engineer or agent exists; add one before opening tickets")


def next_tier(tier: Tier) -> Tier | None:
    """One tier up, or None at the top (S-13)."""
    return Tier(tier + 1) if tier < Tier.TECHNICAL_SUPPORT else None


def _rank(candidate: Candidate, need: Need, *, now: datetime) -> tuple[object, ...]:
    duty_begins = candidate.calendar.add(now, timedelta.resolution)  # the same for all who are on duty
    return (
        duty_begins,
        not _in_region(candidate, need),
        not _has_skill(candidate, need),
        candidate.is_senior and need.priority is not Priority.P1,  # kept free for what is urgent
        candidate.load,
        candidate.id,
    )


def _reason(candidate: Candidate, need: Need, *, now: datetime) -> str:
    facts = [
        "on duty" if candidate.calendar.is_open(now) else "next on duty",
        f"region {need.region}" if need.region and _in_region(candidate, need) else "",
        f"skill {need.skill}" if need.skill and _has_skill(candidate, need) else "",
        f"{candidate.load} open tickets",
    ]
    return ", ".join(filter(None, facts))


def _in_region(candidate: Candidate, need: Need) -> bool:
    return candidate.region is None or need.region is None or candidate.region == need.region


def _has_skill(candidate: Candidate, need: Need) -> bool:
    return need.skill is None or need.skill.casefold() in candidate.skills


def choose_lead(leads: Sequence[Candidate], role: Role, *, region: str | None, now: datetime) -> Candidate | None:
    """The supervisor or manager who is told: on duty before off, of the region before others, else the first."""
    fitting = [lead for lead in leads if lead.role is role]
    if not fitting:
        return None
    return min(
        fitting, key=lambda c: (not c.calendar.is_open(now), c.region not in (region, None), c.region is None, c.id)
    )
