"""Who takes a ticket: eligible by priority and tier, then skill, region, duty and present load decide (S-12, S-13)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.business_hours import BusinessCalendar
from domain.exceptions import NobodyEligibleError, NotPermittedError
from domain.people import LEADS, SYSTEM, Actor, Department, Role, Tier
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
class Grounds:
    """Why somebody was chosen: each language says it in its own words. ``widened`` names who else was looked at."""

    is_on_duty: bool
    load: int
    region: str = ""
    skill: str = ""
    widened: str = ""  # any_grade | any_tier


@dataclass(frozen=True, slots=True)
class Choice:
    """Who takes it, and the reason as a command records it; read_grounds reads it."""

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
        ("any_grade", [c for c in willing if c.tier == need.tier]),
        ("any_tier", willing),
    )
    for widened, circle in circles:
        if circle:
            best = min(circle, key=lambda c: _rank(c, need, now=now))
            return Choice(best, write_grounds(_grounds(best, need, widened, now=now)))
    raise NobodyEligibleError("no active engineer or agent exists; add one before opening tickets")


def may_give(actor: Actor, *, held_by: int | None) -> bool:
    """Whether this actor may give the ticket to anybody: who leads, and who has it now."""
    return actor == SYSTEM or actor.role in LEADS or (held_by is not None and held_by == actor.id)


def may_assign(actor: Actor, *, held_by: int | None) -> bool:
    """Whether there is anybody to whom this actor may give the ticket; one that nobody has they may take."""
    return held_by is None or may_give(actor, held_by=held_by)


def require_may_assign(actor: Actor, *, held_by: int | None, to: int) -> None:
    """Raise NotPermittedError unless the actor may give the ticket to anybody, or takes one that nobody has."""
    if not may_assign(actor, held_by=held_by) or (to != actor.id and not may_give(actor, held_by=held_by)):
        raise NotPermittedError("only a supervisor or manager gives others' tickets; take a free one, or hand on yours")


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


def _grounds(candidate: Candidate, need: Need, widened: str, *, now: datetime) -> Grounds:
    return Grounds(
        is_on_duty=candidate.calendar.is_open(now),
        load=candidate.load,
        region=need.region if need.region and _in_region(candidate, need) else "",
        skill=need.skill if need.skill and _has_skill(candidate, need) else "",
        widened=widened,
    )


def _in_region(candidate: Candidate, need: Need) -> bool:
    return candidate.region is None or need.region is None or candidate.region == need.region


def _has_skill(candidate: Candidate, need: Need) -> bool:
    return need.skill is None or need.skill.casefold() in candidate.skills


# Region and product are people's words; what is longer would not fit into a command's reason.
_MOST_LETTERS = 60
_WRITTEN = re.compile(
    r"(?:(?P<widened>any_grade|any_tier); )?(?P<duty>on_duty|next_on_duty)"
    r"(?:; region=(?P<region>[^;]+))?(?:; skill=(?P<skill>[^;]+))?; open=(?P<load>\d+)"
)


def write_grounds(grounds: Grounds) -> str:
    """Grounds as a command's reason keeps them, in no language: ``on_duty; region=east; skill=KFR-35; open=3``."""
    facts = [
        grounds.widened,
        "on_duty" if grounds.is_on_duty else "next_on_duty",
        f"region={_plain(grounds.region)}" if _plain(grounds.region) else "",
        f"skill={_plain(grounds.skill)}" if _plain(grounds.skill) else "",
        f"open={grounds.load}",
    ]
    return "; ".join(filter(None, facts))


def read_grounds(reason: str) -> Grounds | None:
    """The grounds that a reason keeps, or None when a person wrote it in their own words."""
    found = _WRITTEN.fullmatch(reason)
    if found is None:
        return None
    return Grounds(
        is_on_duty=found["duty"] == "on_duty",
        load=int(found["load"]),
        region=found["region"] or "",
        skill=found["skill"] or "",
        widened=found["widened"] or "",
    )


def _plain(words: str) -> str:
    """On one line, without the mark between facts, and short."""
    return " ".join(words.replace(";", ",").split())[:_MOST_LETTERS].rstrip()


def choose_lead(leads: Sequence[Candidate], role: Role, *, region: str | None, now: datetime) -> Candidate | None:
    """The supervisor or manager who is told: on duty before off, of the region before others, else the first."""
    fitting = [lead for lead in leads if lead.role is role]
    if not fitting:
        return None
    return min(
        fitting, key=lambda c: (not c.calendar.is_open(now), c.region not in (region, None), c.region is None, c.id)
    )
