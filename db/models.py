"""This file declares every table; illegal states are refused by the schema itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Interval,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from domain.api_keys import Scope
from domain.articles import ArticleState, Audience
from domain.churn import CareAction
from domain.commands import PlanKind
from domain.delivery import MessageState, Remedy
from domain.digest_schedule import DigestPeriod
from domain.improvement import MOST_WHYS, ActionState, Stage
from domain.lifecycle import STATES, TicketState
from domain.messages import Medium, MessageKind
from domain.people import STAFF_ROLES, CustomerTier, Department, Role, Tier
from domain.quality import Grade
from domain.satisfaction import DIMENSIONS, STAGES, CallbackKind, CallbackState, SurveyMethod, SurveyState
from domain.sla import ClockKind
from domain.tickets import Category, Channel, Impact, Priority


class Base(DeclarativeBase):
    """Tables with constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        timedelta: Interval,
        str: Text,
        bytes: LargeBinary,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
        list[date]: ARRAY(Date),
    }


def _in(column: str, words: type[StrEnum] | frozenset[Any]) -> CheckConstraint:
    """Only these words; kept as text, so that a new word is a new check and no new type."""
    listed = ", ".join(f"'{word}'" for word in sorted(str(word.value) for word in words))
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _states(predicate: Any) -> str:
    return ", ".join(f"'{state.value}'" for state, traits in STATES.items() if predicate(traits))


def _quoted(*words: StrEnum) -> str:
    return ", ".join(f"'{word.value}'" for word in words)


_WORDLESS = (MessageState.QUEUED, MessageState.MERGED, MessageState.WITHHELD, MessageState.FAILED)


def _key() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(), primary_key=True)


def _reference(table: str, *, column: str = "id", nullable: bool = False) -> Any:
    return mapped_column(BigInteger, ForeignKey(f"{table}.{column}"), nullable=nullable)


class Calendar(Base):
    """Service hours by name, as the standard had them when the database was upgraded (S-01)."""

    __tablename__ = "calendars"

    name: Mapped[str] = mapped_column(primary_key=True)
    time_zone: Mapped[str]
    weekly: Mapped[dict[str, Any]]
    holidays: Mapped[str | None]
    closed_on: Mapped[list[date]] = mapped_column(server_default="{}")
    open_on: Mapped[list[date]] = mapped_column(server_default="{}")


# Labelled, so that its operator class can be named apart and the comparison with the tables sees both.
_LOWER_NAME = literal_column("lower(name)", Text()).label("lower_name")


class Customer(Base):
    """Who is served (S-02)."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("(phone IS NOT NULL OR email IS NOT NULL) = (erased_at IS NULL)", name="reachable"),
        CheckConstraint("(erased_at IS NULL) = (erased_because IS NULL)", name="erased_has_reason"),
        CheckConstraint(r"phone ~ '^\+[1-9][0-9]{5,14}$'", name="phone_is_e164"),
        _in("tier", CustomerTier),
        _in("preferred_medium", Medium),
        Index("uq_customers_phone", "phone", unique=True, postgresql_where=text("phone IS NOT NULL")),
        Index("ix_customers_name", _LOWER_NAME, postgresql_ops={"lower_name": "text_pattern_ops"}),
        Index("uq_customers_email", text("lower(email)"), unique=True, postgresql_where=text("email IS NOT NULL")),
    )

    id: Mapped[int] = _key()
    name: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    tier: Mapped[str] = mapped_column(server_default=CustomerTier.STANDARD.value)
    language: Mapped[str]
    preferred_medium: Mapped[str] = mapped_column(server_default=Medium.SMS.value)
    time_zone: Mapped[str]
    region: Mapped[str | None]
    wants_anonymity: Mapped[bool] = mapped_column(server_default="false")
    declined_surveys_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    erased_because: Mapped[str | None]


class ContactView(Base):
    """A member of staff was shown how a customer is reached; append-only by trigger (S-71)."""

    __tablename__ = "contact_views"
    __table_args__ = (Index("ix_contact_views_customer_id_at", "customer_id", "at"),)

    id: Mapped[int] = _key()
    staff_id: Mapped[int] = _reference("staff")
    customer_id: Mapped[int] = _reference("customers")
    ticket_id: Mapped[int | None] = _reference("tickets", nullable=True)
    seen_on: Mapped[str]
    at: Mapped[datetime]


class Team(Base):
    """A team on one of three tiers (S-13)."""

    __tablename__ = "teams"
    __table_args__ = (
        CheckConstraint(f"tier BETWEEN {min(Tier)} AND {max(Tier)}", name="tier_known"),
        _in("department", Department),
    )

    id: Mapped[int] = _key()
    name: Mapped[str] = mapped_column(unique=True)
    tier: Mapped[int] = mapped_column(SmallInteger)
    department: Mapped[str] = mapped_column(server_default=Department.SERVICE.value)
    region: Mapped[str | None]


class Staff(Base):
    """Who serves (S-72). Nobody is deleted: history names them."""

    __tablename__ = "staff"
    __table_args__ = (
        _in("role", STAFF_ROLES),
        _in("digest_period", DigestPeriod),
        CheckConstraint("digest_weekday BETWEEN 0 AND 6", name="digest_weekday_known"),
        CheckConstraint("digest_hour BETWEEN 0 AND 23", name="digest_hour_known"),
        Index("uq_staff_email", text("lower(email)"), unique=True),
    )

    id: Mapped[int] = _key()
    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[str]
    is_senior: Mapped[bool] = mapped_column(server_default="false")
    team_id: Mapped[int] = _reference("teams")
    skills: Mapped[list[str]] = mapped_column(server_default="{}")
    language: Mapped[str]
    calendar: Mapped[str] = mapped_column(ForeignKey("calendars.name"))
    is_active: Mapped[bool] = mapped_column(server_default="true")
    declined_digests_at: Mapped[datetime | None]
    digest_period: Mapped[str] = mapped_column(server_default=DigestPeriod.WEEKLY.value)
    digest_region: Mapped[str | None]
    digest_weekday: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    digest_hour: Mapped[int] = mapped_column(SmallInteger, server_default="8")
    password_hash: Mapped[str | None]


class StaffSession(Base):
    """Somebody is signed in at the workbench; only the token's hash is kept (S-72)."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = _key()
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    staff_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInAttempt(Base):
    """How often somebody tried to sign in to an account or from an address lately, under the hash of its name."""

    __tablename__ = "sign_in_attempts"

    name_hash: Mapped[bytes] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]
    attempts: Mapped[int]


class Ticket(Base):
    """One problem of one customer. Changed only by ``db.commands``."""

    __tablename__ = "tickets"
    __table_args__ = (
        _in("state", TicketState),
        _in("channel", Channel),
        _in("category", Category),
        _in("suggested_category", Category),
        _in("impact", Impact),
        _in("priority", Priority),
        _in("suggested_priority", Priority),
        CheckConstraint(f"tier BETWEEN {min(Tier)} AND {max(Tier)}", name="tier_known"),
        CheckConstraint("NOT is_safety_risk OR priority = 'P1'", name="safety_is_urgent"),
        CheckConstraint("(state = 'waiting_customer') = (resume_state IS NOT NULL)", name="waiting_resumes"),
        CheckConstraint("resume_state IN ('diagnosing', 'in_work')", name="resume_state_known"),
        CheckConstraint(
            f"assignee_id IS NOT NULL OR state NOT IN ({_states(lambda t: t.has_assignee)})", name="has_assignee"
        ),
        CheckConstraint(f"(closed_at IS NOT NULL) = (state IN ({_states(lambda t: t.is_over)}))", name="over_has_end"),
        CheckConstraint("(close_due_at IS NOT NULL) = (state = 'completed')", name="completed_closes"),
        CheckConstraint("(completed_at IS NOT NULL) = (state IN ('completed', 'closed'))", name="completed_has_moment"),
        CheckConstraint("closed_at >= opened_at AND completed_at >= opened_at", name="ends_after_it_began"),
        Index("ix_tickets_close_due_at", "close_due_at", postgresql_where=text("close_due_at IS NOT NULL")),
        Index("ix_tickets_assignee_id_open", "assignee_id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_tickets_customer_id_open", "customer_id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_tickets_customer_id", "customer_id"),
        Index("ix_tickets_opened_at", "opened_at"),
        Index("ix_tickets_closed_at", "closed_at"),
        Index(
            "ix_tickets_closed_at_kept",
            "closed_at",
            postgresql_where=text("closed_at IS NOT NULL AND erased_at IS NULL"),
        ),
        Index("ix_tickets_id_unassigned", "id", postgresql_where=text("assignee_id IS NULL AND closed_at IS NULL")),
        Index(
            "ix_tickets_serial_number", text("lower(serial_number)"), postgresql_where=text("serial_number IS NOT NULL")
        ),
    )

    id: Mapped[int] = _key()
    number: Mapped[str] = mapped_column(Computed("'TK-' || lpad(id::text, 8, '0')", persisted=True), unique=True)
    customer_id: Mapped[int] = _reference("customers")
    channel: Mapped[str]
    region: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=TicketState.NEW.value)
    resume_state: Mapped[str | None]
    category: Mapped[str]
    suggested_category: Mapped[str]
    category_reason: Mapped[str]
    impact: Mapped[str]
    is_safety_risk: Mapped[bool]
    priority: Mapped[str]
    suggested_priority: Mapped[str]
    priority_reason: Mapped[str]
    subject: Mapped[str]
    description: Mapped[str]
    occurred_at: Mapped[datetime | None]
    usage_context: Mapped[str | None]
    wish: Mapped[str | None]
    product_model: Mapped[str | None]
    serial_number: Mapped[str | None]
    order_number: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(server_default="{}")
    tier: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    assignee_id: Mapped[int | None] = _reference("staff", nullable=True)
    round: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    plan_revision: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    completion_no: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    opened_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    close_due_at: Mapped[datetime | None]
    expected_at: Mapped[datetime | None]
    event_count: Mapped[int] = mapped_column(server_default="0")
    event_digest: Mapped[bytes] = mapped_column(server_default=text(r"'\x'::bytea"))
    erased_at: Mapped[datetime | None]


class TicketEvent(Base):
    """What happened, in order; append-only by trigger, chained by digest (S-70). Its words may be erased (S-71)."""

    __tablename__ = "ticket_events"
    __table_args__ = (
        UniqueConstraint("ticket_id", "seq"),
        _in("actor_role", Role),
        _in("to_state", TicketState),
        Index(
            "uq_ticket_events_idempotency_key",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index("ix_ticket_events_at", "at"),
    )

    id: Mapped[int] = _key()
    ticket_id: Mapped[int] = _reference("tickets")
    seq: Mapped[int]
    kind: Mapped[str]
    actor_role: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime]
    to_state: Mapped[str]
    payload: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    idempotency_key: Mapped[str | None]
    digest: Mapped[bytes]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class PendingEvent(Base):
    """An event after which Aftercare itself has something to do; gone when done (ticket_lifecycle)."""

    __tablename__ = "pending_events"
    __table_args__ = (Index("ix_pending_events_due_at", "due_at"), Index("ix_pending_events_ticket_id", "ticket_id"))

    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket_events.id"), primary_key=True)
    ticket_id: Mapped[int] = _reference("tickets")
    kind: Mapped[str]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    problem: Mapped[str | None]


class SlaClock(Base):
    """One promise of one ticket; ``pauses`` is a list of [since, until or null]."""

    __tablename__ = "sla_clocks"
    __table_args__ = (
        UniqueConstraint("ticket_id", "round", "kind"),
        _in("kind", ClockKind),
        CheckConstraint("target > interval '0'", name="target_positive"),
        CheckConstraint("stopped_at IS NULL OR next_alarm_at IS NULL", name="stopped_is_silent"),
        CheckConstraint("stopped_at >= started_at", name="stops_after_it_started"),
        Index("ix_sla_clocks_next_alarm_at", "next_alarm_at", postgresql_where=text("next_alarm_at IS NOT NULL")),
        Index("ix_sla_clocks_due_at", "due_at", postgresql_where=text("stopped_at IS NULL")),
        Index("ix_sla_clocks_stopped_at", "stopped_at", postgresql_where=text("stopped_at IS NOT NULL")),
        Index("ix_sla_clocks_breached_at", "breached_at", postgresql_where=text("breached_at IS NOT NULL")),
    )

    id: Mapped[int] = _key()
    ticket_id: Mapped[int] = _reference("tickets")
    round: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    calendar: Mapped[str] = mapped_column(ForeignKey("calendars.name"))
    target: Mapped[timedelta]
    started_at: Mapped[datetime]
    pauses: Mapped[list[Any]] = mapped_column(server_default="[]")
    stopped_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    next_alarm_at: Mapped[datetime | None]
    rungs_raised: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    breached_at: Mapped[datetime | None]


class Plan(Base):
    """One revision of a plan; all revisions stay visible (S-21 to S-23)."""

    __tablename__ = "plans"
    __table_args__ = (
        UniqueConstraint("ticket_id", "revision"),
        _in("kind", PlanKind),
        CheckConstraint("state IN ('proposed', 'agreed', 'objected', 'superseded')", name="state_known"),
        CheckConstraint("(state = 'objected') = (objection IS NOT NULL)", name="objection_has_reason"),
        CheckConstraint("appointment_at <= deadline_at", name="appointment_before_deadline"),
        Index("uq_plans_open", "ticket_id", unique=True, postgresql_where=text("state = 'proposed'")),
    )

    id: Mapped[int] = _key()
    ticket_id: Mapped[int] = _reference("tickets")
    revision: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    steps: Mapped[list[str]]
    owner_id: Mapped[int] = _reference("staff")
    deadline_at: Mapped[datetime]
    appointment_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default="proposed")
    proposed_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    agreed_with: Mapped[str | None]
    chosen_option: Mapped[int | None] = mapped_column(SmallInteger)
    objection: Mapped[str | None]


class PlanOption(Base):
    """One of several ways of a plan, counted from 1."""

    __tablename__ = "plan_options"

    plan_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("plans.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    title: Mapped[str]
    pros: Mapped[str]
    cons: Mapped[str]


class Attachment(Base):
    """A photo, a proof of purchase or a signature, as evidence of an event (S-30, S-40)."""

    __tablename__ = "attachments"
    __table_args__ = (
        CheckConstraint("octet_length(content) BETWEEN 1 AND 10485760", name="size"),
        CheckConstraint("media_type IN ('image/jpeg', 'image/png', 'image/webp')", name="media_type_known"),
        UniqueConstraint("event_id", "sha256"),
    )

    id: Mapped[int] = _key()
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    event_id: Mapped[int] = _reference("ticket_events")
    file_name: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[bytes]
    content: Mapped[bytes]
    added_at: Mapped[datetime]


class FormPhoto(Base):
    """A photo of a form that is not sent yet; kept for a day, so that nobody has to choose it twice."""

    __tablename__ = "form_photos"
    __table_args__ = (
        CheckConstraint("octet_length(content) BETWEEN 1 AND 10485760", name="size"),
        CheckConstraint("media_type IN ('image/jpeg', 'image/png')", name="media_type_known"),
        UniqueConstraint("form_key", "sha256"),
    )

    id: Mapped[int] = _key()
    form_key: Mapped[str]
    file_name: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[bytes]
    content: Mapped[bytes]
    added_at: Mapped[datetime] = mapped_column(index=True)


class Message(Base):
    """The outbox: one row per message, once by its dedupe key; words are frozen before the first send."""

    __tablename__ = "messages"
    __table_args__ = (
        _in("kind", MessageKind),
        _in("medium", Medium),
        _in("state", MessageState),
        CheckConstraint("(customer_id IS NULL) <> (staff_id IS NULL)", name="one_recipient"),
        CheckConstraint(
            f"body IS NOT NULL OR state IN ({_quoted(*_WORDLESS)})",
            name="words_frozen",
        ),
        CheckConstraint("(state = 'sending') <= (sending_at IS NOT NULL)", name="sending_has_moment"),
        CheckConstraint("(state = 'merged') = (merged_into IS NOT NULL)", name="merged_has_target"),
        CheckConstraint(
            f"look_at IS NULL OR state IN "
            f"({_quoted(MessageState.SENDING, MessageState.UNKNOWN, MessageState.ACCEPTED)})",
            name="settled_is_not_looked_up",
        ),
        Index("ix_messages_medium_send_after", "medium", "send_after", postgresql_where=text("state = 'queued'")),
        Index(
            "ix_messages_medium_send_after_urgent",
            "medium",
            "send_after",
            postgresql_where=text("state = 'queued' AND is_urgent"),
        ),
        Index("ix_messages_look_at", "look_at", postgresql_where=text("look_at IS NOT NULL")),
        Index(
            "ix_messages_address_sending_at", "address", "sending_at", postgresql_where=text("provider_id IS NOT NULL")
        ),
        Index("ix_messages_provider_id", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
        Index("ix_messages_undelivered", "id", postgresql_where=text("state IN ('failed', 'unknown', 'withheld')")),
        Index("ix_messages_id_digests", "id", postgresql_where=text("kind = 'weekly_digest'")),
        Index("ix_messages_ticket_id", "ticket_id"),
        Index("ix_messages_customer_id", "customer_id"),
    )

    id: Mapped[int] = _key()
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    ticket_id: Mapped[int | None] = _reference("tickets", nullable=True)
    customer_id: Mapped[int | None] = _reference("customers", nullable=True)
    staff_id: Mapped[int | None] = _reference("staff", nullable=True)
    kind: Mapped[str]
    medium: Mapped[str]
    switched_from: Mapped[str | None]
    language: Mapped[str]
    context: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(server_default=MessageState.QUEUED.value)
    queued_at: Mapped[datetime]
    send_after: Mapped[datetime]
    is_urgent: Mapped[bool] = mapped_column(server_default="false")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    sending_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    looks: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    not_sent: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    out_of_reach: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    resent_at: Mapped[datetime | None]
    merged_into: Mapped[int | None] = _reference("messages", nullable=True)
    address: Mapped[str | None]
    subject: Mapped[str | None]
    body: Mapped[str | None]
    html: Mapped[str | None]
    segments: Mapped[int | None] = mapped_column(SmallInteger)
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    error_code: Mapped[str | None]


class Enclosure(Base):
    """A file that leaves with a mail: a picture in its HTML where it has a content id, else an attachment (S-61)."""

    __tablename__ = "enclosures"

    id: Mapped[int] = _key()
    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("messages.id"), index=True)
    name: Mapped[str]
    media_type: Mapped[str]
    content_id: Mapped[str | None]
    content: Mapped[bytes]


class MessageReport(Base):
    """What became of each attempt, in the order we learnt it: our own outcomes, the vendor's reports, look-ups."""

    __tablename__ = "message_reports"
    __table_args__ = (Index("ix_message_reports_message_id", "message_id"),)

    id: Mapped[int] = _key()
    message_id: Mapped[int] = _reference("messages")
    attempt: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[str]
    status: Mapped[str]
    code: Mapped[str | None]
    at: Mapped[datetime]


class MediumState(Base):
    """One row per medium: whether its vendor refuses us, what may leave now, what left today."""

    __tablename__ = "media"
    __table_args__ = (
        _in("medium", Medium),
        CheckConstraint("(stopped_at IS NULL) = (stop_code IS NULL)", name="stop_has_code"),
    )

    medium: Mapped[str] = mapped_column(primary_key=True)
    stopped_at: Mapped[datetime | None]
    stop_code: Mapped[str | None]
    tokens: Mapped[float] = mapped_column(server_default="0")
    refilled_at: Mapped[datetime | None]
    spent_on: Mapped[date | None]
    segments: Mapped[int] = mapped_column(server_default="0")


class Suppression(Base):
    """An address to which nothing is sent, why, and until when."""

    __tablename__ = "suppressions"
    __table_args__ = (
        _in("medium", Medium),
        _in("reason", frozenset({Remedy.BAD_ADDRESS, Remedy.OPTED_OUT, Remedy.COMPLAINED})),
        Index("uq_suppressions_address", "address", unique=True, postgresql_where=text("lifted_at IS NULL")),
    )

    id: Mapped[int] = _key()
    medium: Mapped[str]
    address: Mapped[str]
    reason: Mapped[str]
    code: Mapped[str]
    since: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class InboxEntry(Base):
    """What a vendor posted to us, once by its key, until it is handled."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "key"),
        Index(
            "ix_inbox_message_id",
            text("((content ->> 'message_id')::bigint)"),
            postgresql_where=text("kind = 'Report'"),
        ),
        Index("ix_inbox_received_at_pending", "received_at", postgresql_where=text("handled_at IS NULL")),
    )

    id: Mapped[int] = _key()
    source: Mapped[str]
    key: Mapped[str]
    kind: Mapped[str]
    content: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    result: Mapped[str | None]


class MailboxEntry(Base):
    """What the mailbox transport was handed; no uniqueness, so that a message handed over twice would show."""

    __tablename__ = "mailbox_entries"

    id: Mapped[int] = _key()
    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("messages.id"), index=True)
    address: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str | None]
    body: Mapped[str]
    html: Mapped[str | None]
    received_at: Mapped[datetime]


class Survey(Base):
    """One survey per completion (S-41); with ``action_id`` one that asks again after an improvement (S-55)."""

    __tablename__ = "surveys"
    __table_args__ = (
        UniqueConstraint("ticket_id", "completion_no", "action_id", postgresql_nulls_not_distinct=True),
        Index("ix_surveys_action_id", "action_id", postgresql_where=text("action_id IS NOT NULL")),
        _in("method", SurveyMethod),
        _in("state", SurveyState),
        CheckConstraint("(state IN ('scheduled', 'sent')) OR next_action_at IS NULL", name="over_is_silent"),
        CheckConstraint("(state = 'sent') <= (sent_at IS NOT NULL)", name="sent_has_moment"),
        Index("ix_surveys_sent_at", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
        Index("ix_surveys_next_action_at", "next_action_at", postgresql_where=text("next_action_at IS NOT NULL")),
    )

    id: Mapped[int] = _key()
    ticket_id: Mapped[int] = _reference("tickets")
    completion_no: Mapped[int] = mapped_column(SmallInteger)
    method: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=SurveyState.SCHEDULED.value)
    next_action_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    action_id: Mapped[int | None] = _reference("improvement_actions", nullable=True)


class SurveyAnswer(Base):
    """One answer per survey: the survey is the key (S-41, S-50). A reply by SMS says the overall score only."""

    __tablename__ = "survey_answers"
    __table_args__ = tuple(
        CheckConstraint(f"{dimension} BETWEEN 1 AND 5", name=f"{dimension}_score")
        for dimension in (*DIMENSIONS, *STAGES)
    )

    survey_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("surveys.id"), primary_key=True)
    efficiency: Mapped[int | None] = mapped_column(SmallInteger)
    attitude: Mapped[int | None] = mapped_column(SmallInteger)
    solution: Mapped[int | None] = mapped_column(SmallInteger)
    overall: Mapped[int] = mapped_column(SmallInteger)
    booking: Mapped[int | None] = mapped_column(SmallInteger)
    on_site: Mapped[int | None] = mapped_column(SmallInteger)
    follow_up: Mapped[int | None] = mapped_column(SmallInteger)
    confirmation: Mapped[int | None] = mapped_column(SmallInteger)
    booking_improvement: Mapped[str] = mapped_column(server_default="")
    on_site_improvement: Mapped[str] = mapped_column(server_default="")
    follow_up_improvement: Mapped[str] = mapped_column(server_default="")
    confirmation_improvement: Mapped[str] = mapped_column(server_default="")
    solved_in_one_visit: Mapped[bool | None]
    called_afterwards: Mapped[bool | None]
    best_point: Mapped[str] = mapped_column(server_default="")
    most_wanted: Mapped[str] = mapped_column(server_default="")
    comment: Mapped[str]
    answered_at: Mapped[datetime] = mapped_column(index=True)


class SurveyDraft(Base):
    """What a customer has filled in so far and wants to go on with; gone with the answer or the end of the survey."""

    __tablename__ = "survey_drafts"

    survey_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("surveys.id"), primary_key=True)
    filled_in: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]


class Callback(Base):
    """A call that is owed to a customer (S-42, S-43)."""

    __tablename__ = "callbacks"
    __table_args__ = (
        UniqueConstraint("survey_id", "kind"),
        _in("kind", CallbackKind),
        _in("state", CallbackState),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL AND reason IS NOT NULL)", name="done_has_reason"),
        CheckConstraint("state = 'open' OR next_action_at IS NULL", name="over_is_silent"),
        Index("ix_callbacks_due_at", "due_at"),
        Index("ix_callbacks_next_action_at", "next_action_at", postgresql_where=text("next_action_at IS NOT NULL")),
    )

    id: Mapped[int] = _key()
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    survey_id: Mapped[int] = _reference("surveys")
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=CallbackState.OPEN.value)
    due_at: Mapped[datetime]
    next_action_at: Mapped[datetime | None]
    assigned_to: Mapped[int | None] = _reference("staff", nullable=True)
    escalated_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = _reference("staff", nullable=True)
    reason: Mapped[str | None]
    suggestion: Mapped[str | None]


class QualitySample(Base):
    """Tickets drawn by lot to be scored: whoever doubts it draws again from ``population`` with ``seed`` (S-56)."""

    __tablename__ = "quality_samples"

    id: Mapped[int] = _key()
    week: Mapped[str] = mapped_column(unique=True)
    seed: Mapped[int] = mapped_column(BigInteger)
    per_person: Mapped[int] = mapped_column(SmallInteger)
    scored_twice: Mapped[float]
    population: Mapped[dict[str, Any]]
    drawn_at: Mapped[datetime]
    drawn_by: Mapped[int] = _reference("staff")


class QualityCase(Base):
    """One ticket of a sample, and whose work is judged by it."""

    __tablename__ = "quality_cases"
    __table_args__ = (UniqueConstraint("sample_id", "ticket_id"),)

    id: Mapped[int] = _key()
    sample_id: Mapped[int] = _reference("quality_samples")
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    assessed_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    needs_two: Mapped[bool]


class QualityScore(Base):
    """What one inspector says of one case; percent and grade by the standard of that day (S-56)."""

    __tablename__ = "quality_scores"
    __table_args__ = (
        UniqueConstraint("case_id", "inspector_id"),
        _in("grade", Grade),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_is_one"),
    )

    id: Mapped[int] = _key()
    case_id: Mapped[int] = _reference("quality_cases")
    inspector_id: Mapped[int] = _reference("staff")
    marks: Mapped[dict[str, Any]]
    comments: Mapped[dict[str, Any]]
    percent: Mapped[float]
    grade: Mapped[str]
    scored_at: Mapped[datetime] = mapped_column(index=True)


class RootCause(Base):
    """Why something goes wrong, asked up to five times (S-53)."""

    __tablename__ = "root_causes"
    __table_args__ = (CheckConstraint(f"cardinality(whys) BETWEEN 1 AND {MOST_WHYS}", name="whys_number"),)

    id: Mapped[int] = _key()
    problem: Mapped[str]
    whys: Mapped[list[str]]
    cause: Mapped[str]
    written_by: Mapped[int] = _reference("staff")
    written_at: Mapped[datetime]


class RootCauseEvidence(Base):
    """A ticket that a root cause rests on, with the answer that its customer had given by then (S-53)."""

    __tablename__ = "root_cause_evidence"

    root_cause_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("root_causes.id"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), primary_key=True, index=True)
    survey_id: Mapped[int | None] = _reference("survey_answers", column="survey_id", nullable=True)


class ImprovementAction(Base):
    """What is to change because of a root cause, by whom and when (S-54); where its effect would show (S-55)."""

    __tablename__ = "improvement_actions"
    __table_args__ = (
        _in("department", Department),
        _in("category", Category),
        _in("stage", Stage),
        _in("state", ActionState),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="over_has_end"),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="over_has_outcome"),
        CheckConstraint("state <> 'open' OR next_step_at IS NOT NULL", name="open_is_reminded"),
        CheckConstraint("state <> 'dropped' OR next_step_at IS NULL", name="dropped_is_silent"),
        Index("ix_improvement_actions_root_cause_id", "root_cause_id"),
        Index("ix_improvement_actions_due_on_open", "due_on", postgresql_where=text("state = 'open'")),
        Index("ix_improvement_actions_next_step_at", "next_step_at", postgresql_where=text("next_step_at IS NOT NULL")),
    )

    id: Mapped[int] = _key()
    root_cause_id: Mapped[int] = _reference("root_causes")
    measure: Mapped[str]
    department: Mapped[str]
    responsible_id: Mapped[int] = _reference("staff")
    due_on: Mapped[date]
    expected_effect: Mapped[str]
    category: Mapped[str | None]
    product_model: Mapped[str | None]
    region: Mapped[str | None]
    stage: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=ActionState.OPEN.value)
    next_step_at: Mapped[datetime | None]
    decided_by: Mapped[int] = _reference("staff")
    decided_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = _reference("staff", nullable=True)
    outcome: Mapped[str | None]
    told_customers: Mapped[str] = mapped_column(server_default="")


class CaseReview(Base):
    """What was found when colleagues went through a case (S-44)."""

    __tablename__ = "case_reviews"

    id: Mapped[int] = _key()
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    reasons: Mapped[list[str]]
    held_on: Mapped[date]
    participants: Mapped[str]
    what_happened: Mapped[str]
    conclusions: Mapped[str]
    follow_ups: Mapped[str]
    recorded_by: Mapped[int] = _reference("staff")
    recorded_at: Mapped[datetime]


class CareTaken(Base):
    """What was done for a customer who might be lost, and the signs of it then (S-58)."""

    __tablename__ = "care_taken"
    __table_args__ = (_in("action", CareAction),)

    id: Mapped[int] = _key()
    customer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("customers.id"), index=True)
    action: Mapped[str]
    note: Mapped[str]
    signs: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)
    taken_by: Mapped[int] = _reference("staff")


class Article(Base):
    """A solved typical case for the next time (S-62); ``search``: its words, cut before they are stored."""

    __tablename__ = "articles"
    __table_args__ = (
        _in("state", ArticleState),
        _in("audience", Audience),
        _in("category", Category),
        CheckConstraint("state <> 'published' OR published_at IS NOT NULL", name="published_has_moment"),
        Index("ix_articles_search", "search", postgresql_using="gin", postgresql_where=text("state = 'published'")),
        Index(
            "ix_articles_title",
            "title",
            postgresql_using="gin",
            postgresql_ops={"title": "gin_trgm_ops"},
            postgresql_where=text("state = 'published'"),
        ),
        Index("ix_articles_written_at", "written_at"),
    )

    id: Mapped[int] = _key()
    language: Mapped[str]
    audience: Mapped[str]
    title: Mapped[str]
    problem: Mapped[str]
    cause: Mapped[str]
    solution: Mapped[str]
    category: Mapped[str | None]
    product_model: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(server_default="{}")
    state: Mapped[str] = mapped_column(server_default=ArticleState.DRAFT.value)
    ticket_id: Mapped[int | None] = _reference("tickets", nullable=True)
    written_by: Mapped[int] = _reference("staff")
    written_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    search: Mapped[str] = mapped_column(TSVECTOR)


class ArticleHelp(Base):
    """An article helped with a ticket, as staff say, or made one needless, as a customer says at the form."""

    __tablename__ = "article_helps"
    __table_args__ = (
        UniqueConstraint("article_id", "ticket_id"),
        UniqueConstraint("article_id", "form_key"),
        CheckConstraint("(ticket_id IS NULL) <> (form_key IS NULL)", name="ticket_or_form"),
        Index("ix_article_helps_ticket_id", "ticket_id"),
    )

    id: Mapped[int] = _key()
    article_id: Mapped[int] = _reference("articles")
    ticket_id: Mapped[int | None] = _reference("tickets", nullable=True)
    staff_id: Mapped[int | None] = _reference("staff", nullable=True)
    form_key: Mapped[str | None]
    at: Mapped[datetime]


class ApiKey(Base):
    """A key of another system, which acts as a member of staff; only its hash is kept (S-72)."""

    __tablename__ = "api_keys"
    __table_args__ = (
        _in("role", STAFF_ROLES),
        CheckConstraint(f"cardinality(scopes) > 0 AND scopes <@ ARRAY[{_quoted(*Scope)}]::text[]", name="scopes_known"),
    )

    id: Mapped[int] = _key()
    name: Mapped[str]
    role: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    staff_id: Mapped[int | None] = _reference("staff", nullable=True)
    scopes: Mapped[list[str]] = mapped_column(server_default="{read}")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class WebhookSubscription(Base):
    """An address of another system that is told of events; its secret is derived from ``salt``, and kept nowhere.

    ``old_salts``: those before, each with the moment until which it signs too. ``kinds``: empty for all.
    ``failures`` and ``retry_at``: how long a receiver that is out of reach is left alone.
    """

    __tablename__ = "webhook_subscriptions"
    __table_args__ = (
        CheckConstraint("(paused_at IS NULL) = (pause_code IS NULL)", name="pause_has_code"),
        Index("uq_webhook_subscriptions_url", "url", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = _key()
    name: Mapped[str]
    url: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(server_default="{}")
    salt: Mapped[bytes]
    old_salts: Mapped[list[Any]] = mapped_column(server_default="[]")
    created_by: Mapped[int | None] = _reference("staff", nullable=True)
    created_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    retry_at: Mapped[datetime | None]
    last_code: Mapped[str | None]
    last_taken_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    pause_code: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class WebhookDelivery(Base):
    """An event that a subscription is still to be told; written by a trigger with the event, gone when taken."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(["ticket_id", "seq"], ["ticket_events.ticket_id", "ticket_events.seq"]),
        Index("ix_webhook_deliveries_subscription_id_due_at", "subscription_id", "due_at"),
    )

    subscription_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("webhook_subscriptions.id"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default="0")
    first_tried_at: Mapped[datetime | None]
    last_code: Mapped[str | None]
