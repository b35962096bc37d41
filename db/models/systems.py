"""Other systems: their keys, what they subscribed to, and what they are owed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, key, one_of, quoted, reference
from domain.api_keys import Scope
from domain.people import STAFF_ROLES


class ApiKey(Base):
    """A key of another system, which acts as a member of staff; only its hash is kept (S-72)."""

    __tablename__ = "api_keys"
    __table_args__ = (
        one_of("role", STAFF_ROLES),
        CheckConstraint(f"cardinality(scopes) > 0 AND scopes <@ ARRAY[{quoted(*Scope)}]::text[]", name="scopes_known"),
    )

    id: Mapped[int] = key()
    name: Mapped[str]
    role: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    staff_id: Mapped[int | None] = reference("staff", nullable=True)
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

    id: Mapped[int] = key()
    name: Mapped[str]
    url: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(server_default="{}")
    salt: Mapped[bytes]
    old_salts: Mapped[list[Any]] = mapped_column(server_default="[]")
    created_by: Mapped[int | None] = reference("staff", nullable=True)
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
