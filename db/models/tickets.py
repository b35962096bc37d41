"""Tickets with their history, promises, plans and photos."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, key, one_of, reference, states_where
from domain.commands import PlanKind
from domain.lifecycle import TicketState
from domain.people import Role, Tier
from domain.sla import ClockKind
from domain.tickets import Category, Channel, Impact, Priority


class Ticket(Base):
    """One problem of one customer. Changed only by ``db.commands``."""

    __tablename__ = "tickets"
    __table_args__ = (
        one_of("state", TicketState),
        one_of("channel", Channel),
        one_of("category", Category),
        one_of("suggested_category", Category),
        one_of("impact", Impact),
        one_of("priority", Priority),
        one_of("suggested_priority", Priority),
        CheckConstraint(f"tier BETWEEN {min(Tier)} AND {max(Tier)}", name="tier_known"),
        CheckConstraint("NOT is_safety_risk OR priority = 'P1'", name="safety_is_urgent"),
        CheckConstraint("(state = 'waiting_customer') = (resume_state IS NOT NULL)", name="waiting_resumes"),
        CheckConstraint("resume_state IN ('diagnosing', 'in_work')", name="resume_state_known"),
        CheckConstraint(
            f"assignee_id IS NOT NULL OR state NOT IN ({states_where(lambda t: t.has_assignee)})", name="has_assignee"
        ),
        CheckConstraint(
            f"(closed_at IS NOT NULL) = (state IN ({states_where(lambda t: t.is_over)}))", name="over_has_end"
        ),
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
        Index("ix_tickets_order_number", "order_number", postgresql_where=text("order_number IS NOT NULL")),
        Index(
            "ix_tickets_serial_number", text("lower(serial_number)"), postgresql_where=text("serial_number IS NOT NULL")
        ),
    )

    id: Mapped[int] = key()
    number: Mapped[str] = mapped_column(Computed("'TK-' || lpad(id::text, 8, '0')", persisted=True), unique=True)
    customer_id: Mapped[int] = reference("customers")
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
    assignee_id: Mapped[int | None] = reference("staff", nullable=True)
    round: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    plan_revision: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    completion_no: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    opened_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    close_due_at: Mapped[datetime | None]
    # By which its promises were made; null: by the files alone. No foreign key: every opening would lock one row.
    standard_version: Mapped[int | None]
    expected_at: Mapped[datetime | None]
    event_count: Mapped[int] = mapped_column(server_default="0")
    event_digest: Mapped[bytes] = mapped_column(server_default=text(r"'\x'::bytea"))
    erased_at: Mapped[datetime | None]


class TicketEvent(Base):
    """What happened, in order; append-only by trigger, chained by digest (S-70). Its words may be erased (S-71)."""

    __tablename__ = "ticket_events"
    __table_args__ = (
        UniqueConstraint("ticket_id", "seq"),
        one_of("actor_role", Role),
        one_of("to_state", TicketState),
        Index(
            "uq_ticket_events_idempotency_key",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index("ix_ticket_events_at", "at"),
    )

    id: Mapped[int] = key()
    ticket_id: Mapped[int] = reference("tickets")
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
    traceparent: Mapped[str | None]


class PendingEvent(Base):
    """An event after which Aftercare itself has something to do; gone when done (ticket_lifecycle)."""

    __tablename__ = "pending_events"
    __table_args__ = (Index("ix_pending_events_due_at", "due_at"), Index("ix_pending_events_ticket_id", "ticket_id"))

    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket_events.id"), primary_key=True)
    ticket_id: Mapped[int] = reference("tickets")
    kind: Mapped[str]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    problem: Mapped[str | None]


class SlaClock(Base):
    """One promise of one ticket; ``pauses`` is a list of [since, until or null]."""

    __tablename__ = "sla_clocks"
    __table_args__ = (
        UniqueConstraint("ticket_id", "round", "kind"),
        one_of("kind", ClockKind),
        CheckConstraint("target > interval '0'", name="target_positive"),
        CheckConstraint("stopped_at IS NULL OR next_alarm_at IS NULL", name="stopped_is_silent"),
        CheckConstraint("stopped_at >= started_at", name="stops_after_it_started"),
        Index("ix_sla_clocks_next_alarm_at", "next_alarm_at", postgresql_where=text("next_alarm_at IS NOT NULL")),
        Index("ix_sla_clocks_due_at", "due_at", postgresql_where=text("stopped_at IS NULL")),
        Index("ix_sla_clocks_stopped_at", "stopped_at", postgresql_where=text("stopped_at IS NOT NULL")),
        Index("ix_sla_clocks_breached_at", "breached_at", postgresql_where=text("breached_at IS NOT NULL")),
    )

    id: Mapped[int] = key()
    ticket_id: Mapped[int] = reference("tickets")
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
        one_of("kind", PlanKind),
        CheckConstraint("state IN ('proposed', 'agreed', 'objected', 'superseded')", name="state_known"),
        CheckConstraint("(state = 'objected') = (objection IS NOT NULL)", name="objection_has_reason"),
        CheckConstraint("appointment_at <= deadline_at", name="appointment_before_deadline"),
        Index("uq_plans_open", "ticket_id", unique=True, postgresql_where=text("state = 'proposed'")),
    )

    id: Mapped[int] = key()
    ticket_id: Mapped[int] = reference("tickets")
    revision: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    steps: Mapped[list[str]]
    owner_id: Mapped[int] = reference("staff")
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

    id: Mapped[int] = key()
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    event_id: Mapped[int] = reference("ticket_events")
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

    id: Mapped[int] = key()
    form_key: Mapped[str]
    file_name: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[bytes]
    content: Mapped[bytes]
    added_at: Mapped[datetime] = mapped_column(index=True)
