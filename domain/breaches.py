"""Why a promise was broken, as far as the event log knows (S-61): one cause per breach, by an ordered table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from domain.sla import ClockKind


class BreachCause(StrEnum):
    """What a broken promise is put down to."""

    PRIORITY_RAISED = "priority_raised"
    NOBODY_ASSIGNED = "nobody_assigned"
    ASSIGNED_LATE = "assigned_late"
    WAITED_FOR_PART = "waited_for_part"
    DELAY_REPORTED = "delay_reported"
    CAME_BACK = "came_back"
    PLAN_REFUSED = "plan_refused"
    CHANGED_HANDS = "changed_hands"
    CONTACTED_LATE = "contacted_late"
    WAITED_FOR_CUSTOMER = "waited_for_customer"
    TOOK_LONGER = "took_longer"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPromise:
    """What had happened on the ticket, in the round of the promise, before it broke.

    ``was_raised``: the priority was raised so late that the new time was over already. ``is_assigned_late`` and
    ``is_contacted_late``: its assignment, its response had broken their own promise. ``waited_for_customer``: for an
    answer or an agreement.
    """

    clock: ClockKind
    was_raised: bool = False
    is_assigned: bool = True
    is_assigned_late: bool = False
    is_contacted_late: bool = False
    waited_for_part: bool = False
    has_delay: bool = False
    came_back: bool = False
    was_refused: bool = False
    changed_hands: bool = False
    waited_for_customer: bool = False


# The first that holds is the cause: what stood in the way of everything first, then what staff wrote down at the time,
# then what the course of the ticket suggests. The last always holds.
_CAUSES: tuple[tuple[BreachCause, Callable[[BrokenPromise], bool]], ...] = (
    (BreachCause.PRIORITY_RAISED, lambda broken: broken.was_raised),
    (BreachCause.NOBODY_ASSIGNED, lambda broken: not broken.is_assigned),
    (BreachCause.ASSIGNED_LATE, lambda broken: broken.is_assigned_late and broken.clock is ClockKind.RESPONSE),
    (BreachCause.WAITED_FOR_PART, lambda broken: broken.waited_for_part),
    (BreachCause.DELAY_REPORTED, lambda broken: broken.has_delay),
    (BreachCause.CAME_BACK, lambda broken: broken.came_back),
    (BreachCause.PLAN_REFUSED, lambda broken: broken.was_refused),
    (BreachCause.CHANGED_HANDS, lambda broken: broken.changed_hands),
    (BreachCause.CONTACTED_LATE, lambda broken: broken.is_contacted_late or broken.clock is ClockKind.RESPONSE),
    (BreachCause.WAITED_FOR_CUSTOMER, lambda broken: broken.waited_for_customer),
    (BreachCause.TOOK_LONGER, lambda _: True),
)


def cause_of(broken: BrokenPromise) -> BreachCause:
    """The cause that a broken promise is counted under."""
    return next(cause for cause, holds in _CAUSES if holds(broken))
