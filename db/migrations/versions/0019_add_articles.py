"""add articles: the knowledge base, found by words and by titles that are nearly the same, and what helped"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Comes with every Postgres, and may be switched on by the owner of a database.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "articles",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("language", "audience", "title", "problem", "cause", "solution")
        ),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("product_model", sa.Text(), nullable=True),
        sa.Column("tags", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("written_at", moment, nullable=False),
        sa.Column("published_at", moment, nullable=True),
        sa.Column("search", TSVECTOR(), nullable=False),
        *(
            sa.CheckConstraint(check, name=op.f(f"ck_articles_{name}"))
            for name, check in (
                ("state_known", "state IN ('draft', 'published', 'retired')"),
                ("audience_known", "audience IN ('customers', 'staff')"),
                ("category_known", "category IN ('complaint', 'guarantee', 'product_fault', 'usage_question')"),
                ("published_has_moment", "state <> 'published' OR published_at IS NOT NULL"),
            )
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_articles_ticket_id")),
        sa.ForeignKeyConstraint(["written_by"], ["staff.id"], name=op.f("fk_articles_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
    )
    is_published = sa.text("state = 'published'")
    op.create_index("ix_articles_search", "articles", ["search"], postgresql_using="gin", postgresql_where=is_published)
    op.create_index(
        "ix_articles_title",
        "articles",
        ["title"],
        postgresql_using="gin",
        postgresql_ops={"title": "gin_trgm_ops"},
        postgresql_where=is_published,
    )
    op.create_index("ix_articles_written_at", "articles", ["written_at"])
    op.create_table(
        "article_helps",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("form_key", sa.Text(), nullable=True),
        sa.Column("at", moment, nullable=False),
        sa.CheckConstraint("(ticket_id IS NULL) <> (form_key IS NULL)", name=op.f("ck_article_helps_ticket_or_form")),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_article_helps_{column}"))
            for column, target in (
                ("article_id", "articles.id"),
                ("ticket_id", "tickets.id"),
                ("staff_id", "staff.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_helps")),
        sa.UniqueConstraint("article_id", "ticket_id", name=op.f("uq_article_helps_article_id_ticket_id")),
        sa.UniqueConstraint("article_id", "form_key", name=op.f("uq_article_helps_article_id_form_key")),
    )
    op.create_index("ix_article_helps_ticket_id", "article_helps", ["ticket_id"])
