"""The satisfaction survey: who is asked how, what an answer looks like, what a score demands (S-41 to S-43)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.people import CustomerTier
from domain.service_policies import FollowUpVisitPolicy, SurveyPolicy
from domain.tickets import Category, Priority

Score = Annotated[int, Field(ge=1, le=5, strict=True)]

_NO_NUL = r"^[^\x00]*$"  # Postgres keeps none

DIMENSIONS = ("efficiency", "attitude", "solution", "overall")
STAGES = ("booking", "on_site", "follow_up", "confirmation")  # 预约受理, 现场服务, 问题跟进, 结果确认 (S-50)

# Where an answer says what should be better, and what else the customer wants to say.
WISHES = ("comment", *(f"{stage}_improvement" for stage in STAGES), "most_wanted")

_Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=_NO_NUL)]
_FewWords = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=_NO_NUL)]


class SurveyMethod(StrEnum):
    """A form behind a link, or a call by a person (S-43)."""

    FORM = "form"
    PHONE = "phone"


class SurveyState(StrEnum):
    """Where a survey stands; ``scheduled`` until it is due 24 h after completion."""

    SCHEDULED = "scheduled"
    SENT = "sent"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class CallbackKind(StrEnum):
    """Why a customer is called."""

    LOW_SCORE = "low_score"
    PHONE_SURVEY = "phone_survey"
    FOLLOW_UP_VISIT = "follow_up_visit"  # S-43: valued customers and serious cases, some days later


class CallbackState(StrEnum):
    """Where a callback stands; it stays open, though escalated, until somebody has called."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class _Answer(BaseModel):
    """What every answer may say; 1 is very dissatisfied, 5 very satisfied (S-41).

    The stages (S-50) are rated by those whom they concerned; what should improve is said stage by stage.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    overall: Score
    booking: Score | None = None
    on_site: Score | None = None
    follow_up: Score | None = None
    confirmation: Score | None = None
    booking_improvement: _FewWords = ""
    on_site_improvement: _FewWords = ""
    follow_up_improvement: _FewWords = ""
    confirmation_improvement: _FewWords = ""
    solved_in_one_visit: bool | None = None
    called_afterwards: bool | None = None
    best_point: _FewWords = ""
    most_wanted: _FewWords = ""
    comment: _Words = ""


class SurveyAnswer(_Answer):
    """One customer's answer on the form or on the phone, which ask for all four dimensions."""

    efficiency: Score
    attitude: Score
    solution: Score


class PaperAnswer(_Answer):
    """One customer's answer on paper, where a question is easily left out (S-51)."""

    efficiency: Score | None = None
    attitude: Score | None = None
    solution: Score | None = None


class OverallAnswer(BaseModel):
    """What a reply by SMS says: the overall score alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overall: Score
    comment: str = ""


class CallbackResult(BaseModel):
    """What a call brought: why the customer was unhappy, and what we do better; shown to them (S-42)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Annotated[_Words, StringConstraints(min_length=1)]
    suggestion: _Words = ""


@dataclass(frozen=True, slots=True)
class SurveySchedule:
    """When to ask, remind, and stop asking (UTC)."""

    remind_at: datetime
    expires_at: datetime


def survey_method(category: Category, customer_tier: CustomerTier, policy: SurveyPolicy) -> SurveyMethod:
    """Complaints and valued customers are called, the others get the form (S-43)."""
    if category in policy.by_phone_for_categories or customer_tier in policy.by_phone_for_tiers:
        return SurveyMethod.PHONE
    return SurveyMethod.FORM


def is_visited(priority: Priority, customer_tier: CustomerTier, policy: FollowUpVisitPolicy) -> bool:
    """Serious cases and valued customers are visited or called some days after completion (S-43)."""
    return priority in policy.for_priorities or customer_tier in policy.for_tiers


def schedule(policy: SurveyPolicy, *, sent_at: datetime) -> SurveySchedule:
    """Reminder and expiry of a survey that goes out at ``sent_at``."""
    return SurveySchedule(sent_at + policy.remind_after, sent_at + policy.expires_after)


def needs_callback(overall: int, *, low_score: int) -> bool:
    """A supervisor calls back whoever scores ``low_score`` or less (S-42)."""
    return overall <= low_score


def wishes_of(answer: Mapping[str, Any]) -> str:
    """What an answer says should be better, a line for each place where it says so (S-52)."""
    return "\n".join(answer[name] for name in WISHES if answer[name])
