"""Which messages there are, to whom each goes, and what its words may use (S-05, S-22, S-31, S-40 to S-42)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from domain.exceptions import DomainError


class Medium(StrEnum):
    """In which form a message leaves."""

    SMS = "sms"
    EMAIL = "email"


class LinkPurpose(StrEnum):
    """What a signed link is good for; it is useless for anything else."""

    PROGRESS = "progress"
    PLAN = "plan"
    SIGN_OFF = "sign_off"
    SURVEY = "survey"
    UNSUBSCRIBE = "unsubscribe"


class Subscription(StrEnum):
    """Mail that its reader may decline with one click, and still get the rest (RFC 8058)."""

    SURVEYS = "surveys"
    DIGESTS = "digests"


class MessageKind(StrEnum):
    """One member per folder of words in ``templates/<language>/``."""

    TICKET_RECEIVED = "ticket_received"
    TICKET_JOINED = "ticket_joined"
    TICKET_ASSIGNED = "ticket_assigned"
    TICKET_TRANSFERRED = "ticket_transferred"
    FIRST_CONTACT_MADE = "first_contact_made"
    QUESTION_ASKED = "question_asked"
    PLAN_PROPOSED = "plan_proposed"
    PLAN_REVISED = "plan_revised"
    APPOINTMENT_CONFIRMED = "appointment_confirmed"
    APPOINTMENT_REMINDER = "appointment_reminder"
    PROGRESS_STEP = "progress_step"
    DELAY_REPORTED = "delay_reported"
    WORK_COMPLETED = "work_completed"
    TICKET_REOPENED = "ticket_reopened"
    TICKET_CLOSED = "ticket_closed"
    TICKET_CANCELLED = "ticket_cancelled"
    TICKET_UPDATES = "ticket_updates"
    SURVEY_INVITATION = "survey_invitation"
    SURVEY_REMINDER = "survey_reminder"
    SURVEY_AGAIN = "survey_again"
    SURVEY_THANKS = "survey_thanks"
    CALLBACK_PROMISED = "callback_promised"
    FOLLOW_UP_VISIT = "follow_up_visit"
    STAFF_ASSIGNED = "staff_assigned"
    STAFF_SUPPORT_REQUESTED = "staff_support_requested"
    STAFF_CUSTOMER_ANSWERED = "staff_customer_answered"
    STAFF_CUSTOMER_WROTE = "staff_customer_wrote"
    STAFF_MESSAGE_FAILED = "staff_message_failed"
    STAFF_CHANNEL_STOPPED = "staff_channel_stopped"
    STAFF_SLA_WARNING = "staff_sla_warning"
    STAFF_SLA_BREACH = "staff_sla_breach"
    STAFF_SLA_ESCALATION = "staff_sla_escalation"
    STAFF_CALLBACK_DUE = "staff_callback_due"
    STAFF_CALLBACK_OVERDUE = "staff_callback_overdue"
    STAFF_IMPROVEMENT_ACTION = "staff_improvement_action"
    WEEKLY_DIGEST = "weekly_digest"


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that leaves with a mail. With a ``content_id`` it is a picture in its HTML, which names it ``cid:…``."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    content_id: str | None = None


class Audience(StrEnum):
    """Who reads a message."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class MessageTraits:
    """``needs``: the names its words may use beside those every message about a ticket has.

    ``merges``: news that may be said together with other news of the same ticket. ``at_once``: the answer to what
    the customer has just done; neither the night nor a daily limit holds it back.
    """

    audience: Audience
    needs: frozenset[str] = frozenset()
    link: LinkPurpose | None = None
    about_ticket: bool = True
    merges: bool = False
    at_once: bool = False
    subscription: Subscription | None = None


# What the words of every message about a ticket may use; moments are ISO 8601 UTC, times in the templates local.
TICKET_CONTEXT = frozenset(
    {"ticket_number", "customer_name", "subject", "category", "priority", "respond_by", "resolve_by", "assignee_name"}
)


def _customer(
    *needs: str,
    link: LinkPurpose = LinkPurpose.PROGRESS,
    merges: bool = False,
    at_once: bool = False,
    subscription: Subscription | None = None,
) -> MessageTraits:
    return MessageTraits(Audience.CUSTOMER, frozenset(needs), link, True, merges, at_once, subscription)


def _staff(*needs: str, about_ticket: bool = True, subscription: Subscription | None = None) -> MessageTraits:
    return MessageTraits(Audience.STAFF, frozenset(needs), None, about_ticket, subscription=subscription)


K = MessageKind
_SURVEY: Mapping[str, Any] = {"link": LinkPurpose.SURVEY, "subscription": Subscription.SURVEYS}
MESSAGES: Mapping[MessageKind, MessageTraits] = MappingProxyType(
    {
        K.TICKET_RECEIVED: _customer("assign_by", at_once=True),
        K.TICKET_JOINED: _customer(at_once=True),
        K.TICKET_ASSIGNED: _customer(merges=True),
        K.TICKET_TRANSFERRED: _customer(merges=True),
        K.FIRST_CONTACT_MADE: _customer("summary", merges=True),
        K.QUESTION_ASKED: _customer("question"),
        K.PLAN_PROPOSED: _customer("plan", link=LinkPurpose.PLAN),
        K.PLAN_REVISED: _customer("plan", link=LinkPurpose.PLAN),
        K.APPOINTMENT_CONFIRMED: _customer("appointment_at", at_once=True),
        K.APPOINTMENT_REMINDER: _customer("appointment_at", "plan_revision"),
        K.PROGRESS_STEP: _customer("step", merges=True),
        K.DELAY_REPORTED: _customer("reason", "expected_at", "contingency", merges=True),
        K.WORK_COMPLETED: _customer("summary", "usage_advice", "close_at", "completion_no", link=LinkPurpose.SIGN_OFF),
        K.TICKET_REOPENED: _customer(at_once=True),
        K.TICKET_CLOSED: _customer(),
        K.TICKET_CANCELLED: _customer("reason"),
        K.TICKET_UPDATES: _customer("updates"),
        K.SURVEY_INVITATION: _customer("expires_at", "survey_id", **_SURVEY),
        K.SURVEY_REMINDER: _customer("expires_at", "survey_id", **_SURVEY),
        K.SURVEY_AGAIN: _customer("expires_at", "survey_id", "change", **_SURVEY),
        K.SURVEY_THANKS: _customer(at_once=True),
        K.CALLBACK_PROMISED: _customer("call_by", at_once=True),
        K.FOLLOW_UP_VISIT: _customer("visit_at", "visitor_name"),
        K.STAFF_ASSIGNED: _staff("tier", "reason"),
        K.STAFF_SUPPORT_REQUESTED: _staff("department", "request"),
        K.STAFF_CUSTOMER_ANSWERED: _staff("answer", "comment", "proposed_at"),
        K.STAFF_CUSTOMER_WROTE: _staff("note"),
        K.STAFF_MESSAGE_FAILED: _staff("message_kind", "medium", "code"),
        K.STAFF_CHANNEL_STOPPED: _staff("medium", "provider", "code", "waiting", about_ticket=False),
        K.STAFF_SLA_WARNING: _staff("clock", "share", "due_at"),
        K.STAFF_SLA_BREACH: _staff("clock", "due_at"),
        K.STAFF_SLA_ESCALATION: _staff("clock", "due_at"),
        K.STAFF_CALLBACK_DUE: _staff("call_by", "callback_kind", "overall", "comment"),
        K.STAFF_CALLBACK_OVERDUE: _staff("call_by", "callback_kind", "supervisor_name"),
        K.STAFF_IMPROVEMENT_ACTION: _staff(
            "notice", "action_id", "measure", "department", "due_on", "expected_effect", about_ticket=False
        ),
        K.WEEKLY_DIGEST: _staff(
            *("digest", "base", "charts", "sheet"), about_ticket=False, subscription=Subscription.DIGESTS
        ),
    }
)


# They go to who does not serve the customer, or travel with what was said in a survey: without the name of who asked to
# stay anonymous (S-02).
UNNAMED = frozenset({K.STAFF_SUPPORT_REQUESTED, K.STAFF_CALLBACK_DUE, K.STAFF_CALLBACK_OVERDUE})


def check_context(kind: MessageKind, context: Mapping[str, Any]) -> None:
    """Refuse a message whose words would miss something, before it is queued. Raises DomainError naming what."""
    traits = MESSAGES[kind]
    missing = (traits.needs | (TICKET_CONTEXT if traits.about_ticket else frozenset())) - context.keys()
    if missing:
        raise DomainError(f"message {kind.value} lacks {', '.join(sorted(missing))}")


def choose_medium(*, preferred: Medium, phone: str | None, email: str | None) -> Medium:
    """The customer's preferred medium if its address is known, else the other one (S-02)."""
    reachable = {Medium.SMS: phone, Medium.EMAIL: email}
    if reachable[preferred]:
        return preferred
    return Medium.EMAIL if email else Medium.SMS
