"""The figures by which tickets are served and messages leave, each with its rule of the service standard."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from holidays.registry import EntityLoader
from pydantic import Field, field_validator, model_validator

from domain.business_hours import parse_weekly_hours
from domain.escalation import Listener
from domain.figures import Duration, LocalTime, Part, ZoneName
from domain.messages import Medium
from domain.people import CustomerTier
from domain.tickets import Category, Priority


class Organisation(Part):
    """Who gives the service."""

    name: dict[str, str]
    time_zone: ZoneName
    default_language: str
    default_phone_region: str = Field(pattern=r"^[A-Z]{2}$")
    contact_email: str | None = None
    contact_phone: str | None = None


class CalendarHours(Part):
    """Service hours (S-01)."""

    time_zone: ZoneName
    weekly: dict[str, list[str]]
    holidays: str | None = None
    closed_on: list[date] = Field(default=[])
    open_on: list[date] = Field(default=[])

    @field_validator("weekly")
    @classmethod
    def _readable(cls, weekly: dict[str, list[str]]) -> dict[str, list[str]]:
        parse_weekly_hours(weekly)
        return weekly

    @field_validator("holidays")
    @classmethod
    def _known_country(cls, country: str | None) -> str | None:
        # Not the library's list_supported_countries, which reads every one of them.
        if country is not None and country not in EntityLoader.get_country_codes():
            raise ValueError(f"no public holidays are known for {country!r}; use a code like CN, DE or US")
        return country


class IntakePolicy(Part):
    """How many tickets one customer may open by the public form in a day."""

    by_form_and_day: int = Field(ge=1)


class PriorityPromise(Part):
    """What a priority promises (S-10); without a calendar, the channel's service hours count."""

    response: Duration
    resolution: Duration
    calendar: str | None = None

    @model_validator(mode="after")
    def _sensible(self) -> PriorityPromise:
        if self.response > self.resolution:
            raise ValueError("the response time is longer than the resolution time")
        return self


class EscalationRung(Part):
    """One rung of the ladder of alarms."""

    at: float = Field(gt=0, le=10)
    tells: list[Listener] = Field(min_length=1)
    climbs_tier: bool = False


class AssignmentPolicy(Part):
    """S-12."""

    within: Duration


class CompletionPolicy(Part):
    """S-40."""

    close_without_answer_after: Duration
    reopen_within: Duration


class SurveyPolicy(Part):
    """S-41, S-43. ``remind_after`` and ``expires_after`` count from the invitation."""

    after: Duration
    remind_after: Duration
    expires_after: Duration
    by_phone_for_categories: frozenset[Category] = frozenset()
    by_phone_for_tiers: frozenset[CustomerTier] = frozenset()

    @model_validator(mode="after")
    def _sensible(self) -> SurveyPolicy:
        if self.remind_after >= self.expires_after:
            raise ValueError("the reminder would come after the survey has expired")
        return self


class CallbackPolicy(Part):
    """S-42, S-43. ``low_score`` and below is called back."""

    low_score: int = Field(ge=1, le=4)
    within: Duration
    calendar: str
    phone_survey_within: Duration
    paper_within: Duration


class LinkPolicy(Part):
    """How long the links in messages open their page."""

    progress: Duration
    plan: Duration
    sign_off: Duration
    survey: Duration
    unsubscribe: Duration


class WorkbenchPolicy(Part):
    """S-72: how long staff stay signed in and how often it may be tried; what counts as nearly late."""

    idle_after: Duration
    session_lasts: Duration
    invitation_lasts: Duration
    attempts_per_account: int = Field(ge=3, le=1000)
    attempts_per_address: int = Field(ge=3, le=100_000)
    attempts_within: Duration
    near_breach: Duration


class FollowUpPolicy(Part):
    """When a step that could not be carried out is tried again."""

    retry_after: Duration


class FollowUpVisitPolicy(Part):
    """S-43: who is visited or called some days after completion, and how long before they are told."""

    after: Duration
    announced_before: Duration
    for_priorities: frozenset[Priority] = frozenset()
    for_tiers: frozenset[CustomerTier] = frozenset()

    @model_validator(mode="after")
    def _sensible(self) -> FollowUpVisitPolicy:
        if self.announced_before >= self.after:
            raise ValueError("the visit would be announced before the work is complete")
        return self


class AppointmentPolicy(Part):
    """S-21: when the customer is reminded of an appointment."""

    remind_before: Duration


class CourtesyPolicy(Part):
    """How considerately customers are written to: the night, what is said together, how much a day."""

    quiet_from: LocalTime
    quiet_until: LocalTime
    merge_within: Duration
    messages_per_customer_and_day: int = Field(ge=1)
    sms_segments_per_day: int = Field(ge=1)
    sms_segments: int = Field(ge=1, le=10)


class DeliveryPolicy(Part):
    """When an unclear fate is looked up and when a message is given up; what may leave in a second."""

    unknown_after: Duration
    look_up_after: list[Duration] = Field(min_length=2)
    poll_after: list[Duration]
    give_up_after: Duration
    per_second: dict[Medium, Annotated[float, Field(gt=0, le=10_000)]]

    @field_validator("per_second")
    @classmethod
    def _each_medium(cls, rates: dict[Medium, float]) -> dict[Medium, float]:
        for medium in Medium:
            if medium not in rates:
                raise ValueError(f"{medium.value} is missing")
        return rates


class WebhookPolicy(Part):
    """How patient we are with other systems that are told of events."""

    answer_within: Duration
    give_up_after: Duration
    end_after: Duration
    old_secret_for: Duration


class RetentionPolicy(Part):
    """S-71: how long what is personal is kept."""

    tickets: Duration
    photos: Duration
    messages: Duration
    inbox: Duration
    contact_views: Duration

    @model_validator(mode="after")
    def _sensible(self) -> RetentionPolicy:
        for name in ("photos", "messages", "inbox"):
            if getattr(self, name) > self.tickets:
                raise ValueError(f"{name} would be kept longer than the tickets they belong to")
        return self


class CategoryWords(Part):
    """Words that suggest a category (S-04)."""

    category: Category
    words: list[str] = Field(min_length=1)


class TriageWords(Part):
    """Words that suggest safety risk, impact and category (S-04, S-10)."""

    safety_words: list[str]
    core_use_words: list[str]
    partial_words: list[str]
    categories: list[CategoryWords]
