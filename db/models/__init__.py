"""This file names every table; illegal states are refused by the schema itself."""

from db.models.base import Base
from db.models.messages import (
    Enclosure,
    Handover,
    InboxEntry,
    MailboxEntry,
    MediumState,
    Message,
    MessageReport,
    Suppression,
)
from db.models.people import Calendar, ContactView, Customer, SignInAttempt, Staff, StaffSession, Team
from db.models.quality import (
    Article,
    ArticleHelp,
    CareTaken,
    CaseReview,
    ImprovementAction,
    QualityCase,
    QualitySample,
    QualityScore,
    RootCause,
    RootCauseEvidence,
)
from db.models.satisfaction import Callback, Survey, SurveyAnswer, SurveyDraft
from db.models.standard import StandardVersion
from db.models.systems import ApiKey, WebhookDelivery, WebhookSubscription
from db.models.tickets import Attachment, FormPhoto, PendingEvent, Plan, PlanOption, SlaClock, Ticket, TicketEvent

__all__ = [
    "ApiKey",
    "Article",
    "ArticleHelp",
    "Attachment",
    "Base",
    "Calendar",
    "Callback",
    "CareTaken",
    "CaseReview",
    "ContactView",
    "Customer",
    "Enclosure",
    "FormPhoto",
    "Handover",
    "ImprovementAction",
    "InboxEntry",
    "MailboxEntry",
    "MediumState",
    "Message",
    "MessageReport",
    "PendingEvent",
    "Plan",
    "PlanOption",
    "QualityCase",
    "QualitySample",
    "QualityScore",
    "RootCause",
    "RootCauseEvidence",
    "SignInAttempt",
    "SlaClock",
    "Staff",
    "StaffSession",
    "StandardVersion",
    "Suppression",
    "Survey",
    "SurveyAnswer",
    "SurveyDraft",
    "Team",
    "Ticket",
    "TicketEvent",
    "WebhookDelivery",
    "WebhookSubscription",
]
