"""This file reads the service standard: ``standard.toml`` with an operator's own figures over it, all checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, time, timedelta
from functools import cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from holidays.registry import EntityLoader
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from domain.business_hours import BusinessCalendar, parse_weekly_hours
from domain.churn import Sign
from domain.escalation import Listener, Rung
from domain.exceptions import StandardError
from domain.messages import Medium
from domain.people import CustomerTier
from domain.quality import Criterion, Grade
from domain.sla import ClockKind
from domain.tickets import Category, Channel, Priority

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_duration(value: object) -> timedelta:
    """``"1h30m"`` as a timedelta. Raises ValueError when it is no positive duration."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"(\d+[dhms])+", value):
        raise ValueError(f"{value!r} is no duration; write it like 30m, 2h, 1h30m or 7d")
    try:
        total = sum((timedelta(**{_UNITS[u]: int(n)}) for n, u in re.findall(r"(\d+)([dhms])", value)), timedelta(0))
    except OverflowError:
        total = timedelta.max
    if not timedelta(0) < total <= timedelta(days=366):
        raise ValueError(f"{value!r} must be longer than nothing and at most 366 days")
    return total


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
LocalTime = Annotated[time, Field(strict=True)]  # TOML's own: 21:00:00
Share = Annotated[float, Field(ge=0, le=1)]
_Weights = TypeVar("_Weights", bound=Mapping[Any, float])


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write it like Asia/Shanghai") from error
    return name


ZoneName = Annotated[str, BeforeValidator(_known_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Organisation(_Part):
    """Who gives the service."""

    name: dict[str, str]
    time_zone: ZoneName
    default_language: str
    default_phone_region: str = Field(pattern=r"^[A-Z]{2}$")
    contact_email: str | None = None
    contact_phone: str | None = None


class CalendarHours(_Part):
    """Service hours (S-01)."""

    time_zone: ZoneName
    weekly: dict[str, list[str]]
    holidays: str | None = None
    closed_on: list[date] = []
    open_on: list[date] = []

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


class IntakePolicy(_Part):
    """How many tickets one customer may open by the public form in a day."""

    by_form_and_day: int = Field(ge=1)


class PriorityPromise(_Part):
    """What a priority promises (S-10); without a calendar, the channel's service hours count."""

    response: Duration
    resolution: Duration
    calendar: str | None = None

    @model_validator(mode="after")
    def _sensible(self) -> PriorityPromise:
        if self.response > self.resolution:
            raise ValueError("the response time is longer than the resolution time")
        return self


class EscalationRung(_Part):
    """One rung of the ladder of alarms."""

    at: float = Field(gt=0, le=10)
    tells: list[Listener] = Field(min_length=1)
    climbs_tier: bool = False


class AssignmentPolicy(_Part):
    """S-12."""

    within: Duration


class CompletionPolicy(_Part):
    """S-40."""

    close_without_answer_after: Duration
    reopen_within: Duration


class SurveyPolicy(_Part):
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


class CallbackPolicy(_Part):
    """S-42, S-43. ``low_score`` and below is called back."""

    low_score: int = Field(ge=1, le=4)
    within: Duration
    calendar: str
    phone_survey_within: Duration
    paper_within: Duration


class LinkPolicy(_Part):
    """How long the links in messages open their page."""

    progress: Duration
    plan: Duration
    sign_off: Duration
    survey: Duration
    unsubscribe: Duration


class WorkbenchPolicy(_Part):
    """S-72: how long staff stay signed in and how often it may be tried; what counts as nearly late."""

    idle_after: Duration
    session_lasts: Duration
    invitation_lasts: Duration
    attempts_per_account: int = Field(ge=3, le=1000)
    attempts_per_address: int = Field(ge=3, le=100_000)
    attempts_within: Duration
    near_breach: Duration


class FollowUpPolicy(_Part):
    """When a step that could not be carried out is tried again."""

    retry_after: Duration


class FollowUpVisitPolicy(_Part):
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


class AppointmentPolicy(_Part):
    """S-21: when the customer is reminded of an appointment."""

    remind_before: Duration


class CourtesyPolicy(_Part):
    """How considerately customers are written to: the night, what is said together, how much a day."""

    quiet_from: LocalTime
    quiet_until: LocalTime
    merge_within: Duration
    messages_per_customer_and_day: int = Field(ge=1)
    sms_segments_per_day: int = Field(ge=1)
    sms_segments: int = Field(ge=1, le=10)


class DeliveryPolicy(_Part):
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


class WebhookPolicy(_Part):
    """How patient we are with other systems that are told of events."""

    answer_within: Duration
    give_up_after: Duration
    end_after: Duration
    old_secret_for: Duration


class RetentionPolicy(_Part):
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


class ImprovementPolicy(_Part):
    """S-54, S-55: when an action's deadline is spoken of; when customers are asked again, and what is compared."""

    remind_at: LocalTime
    remind_before: Duration
    overdue_again_after: Duration
    ask_again_after: Duration
    compare_over: Duration
    least_answers: int = Field(ge=2)


class Benchmarks(_Part):
    """The published benchmarks of S-61."""

    answered_within: Duration
    answered_share: Share
    informed_within_working_days: int = Field(ge=1, le=30)
    informed_share: Share


class Targets(_Part):
    """What the digest's key figures are held against (S-61); of ``low_share`` at most so much is wanted."""

    response_share: Share
    resolution_share: Share
    overall_mean: float = Field(ge=1, le=5)
    low_share: Share
    callbacks_in_time_share: Share


def _require_whole(weights: _Weights) -> _Weights:
    """The weights. Raises ValueError unless they sum to 1."""
    if abs((total := sum(weights.values())) - 1) > 1e-6:
        raise ValueError(f"the weights sum to {total:g} and not to 1")
    return weights


class QualityPolicy(_Part):
    """S-56: the rubric and its grades, how many tickets are scored, and how many of them twice."""

    per_person: int = Field(ge=1, le=100)
    scored_twice: Share
    least_pairs: int = Field(ge=2)
    grades: dict[Grade, Share]
    weights: dict[Criterion, Share]

    @field_validator("grades")
    @classmethod
    def _rising(cls, grades: dict[Grade, float]) -> dict[Grade, float]:
        asked = list(Grade)[:-1]
        if set(grades) != set(asked):
            raise ValueError(f"each of {', '.join(asked)} needs the share from which it is given, and no other grade")
        if any(grades[better] <= grades[worse] for better, worse in pairwise(asked)):
            raise ValueError("a better grade needs a higher share")
        return grades

    @field_validator("weights")
    @classmethod
    def _whole(cls, weights: dict[Criterion, float]) -> dict[Criterion, float]:
        return _require_whole(weights)

    @property
    def asked(self) -> tuple[Criterion, ...]:
        """The criteria that count."""
        return tuple(name for name in Criterion if self.weights.get(name))


class AppraisalPolicy(_Part):
    """S-57: who is ranked, how sure a figure must be to praise or coach by it, what counts how much."""

    least_tickets: int = Field(ge=3)
    drawn_by: int = Field(ge=1)
    confidence: float = Field(ge=0.5, lt=1)
    weights: dict[Literal["response", "resolution", "first_time", "satisfaction", "quality"], Share]

    @field_validator("weights")
    @classmethod
    def _whole(cls, weights: dict[str, float]) -> dict[str, float]:
        return _require_whole(weights)


class ReviewPolicy(_Part):
    """S-44: for how long after its end a case is proposed for a review."""

    within: Duration


class ChurnPolicy(_Part):
    """S-58: how many points each sign gives, and from how many within the window a customer is watched."""

    within: Duration
    least_points: int = Field(ge=1)
    points: dict[Sign, Annotated[int, Field(ge=0, le=100)]]


class CategoryWords(_Part):
    """Words that suggest a category (S-04)."""

    category: Category
    words: list[str] = Field(min_length=1)


class TriageWords(_Part):
    """Words that suggest safety risk, impact and category (S-04, S-10)."""

    safety_words: list[str]
    core_use_words: list[str]
    partial_words: list[str]
    categories: list[CategoryWords]


class Theme(_Part):
    """What answers may be about: its name by language, and the words that tell (S-52)."""

    name: dict[str, str] = Field(min_length=1)
    words: list[str] = Field(min_length=1)


class FeedbackPolicy(_Part):
    """How answers are read (S-52)."""

    too_few: int = Field(ge=1, le=100)
    stop_words: list[str]
    stages: dict[Literal["booking", "on_site", "follow_up", "confirmation"], list[str]]
    themes: dict[str, Theme]
    synonyms: dict[str, list[str]]


class Standard(_Part):
    """The whole service standard of one organisation."""

    organisation: Organisation
    calendars: dict[str, CalendarHours] = Field(min_length=1)
    channels: dict[Channel, str]
    intake: IntakePolicy
    priorities: dict[Priority, PriorityPromise]
    assignment: AssignmentPolicy
    escalation: list[EscalationRung]
    completion: CompletionPolicy
    survey: SurveyPolicy
    callback: CallbackPolicy
    follow_up_visit: FollowUpVisitPolicy
    appointment: AppointmentPolicy
    courtesy: CourtesyPolicy
    links: LinkPolicy
    workbench: WorkbenchPolicy
    follow_up: FollowUpPolicy
    delivery: DeliveryPolicy
    webhooks: WebhookPolicy
    retention: RetentionPolicy
    improvement: ImprovementPolicy
    benchmarks: Benchmarks
    targets: Targets
    quality: QualityPolicy
    appraisal: AppraisalPolicy
    churn: ChurnPolicy
    reviews: ReviewPolicy
    triage: TriageWords
    feedback: FeedbackPolicy

    @model_validator(mode="after")
    def _complete(self) -> Standard:
        for priority in Priority:
            if priority not in self.priorities:
                raise ValueError(f"priorities: {priority.value} is missing")
        for channel in Channel:
            if channel not in self.channels:
                raise ValueError(f"channels: {channel.value} is missing")
        return self

    @model_validator(mode="after")
    def _calendars_known(self) -> Standard:
        users: list[tuple[str, str | None]] = [(channel.value, name) for channel, name in self.channels.items()]
        users.append(("callback", self.callback.calendar))
        users += [(priority.value, promise.calendar) for priority, promise in self.priorities.items()]
        for user, calendar in users:
            if calendar is not None and calendar not in self.calendars:
                raise ValueError(f"{user}: no calendar {calendar!r}; known are {', '.join(self.calendars)}")
        return self

    @model_validator(mode="after")
    def _urgent_first(self) -> Standard:
        for urgent, less in pairwise(sorted(self.priorities)):
            for promise in ("response", "resolution"):
                if getattr(self.priorities[urgent], promise) > getattr(self.priorities[less], promise):
                    raise ValueError(f"priorities: {urgent.value} promises a slower {promise} than {less.value}")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Standard:
        organisation = self.organisation
        for name in ("tickets", "messages"):
            if getattr(self.retention, name) < self.completion.reopen_within:
                raise ValueError(f"retention.{name}: it would go while a ticket can still be reopened")
        if organisation.default_language not in organisation.name:
            raise ValueError(
                f"organisation.name: has no name in the default language {organisation.default_language!r}"
            )
        for link, lasts, needed in (
            ("survey", self.links.survey, self.survey.expires_after),
            ("sign_off", self.links.sign_off, self.completion.close_without_answer_after),
        ):
            if lasts < needed:
                raise ValueError(f"links.{link}: the link would expire before what it is for")
        return self

    @model_validator(mode="after")
    def _ladder_rises(self) -> Standard:
        shares = [rung.at for rung in self.escalation]
        if shares != sorted(set(shares)):
            raise ValueError("escalation: the rungs must rise, each once")
        if 1.0 not in shares:
            raise ValueError("escalation: the rung at 1.0, the breach, is missing")
        return self

    @cached_property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs of every response and resolution clock."""
        return tuple(Rung(rung.at, tuple(rung.tells), rung.climbs_tier) for rung in self.escalation)

    @cached_property
    def assignment_ladder(self) -> tuple[Rung, ...]:
        """The one rung of an assignment clock: nobody took the ticket in time, its supervisor must (S-12)."""
        return (Rung(1.0, (Listener.SUPERVISOR,)),)

    def ladder_for(self, kind: ClockKind) -> tuple[Rung, ...]:
        """The rungs of a clock of this kind."""
        return self.assignment_ladder if kind is ClockKind.ASSIGNMENT else self.ladder

    @cached_property
    def _calendars(self) -> dict[str, BusinessCalendar]:
        return {
            name: BusinessCalendar(
                name,
                c.time_zone,
                parse_weekly_hours(c.weekly),
                c.holidays,
                frozenset(c.closed_on),
                frozenset(c.open_on),
            )
            for name, c in self.calendars.items()
        }

    def calendar(self, name: str) -> BusinessCalendar:
        """The service calendar of that name. Raises StandardError when the standard has none."""
        try:
            return self._calendars[name]
        except KeyError:
            raise StandardError(f"the service standard has no calendar {name!r}, but a clock runs by it") from None

    def calendar_for(self, priority: Priority, channel: Channel) -> str:
        """The name of the calendar by which a ticket's clocks run (S-01)."""
        return self.priorities[priority].calendar or self.channels[channel]

    def target(self, kind: ClockKind, priority: Priority) -> timedelta:
        """The working time that a clock of this kind promises (S-10, S-12)."""
        match kind:
            case ClockKind.ASSIGNMENT:
                return self.assignment.within
            case ClockKind.RESPONSE:
                return self.priorities[priority].response
            case ClockKind.RESOLUTION:
                return self.priorities[priority].resolution


def load_standard(own_file: Path | None = None, *, under: Mapping[str, Any] | None = None) -> Standard:
    """The default standard with the figures of the operator's file laid over it; ``under`` lies between the two.

    Raises StandardError that names the file, the figure and what to mend.
    """
    source = own_file or "domain/standard.toml"
    try:
        return Standard.model_validate(read_figures(own_file, under=under))
    except ValidationError as error:
        raise StandardError("\n".join(f"{source}: {_sentence(fault)}" for fault in error.errors())) from error


def read_figures(own_file: Path | None = None, *, under: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The figures of ``load_standard`` as they are written, unchecked. Raises StandardError for an unreadable file."""
    figures = tomllib.loads(resources.files("domain").joinpath("standard.toml").read_text("utf-8"))
    if under:
        figures = overlay(figures, under)
    if own_file is None:
        return figures
    try:
        return overlay(figures, tomllib.loads(own_file.read_text("utf-8-sig")))
    except FileNotFoundError:
        raise StandardError(f"{own_file}: no such file; mend AFTERCARE_STANDARD or --standard") from None
    except OSError as error:
        raise StandardError(f"{own_file}: not readable: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StandardError(f"{own_file}: not readable as TOML: {error}") from error


def overlay(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The base with an operator's own entries over it, table by table."""
    merged = dict(base)
    for key, value in own.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and key != "weekly":
            merged[key] = overlay(merged[key], value)
        else:
            merged[key] = value
    return merged


def _sentence(fault: Mapping[str, Any]) -> str:
    path = ".".join(str(step) for step in fault["loc"] if step != "[key]")
    problem = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        problem = "no such figure; see domain/standard.toml for the names"
    elif fault["type"] == "missing":
        problem = "is missing"
    return f"{path}: {problem}" if path else problem
