"""This file reads the service standard: ``standard.toml`` with an operator's own figures over it, all checked."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from domain.business_hours import BusinessCalendar, parse_weekly_hours
from domain.escalation import Listener, Rung
from domain.exceptions import StandardError
from domain.figures import Part
from domain.quality_policies import (
    AppraisalPolicy,
    Benchmarks,
    ChurnPolicy,
    FeedbackPolicy,
    ImprovementPolicy,
    QualityPolicy,
    ReviewPolicy,
    Targets,
)
from domain.service_policies import (
    AppointmentPolicy,
    AssignmentPolicy,
    CalendarHours,
    CallbackPolicy,
    CompletionPolicy,
    CourtesyPolicy,
    DeliveryPolicy,
    EscalationRung,
    FollowUpPolicy,
    FollowUpVisitPolicy,
    IntakePolicy,
    LinkPolicy,
    Organisation,
    PriorityPromise,
    RetentionPolicy,
    SurveyPolicy,
    TriageWords,
    WebhookPolicy,
    WorkbenchPolicy,
)
from domain.sla import ClockKind
from domain.tickets import Channel, Priority

# The Prefect variables in which operations draft a change; the figures have the names they have in the file, but for
# the calendars, which are apart.
STANDARD, CALENDARS = "aftercare_standard", "aftercare_calendars"


class Standard(Part):
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
    _version: int | None = PrivateAttr(default=None)

    @property
    def version(self) -> int | None:
        """Under which number operations adopted it; None: it stands in files alone."""
        return self._version

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
    source = str(own_file or "domain/standard.toml")
    return _checked(read_figures(own_file, under=under), lambda _place: source)


def load_version(own_file: Path | None, version: int, changes: Mapping[str, Any]) -> Standard:
    """A version that operations adopted, or would adopt: its changes laid over the operator's file.

    Raises StandardError that names the Prefect variable, the figure and what to mend.
    """
    figures = overlay(read_figures(own_file), changes)
    standard = _checked(figures, lambda place: CALENDARS if place.startswith("calendars") else STANDARD)
    standard._version = version
    return standard


def _checked(figures: Mapping[str, Any], source: Callable[[str], str]) -> Standard:
    """The figures as a standard. Raises StandardError, each fault named by what ``source`` says of its place."""
    try:
        return Standard.model_validate(figures)
    except ValidationError as error:
        sentences = map(_sentence, error.errors())
        raise StandardError("\n".join(f"{source(sentence)}: {sentence}" for sentence in sentences)) from error


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
