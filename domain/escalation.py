"""The ladder of alarms: at which share of a promise who is told, each rung once (S-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.business_hours import BusinessCalendar
from domain.sla import Clock, ClockKind, moment_when_used


class Listener(StrEnum):
    """Who is told by a rung."""

    ASSIGNEE = "assignee"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"


class AlarmKind(StrEnum):
    """What a rung means."""

    WARNING = "sla_warned"
    BREACH = "sla_breached"
    ESCALATION = "sla_escalated"


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung: reached when ``at`` (share of the target) is used."""

    at: float
    tells: tuple[Listener, ...]
    climbs_tier: bool = False

    @property
    def kind(self) -> AlarmKind:
        """A warning before the deadline, the breach at it, an escalation after it."""
        if self.at < 1:
            return AlarmKind.WARNING
        return AlarmKind.BREACH if self.at == 1 else AlarmKind.ESCALATION


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rung that has been reached. ``reached_at`` is the exact moment, however late the sweep came (UTC)."""

    rung: int
    kind: AlarmKind
    tells: tuple[Listener, ...]
    climbs_tier: bool
    reached_at: datetime


def next_alarm_at(
    clock: Clock, calendar: BusinessCalendar, ladder: Sequence[Rung], *, rungs_raised: int
) -> datetime | None:
    """When the next rung that was not raised yet is reached; None when stopped, paused or past the last rung."""
    if clock.stopped_at is not None or rungs_raised >= len(ladder):
        return None
    return moment_when_used(clock, calendar, ladder[rungs_raised].at)


def reached_alarms(
    clock: Clock, calendar: BusinessCalendar, ladder: Sequence[Rung], *, rungs_raised: int, now: datetime
) -> list[Alarm]:
    """The alarms to raise at ``now``, lowest rung first.

    A warning is left out when a higher rung is reached too: after an outage nobody needs the stale one. A stopped
    clock reaches no rung after the moment it stopped.
    """
    until = now if clock.stopped_at is None else min(now, clock.stopped_at)
    reached: list[Alarm] = []
    for index in range(rungs_raised, len(ladder)):
        rung = ladder[index]
        at = moment_when_used(clock, calendar, rung.at)
        if at is None or at > until:
            break
        reached = [alarm for alarm in reached if alarm.kind is not AlarmKind.WARNING]
        reached.append(Alarm(index, rung.kind, rung.tells, rung.climbs_tier and _may_climb(clock.kind), at))
    return reached


def rungs_reached(alarms: Sequence[Alarm], rungs_raised: int) -> int:
    """How many rungs count as raised after ``alarms``."""
    return alarms[-1].rung + 1 if alarms else rungs_raised


def _may_climb(kind: ClockKind) -> bool:
    """An unassigned ticket has no tier to climb from; its supervisor is told instead."""
    return kind is not ClockKind.ASSIGNMENT
