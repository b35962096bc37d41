"""The SLA clocks of a ticket: how much promised time is used, when it runs out, what a pause does (S-10 to S-14).

A clock is a value: when it started, what it promises, when it paused, when it stopped. Everything else follows
from these and a service calendar. Rules that a stranger would argue about: docs/sla.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.business_hours import BusinessCalendar
from domain.lifecycle import STATES, CommandName, TicketState


class ClockKind(StrEnum):
    """What a clock promises."""

    ASSIGNMENT = "assignment"  # S-12: the ticket has an assignee
    RESPONSE = "response"  # S-14: the assignee has contacted the customer
    RESOLUTION = "resolution"  # S-10: the work is complete


@dataclass(frozen=True, slots=True)
class Pause:
    """A time that does not count; ``until`` is None while it lasts."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise. ``target`` is working time in the clock's calendar; moments are aware UTC."""

    kind: ClockKind
    started_at: datetime
    target: timedelta
    pauses: tuple[Pause, ...] = ()
    stopped_at: datetime | None = None

    @property
    def is_paused(self) -> bool:
        """True while the customer, not the company, is awaited."""
        return bool(self.pauses) and self.pauses[-1].until is None


def pause(clock: Clock, *, now: datetime) -> Clock:
    """The clock paused at ``now``; unchanged when it is paused or stopped already."""
    if clock.is_paused or clock.stopped_at is not None:
        return clock
    return replace(clock, pauses=(*clock.pauses, Pause(since=now)))


def resume(clock: Clock, *, now: datetime) -> Clock:
    """The clock running again from ``now``; unchanged when it runs or is stopped."""
    if not clock.is_paused or clock.stopped_at is not None:
        return clock
    return replace(clock, pauses=(*clock.pauses[:-1], replace(clock.pauses[-1], until=now)))


def stop(clock: Clock, *, now: datetime) -> Clock:
    """The clock stopped for good at ``now``: the promise is kept, or its breach is history."""
    return clock if clock.stopped_at is not None else replace(clock, stopped_at=now)


def reopen(clock: Clock, *, now: datetime) -> Clock:
    """The stopped clock running again from ``now``; the time since it stopped counts as a pause."""
    if clock.stopped_at is None:
        return clock
    if clock.is_paused:  # it was stopped while paused: that pause goes on until now
        return resume(replace(clock, stopped_at=None), now=now)
    return replace(clock, stopped_at=None, pauses=(*clock.pauses, Pause(since=clock.stopped_at, until=now)))


def used(clock: Clock, calendar: BusinessCalendar, *, now: datetime) -> timedelta:
    """Working time used up to ``now``, or up to the moment the clock stopped."""
    end = min(now, clock.stopped_at) if clock.stopped_at is not None else now
    paused = sum(
        (calendar.between(p.since, min(p.until or end, end)) for p in clock.pauses if p.since < end), timedelta(0)
    )
    return calendar.between(clock.started_at, end) - paused


def moment_when_used(clock: Clock, calendar: BusinessCalendar, share: float) -> datetime | None:
    """When ``share`` of the target is, or will be, used (UTC); None while paused before that moment."""
    left = clock.target * share
    running_since = clock.started_at
    for rest in clock.pauses:
        ran = calendar.between(running_since, rest.since)
        if ran >= left:
            break
        left -= ran
        if rest.until is None:
            return None
        running_since = rest.until
    return calendar.add(running_since, left)


def deadline(clock: Clock, calendar: BusinessCalendar) -> datetime | None:
    """When the promise is broken (UTC); None while the clock is paused before its deadline."""
    return moment_when_used(clock, calendar, 1.0)


def is_breached(clock: Clock, calendar: BusinessCalendar, *, now: datetime) -> bool:
    """True when the target was used up before the clock stopped."""
    return used(clock, calendar, now=now) > clock.target


def after_command(clock: Clock, command: CommandName, state: TicketState, *, now: datetime) -> Clock:
    """The clock as ``command`` leaves it, when the ticket is now in ``state``.

    The response clock never pauses: only after the first contact can the customer be the one who is awaited.
    """
    traits = STATES[state]
    if traits.is_over:
        return stop(clock, now=now)
    match clock.kind:
        case ClockKind.ASSIGNMENT:
            return stop(clock, now=now) if traits.has_assignee else clock
        case ClockKind.RESPONSE:
            return stop(clock, now=now) if command is CommandName.FIRST_CONTACT else clock
        case ClockKind.RESOLUTION:
            if state is TicketState.COMPLETED:
                return stop(clock, now=now)
            return resume(reopen(clock, now=now), now=now) if traits.clock_runs else pause(clock, now=now)
