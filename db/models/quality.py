"""What the service learns from: quality scores, root causes, actions, reviews, care, articles."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, key, one_of, reference
from domain.articles import ArticleState, Audience
from domain.churn import CareAction
from domain.improvement import MOST_WHYS, ActionState, Stage
from domain.people import Department
from domain.quality import Grade
from domain.tickets import Category


class QualitySample(Base):
    """Tickets drawn by lot to be scored: whoever doubts it draws again from ``population`` with ``seed`` (S-56)."""

    __tablename__ = "quality_samples"

    id: Mapped[int] = key()
    week: Mapped[str] = mapped_column(unique=True)
    seed: Mapped[int] = mapped_column(BigInteger)
    per_person: Mapped[int] = mapped_column(SmallInteger)
    scored_twice: Mapped[float]
    population: Mapped[dict[str, Any]]
    drawn_at: Mapped[datetime]
    drawn_by: Mapped[int] = reference("staff")


class QualityCase(Base):
    """One ticket of a sample, and whose work is judged by it."""

    __tablename__ = "quality_cases"
    __table_args__ = (UniqueConstraint("sample_id", "ticket_id"),)

    id: Mapped[int] = key()
    sample_id: Mapped[int] = reference("quality_samples")
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    assessed_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("staff.id"), index=True)
    needs_two: Mapped[bool]


class QualityScore(Base):
    """What one inspector says of one case; percent and grade by the standard of that day (S-56)."""

    __tablename__ = "quality_scores"
    __table_args__ = (
        UniqueConstraint("case_id", "inspector_id"),
        one_of("grade", Grade),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent_is_one"),
    )

    id: Mapped[int] = key()
    case_id: Mapped[int] = reference("quality_cases")
    inspector_id: Mapped[int] = reference("staff")
    marks: Mapped[dict[str, Any]]
    comments: Mapped[dict[str, Any]]
    percent: Mapped[float]
    grade: Mapped[str]
    scored_at: Mapped[datetime] = mapped_column(index=True)


class RootCause(Base):
    """Why something goes wrong, asked up to five times (S-53)."""

    __tablename__ = "root_causes"
    __table_args__ = (CheckConstraint(f"cardinality(whys) BETWEEN 1 AND {MOST_WHYS}", name="whys_number"),)

    id: Mapped[int] = key()
    problem: Mapped[str]
    whys: Mapped[list[str]]
    cause: Mapped[str]
    written_by: Mapped[int] = reference("staff")
    written_at: Mapped[datetime]


class RootCauseEvidence(Base):
    """A ticket that a root cause rests on, with the answer that its customer had given by then (S-53)."""

    __tablename__ = "root_cause_evidence"

    root_cause_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("root_causes.id"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), primary_key=True, index=True)
    survey_id: Mapped[int | None] = reference("survey_answers", column="survey_id", nullable=True)


class ImprovementAction(Base):
    """What is to change because of a root cause, by whom and when (S-54); where its effect would show (S-55)."""

    __tablename__ = "improvement_actions"
    __table_args__ = (
        one_of("department", Department),
        one_of("category", Category),
        one_of("stage", Stage),
        one_of("state", ActionState),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="over_has_end"),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="over_has_outcome"),
        CheckConstraint("state <> 'open' OR next_step_at IS NOT NULL", name="open_is_reminded"),
        CheckConstraint("state <> 'dropped' OR next_step_at IS NULL", name="dropped_is_silent"),
        Index("ix_improvement_actions_root_cause_id", "root_cause_id"),
        Index("ix_improvement_actions_due_on_open", "due_on", postgresql_where=text("state = 'open'")),
        Index("ix_improvement_actions_next_step_at", "next_step_at", postgresql_where=text("next_step_at IS NOT NULL")),
    )

    id: Mapped[int] = key()
    root_cause_id: Mapped[int] = reference("root_causes")
    measure: Mapped[str]
    department: Mapped[str]
    responsible_id: Mapped[int] = reference("staff")
    due_on: Mapped[date]
    expected_effect: Mapped[str]
    category: Mapped[str | None]
    product_model: Mapped[str | None]
    region: Mapped[str | None]
    stage: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=ActionState.OPEN.value)
    next_step_at: Mapped[datetime | None]
    decided_by: Mapped[int] = reference("staff")
    decided_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = reference("staff", nullable=True)
    outcome: Mapped[str | None]
    told_customers: Mapped[str] = mapped_column(server_default="")


class CaseReview(Base):
    """What was found when colleagues went through a case (S-44)."""

    __tablename__ = "case_reviews"

    id: Mapped[int] = key()
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id"), index=True)
    reasons: Mapped[list[str]]
    held_on: Mapped[date]
    participants: Mapped[str]
    what_happened: Mapped[str]
    conclusions: Mapped[str]
    follow_ups: Mapped[str]
    recorded_by: Mapped[int] = reference("staff")
    recorded_at: Mapped[datetime]


class CareTaken(Base):
    """What was done for a customer who might be lost, and the signs of it then (S-58)."""

    __tablename__ = "care_taken"
    __table_args__ = (one_of("action", CareAction),)

    id: Mapped[int] = key()
    customer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("customers.id"), index=True)
    action: Mapped[str]
    note: Mapped[str]
    signs: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)
    taken_by: Mapped[int] = reference("staff")


class Article(Base):
    """A solved typical case for the next time (S-62); ``search``: its words, cut before they are stored."""

    __tablename__ = "articles"
    __table_args__ = (
        one_of("state", ArticleState),
        one_of("audience", Audience),
        one_of("category", Category),
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

    id: Mapped[int] = key()
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
    ticket_id: Mapped[int | None] = reference("tickets", nullable=True)
    written_by: Mapped[int] = reference("staff")
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

    id: Mapped[int] = key()
    article_id: Mapped[int] = reference("articles")
    ticket_id: Mapped[int | None] = reference("tickets", nullable=True)
    staff_id: Mapped[int | None] = reference("staff", nullable=True)
    form_key: Mapped[str | None]
    at: Mapped[datetime]
