"""Root causes and improvement actions: what each must say, and when whoever is responsible hears of it (S-53, S-54)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.commands import FARTHEST, Id
from domain.exceptions import InvalidInputError
from domain.people import Department
from domain.quality_policies import ImprovementPolicy
from domain.texts import NO_NUL, ShortText, Text
from domain.tickets import Category

MOST_WHYS = 5
# As many as a person still reads before naming a cause.
MOST_EVIDENCE = 100

_Because = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=NO_NUL)]
_Optional = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_NUL)]


class ActionState(StrEnum):
    """An action is open until it is done, or dropped for a reason."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class ActionNotice(StrEnum):
    """Why whoever is responsible for an action is written to."""

    GIVEN = "given"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


class Stage(StrEnum):
    """The stages that customers rate; the names of ``satisfaction.STAGES``."""

    BOOKING = "booking"
    ON_SITE = "on_site"
    FOLLOW_UP = "follow_up"
    CONFIRMATION = "confirmation"


class RootCause(BaseModel):
    """A problem, why it happened, why that happened, and so on: at most five times (5Why分析法)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    problem: ShortText
    whys: Annotated[tuple[_Because, ...], Field(min_length=1, max_length=MOST_WHYS)]
    cause: Text


class NewAction(BaseModel):
    """What is to change, who sees to it, by when, and what shall come of it; the scope says where that would show."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: Text
    department: Department
    responsible_id: Id
    due_on: date
    expected_effect: Text
    category: Category | None = None
    product_model: _Optional = ""
    region: _Optional = ""
    stage: Stage | None = None


class Outcome(BaseModel):
    """How an action ended. ``told_customers``: what changed, in words for those who are asked again (S-55)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    note: Text
    told_customers: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300, pattern=NO_NUL)] = ""


def require_due_ahead(due_on: date, *, today: date) -> None:
    """Raise InvalidInputError unless the deadline is today or later, and within a year."""
    if due_on < today:
        raise InvalidInputError("due_on", "lies in the past; say by when it is to be done")
    if due_on > today + FARTHEST:
        raise InvalidInputError("due_on", f"lies more than {FARTHEST.days} days ahead")


def is_overdue(due_on: date, *, time_zone: str, now: datetime) -> bool:
    """Whether the day of the deadline is over where the organisation is."""
    return now.astimezone(ZoneInfo(time_zone)).date() > due_on


def next_notice_at(due_on: date, policy: ImprovementPolicy, *, time_zone: str, after: datetime) -> datetime:
    """When the next notice of an open action is due: some days ahead, when it is overdue, and then again and again.

    What an outage has swallowed is not made up for: one notice says how things stand.
    """

    def morning(day: date) -> datetime:
        return datetime.combine(day, policy.remind_at, ZoneInfo(time_zone))

    for moment in (morning(due_on) - policy.remind_before, morning(due_on + timedelta(days=1))):
        if moment > after:
            return moment
    first = morning(due_on + timedelta(days=1))
    times = (after - first) // policy.overdue_again_after + 1
    return first + times * policy.overdue_again_after
