"""add versions of the standard"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standard_versions",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("adopted_by", sa.Text(), nullable=False),
        sa.Column("adopted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id >= 1", name=op.f("ck_standard_versions_counted_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard_versions")),
        if_not_exists=True,
    )
    op.execute("""
        CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only (S-70)', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute("""
        CREATE OR REPLACE TRIGGER standard_versions_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON standard_versions
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.add_column("tickets", sa.Column("standard_version", sa.Integer(), nullable=True), if_not_exists=True)
