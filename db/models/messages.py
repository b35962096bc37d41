"""The outbox and inbox: what is owed, its files, its fate, and what may leave at all."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, key, one_of, quoted, reference
from domain.delivery import MessageState, Remedy
from domain.messages import Medium, MessageKind

_WORDLESS = (MessageState.QUEUED, MessageState.MERGED, MessageState.WITHHELD, MessageState.FAILED)


# What erasing has not been through yet; written out, so that the planner knows the index by it.
HAS_WORDS = text("""context <> '{"erased": true}'""")


class Message(Base):
    """The outbox: one row per message, once by its dedupe key; words are frozen before the first send."""

    __tablename__ = "messages"
    __table_args__ = (
        one_of("kind", MessageKind),
        one_of("medium", Medium),
        one_of("state", MessageState),
        CheckConstraint("(customer_id IS NULL) <> (staff_id IS NULL)", name="one_recipient"),
        CheckConstraint(
            f"body IS NOT NULL OR state IN ({quoted(*_WORDLESS)})",
            name="words_frozen",
        ),
        CheckConstraint("(state = 'sending') <= (sending_at IS NOT NULL)", name="sending_has_moment"),
        CheckConstraint("(state = 'merged') = (merged_into IS NOT NULL)", name="merged_has_target"),
        CheckConstraint(
            f"look_at IS NULL OR state IN "
            f"({quoted(MessageState.SENDING, MessageState.UNKNOWN, MessageState.ACCEPTED)})",
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
        Index("ix_messages_queued_at_worded", "queued_at", postgresql_where=HAS_WORDS),
    )

    id: Mapped[int] = key()
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    ticket_id: Mapped[int | None] = reference("tickets", nullable=True)
    customer_id: Mapped[int | None] = reference("customers", nullable=True)
    staff_id: Mapped[int | None] = reference("staff", nullable=True)
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
    merged_into: Mapped[int | None] = reference("messages", nullable=True)
    address: Mapped[str | None]
    subject: Mapped[str | None]
    body: Mapped[str | None]
    html: Mapped[str | None]
    segments: Mapped[int | None] = mapped_column(SmallInteger)
    provider: Mapped[str | None]
    provider_id: Mapped[str | None]
    error_code: Mapped[str | None]
    traceparent: Mapped[str | None]


class Enclosure(Base):
    """A file that leaves with a mail: a picture in its HTML where it has a content id, else an attachment (S-61)."""

    __tablename__ = "enclosures"

    id: Mapped[int] = key()
    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("messages.id"), index=True)
    name: Mapped[str]
    media_type: Mapped[str]
    content_id: Mapped[str | None]
    content: Mapped[bytes]


class MessageReport(Base):
    """What became of each attempt, in the order we learnt it: our own outcomes, the vendor's reports, look-ups."""

    __tablename__ = "message_reports"
    __table_args__ = (Index("ix_message_reports_message_id", "message_id"),)

    id: Mapped[int] = key()
    message_id: Mapped[int] = reference("messages")
    attempt: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[str]
    status: Mapped[str]
    code: Mapped[str | None]
    at: Mapped[datetime]


class Handover(Base):
    """How long a vendor took to take a message or refuse it, and how long the message had waited; kept for a day."""

    __tablename__ = "handovers"
    __table_args__ = (Index("ix_handovers_at", "at"),)

    id: Mapped[int] = key()
    at: Mapped[datetime]
    medium: Mapped[str]
    provider: Mapped[str]
    outcome: Mapped[str]
    took: Mapped[float]  # seconds, as the next
    waited: Mapped[float | None]


class MediumState(Base):
    """One row per medium: whether its vendor refuses us, what may leave now, what left today."""

    __tablename__ = "media"
    __table_args__ = (
        one_of("medium", Medium),
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
        one_of("medium", Medium),
        one_of("reason", frozenset({Remedy.BAD_ADDRESS, Remedy.OPTED_OUT, Remedy.COMPLAINED})),
        Index("uq_suppressions_address", "address", unique=True, postgresql_where=text("lifted_at IS NULL")),
    )

    id: Mapped[int] = key()
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

    id: Mapped[int] = key()
    source: Mapped[str]
    key: Mapped[str]
    kind: Mapped[str]
    content: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    result: Mapped[str | None]
    traceparent: Mapped[str | None]


class MailboxEntry(Base):
    """What the mailbox transport was handed; no uniqueness, so that a message handed over twice would show."""

    __tablename__ = "mailbox_entries"

    id: Mapped[int] = key()
    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("messages.id"), index=True)
    address: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str | None]
    body: Mapped[str]
    html: Mapped[str | None]
    received_at: Mapped[datetime]
