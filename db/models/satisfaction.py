"""What customers are asked and answer, and the calls that follow."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, key, one_of, reference
from domain.satisfaction import DIMENSIONS, STAGES, CallbackKind, CallbackState, SurveyMethod, SurveyState


class Survey(Base):
    """One survey per completion (S-41); with ``action_id`` one that asks again after an improvement (S-55)."""

    __tablename__ = "surveys"
    __table_args__ = (
        UniqueConstraint("ticket_id", "completion_no", "action_id", postgresql_nulls_not_distinct=True),
        Index("ix_surveys_action_id", "action_id", postgresql_where=text("action_id IS NOT NULL")),
        one_of("method", SurveyMethod),
        one_of("state", SurveyState),
        CheckConstraint("(state IN ('scheduled', 'sent')) OR next_action_at IS NULL", name="over_is_silent"),
        CheckConstraint("(state = 'sent') <= (sent_at IS NOT NULL)", name="sent_has_moment"),
        Index("ix_surveys_sent_at", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
        Index("ix_surveys_next_action_at", "next_action_at", postgresql_where=text("next_action_at IS NOT NULL")),
    )

    id: Mapped[int] = key()
    ticket_id: Mapped[int] = reference("tickets")
    completion_no: Mapped[int] = mapped_column(SmallInteger)
    method: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=SurveyState.SCHEDULED.value)
    next_action_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    action_id: Mapped[int | None] = reference("improvement_actions", nullable=True)


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
        one_of("kind", CallbackKind),
        one_of("state", CallbackState),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL AND reason IS NOT NULL)", name="done_has_reason"),
        CheckConstraint("state = 'open' OR next_action_at IS NULL", name="over_is_silent"),
        Index("ix_callbacks_due_at", "due_at"),
        Index("ix_callbacks_next_action_at", "next_action_at", postgresql_where=text("next_action_at IS NOT NULL")),
    )

    id: Mapped[int] = key()
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    survey_id: Mapped[int] = reference("surveys")
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=CallbackState.OPEN.value)
    due_at: Mapped[datetime]
    next_action_at: Mapped[datetime | None]
    assigned_to: Mapped[int | None] = reference("staff", nullable=True)
    escalated_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = reference("staff", nullable=True)
    reason: Mapped[str | None]
    suggestion: Mapped[str | None]
