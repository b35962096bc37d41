"""When a message may leave, by which medium, or why it does not leave at all: pure decisions about one message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.delivery import Remedy
from domain.lifecycle import TicketState
from domain.messages import MESSAGES, Audience, Medium, MessageKind
from domain.satisfaction import SurveyState
from domain.service_policies import CourtesyPolicy
from domain.tickets import Priority

_WORK_IS_OVER = frozenset({TicketState.COMPLETED, TicketState.CLOSED, TicketState.CANCELLED})
# Even of an urgent ticket these wait for the morning.
_CAN_WAIT = frozenset({MessageKind.TICKET_CLOSED, MessageKind.FOLLOW_UP_VISIT, MessageKind.APPOINTMENT_REMINDER})
# The reader's own "no".
REFUSED = frozenset({Remedy.OPTED_OUT, Remedy.COMPLAINED})


@dataclass(frozen=True, slots=True)
class Send:
    """It leaves now."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """It leaves later (UTC)."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Switch:
    """It leaves by the other medium, because its own cannot reach the recipient."""

    to: Medium


@dataclass(frozen=True, slots=True)
class Withhold:
    """It does not leave; ``code`` says why."""

    code: str


Decision = Send | Postpone | Switch | Withhold


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who shall read it. ``suppressed``: why nothing is sent to an address of theirs."""

    addresses: Mapping[Medium, str]
    suppressed: Mapping[Medium, Remedy]
    time_zone: str
    has_declined: bool = False

    def can_be_reached_by(self, medium: Medium) -> bool:
        """Whether there is an address for the medium and nothing forbids it."""
        return medium in self.addresses and medium not in self.suppressed


@dataclass(frozen=True, slots=True)
class Before:
    """What this customer was sent in the last day (UTC): all of it, and the news about the same ticket."""

    sent: Collection[datetime] = ()
    news_of_ticket: Collection[datetime] = ()


def decide(
    kind: MessageKind,
    medium: Medium,
    recipient: Recipient,
    before: Before,
    *,
    priority: Priority | None,
    is_first_attempt: bool,
    policy: CourtesyPolicy,
    now: datetime,
) -> Decision:
    """What to do with a message that is due. Staff are always told at once."""
    traits = MESSAGES[kind]
    if traits.subscription is not None and recipient.has_declined:
        return Withhold("declined")
    if not recipient.can_be_reached_by(medium):
        refusal = recipient.suppressed.get(medium)
        if traits.subscription is not None and refusal in REFUSED:
            return Withhold(refusal.value)  # a "no" to one medium is none to be asked by the other
        other = other_medium(medium)
        if recipient.can_be_reached_by(other):
            return Switch(other)
        reason = recipient.suppressed.get(medium) or recipient.suppressed.get(other)
        return Withhold(reason.value if reason else "no_address")
    is_urgent = priority is Priority.P1 and traits.subscription is None and kind not in _CAN_WAIT
    if traits.audience is Audience.STAFF or is_urgent or traits.at_once:
        return Send()
    wait = quiet_until(recipient.time_zone, policy, now=now)
    if wait is not None:
        return Postpone(wait)
    if is_first_attempt:
        zone = ZoneInfo(recipient.time_zone)
        today = [moment for moment in before.sent if moment.astimezone(zone).date() == now.astimezone(zone).date()]
        if len(today) >= policy.messages_per_customer_and_day:
            return Postpone(next_morning(recipient.time_zone, policy, now=now))
        last = max(before.news_of_ticket, default=None)
        if traits.merges and last is not None and last + policy.merge_within > now:
            return Postpone(last + policy.merge_within)
    return Send()


def quiet_until(time_zone: str, policy: CourtesyPolicy, *, now: datetime) -> datetime | None:
    """When the recipient's night ends (UTC), or None by day."""
    local = now.astimezone(ZoneInfo(time_zone)).time()
    start, end = policy.quiet_from, policy.quiet_until
    is_night = start <= local < end if start <= end else local >= start or local < end
    return _next(end, time_zone, now=now) if is_night else None


def next_morning(time_zone: str, policy: CourtesyPolicy, *, now: datetime) -> datetime:
    """When messages may leave again on the recipient's next day (UTC)."""
    zone = ZoneInfo(time_zone)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, policy.quiet_until, zone).astimezone(now.tzinfo)


def _next(clock: time, time_zone: str, *, now: datetime) -> datetime:
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    moments = (datetime.combine(today + timedelta(days=days), clock, zone) for days in (0, 1))
    return next(moment for moment in moments if moment > now).astimezone(now.tzinfo)


def other_medium(medium: Medium) -> Medium:
    """The one of the two that this is not."""
    return Medium.EMAIL if medium is Medium.SMS else Medium.SMS


def is_out_of_date(
    kind: MessageKind,
    context: Mapping[str, Any],
    *,
    state: TicketState | None,
    plan_revision: int | None,
    completion_no: int | None,
    survey: SurveyState | None,
    was_held: bool,
    now: datetime,
) -> bool:
    """True for a message that would ask for, or announce, what is settled or changed by now.

    ``was_held``: it waited for the morning or for other news; news of work that is over meanwhile are none.
    """
    match kind:
        case MessageKind.QUESTION_ASKED:
            return state is not TicketState.WAITING_CUSTOMER
        case MessageKind.FOLLOW_UP_VISIT:
            return datetime.fromisoformat(context["visit_at"]) <= now
        case _ if MESSAGES[kind].merges:
            return was_held and state in _WORK_IS_OVER
        case MessageKind.PLAN_PROPOSED | MessageKind.PLAN_REVISED:
            return state is not TicketState.PLAN_PROPOSED or context["plan"]["revision"] != plan_revision
        case MessageKind.APPOINTMENT_REMINDER:
            is_past = datetime.fromisoformat(context["appointment_at"]) <= now
            return is_past or state is not TicketState.IN_WORK or context["plan_revision"] != plan_revision
        case MessageKind.WORK_COMPLETED:
            return state is not TicketState.COMPLETED or context["completion_no"] != completion_no
        case MessageKind.SURVEY_INVITATION | MessageKind.SURVEY_REMINDER | MessageKind.SURVEY_AGAIN:
            return survey is not SurveyState.SENT or datetime.fromisoformat(context["expires_at"]) <= now
        case _:
            return False
