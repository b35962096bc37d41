"""Customers, staff and teams, the calendars they go by, and who looked at whose contact data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, Text, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, key, one_of, reference
from domain.digest_schedule import DigestPeriod
from domain.messages import Medium
from domain.people import STAFF_ROLES, CustomerTier, Department, Tier


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
        one_of("tier", CustomerTier),
        one_of("preferred_medium", Medium),
        Index("uq_customers_phone", "phone", unique=True, postgresql_where=text("phone IS NOT NULL")),
        Index("ix_customers_name", _LOWER_NAME, postgresql_ops={"lower_name": "text_pattern_ops"}),
        Index("uq_customers_email", text("lower(email)"), unique=True, postgresql_where=text("email IS NOT NULL")),
    )

    id: Mapped[int] = key()
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

    id: Mapped[int] = key()
    staff_id: Mapped[int] = reference("staff")
    customer_id: Mapped[int] = reference("customers")
    ticket_id: Mapped[int | None] = reference("tickets", nullable=True)
    seen_on: Mapped[str]
    at: Mapped[datetime]


class Team(Base):
    """A team on one of three tiers (S-13)."""

    __tablename__ = "teams"
    __table_args__ = (
        CheckConstraint(f"tier BETWEEN {min(Tier)} AND {max(Tier)}", name="tier_known"),
        one_of("department", Department),
    )

    id: Mapped[int] = key()
    name: Mapped[str] = mapped_column(unique=True)
    tier: Mapped[int] = mapped_column(SmallInteger)
    department: Mapped[str] = mapped_column(server_default=Department.SERVICE.value)
    region: Mapped[str | None]


class Staff(Base):
    """Who serves (S-72). Nobody is deleted: history names them."""

    __tablename__ = "staff"
    __table_args__ = (
        one_of("role", STAFF_ROLES),
        one_of("digest_period", DigestPeriod),
        CheckConstraint("digest_weekday BETWEEN 0 AND 6", name="digest_weekday_known"),
        CheckConstraint("digest_hour BETWEEN 0 AND 23", name="digest_hour_known"),
        Index("uq_staff_email", text("lower(email)"), unique=True),
    )

    id: Mapped[int] = key()
    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[str]
    is_senior: Mapped[bool] = mapped_column(server_default="false")
    team_id: Mapped[int] = reference("teams")
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

    id: Mapped[int] = key()
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
