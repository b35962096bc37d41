"""add what managers have chosen of the digest"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("digest_period", sa.Text(), server_default="weekly", nullable=False))
    op.add_column("staff", sa.Column("digest_region", sa.Text(), nullable=True))
    op.add_column("staff", sa.Column("digest_weekday", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("staff", sa.Column("digest_hour", sa.SmallInteger(), server_default="8", nullable=False))
    op.create_check_constraint(op.f("ck_staff_digest_period_known"), "staff", "digest_period IN ('monthly', 'weekly')")
    op.create_check_constraint(op.f("ck_staff_digest_weekday_known"), "staff", "digest_weekday BETWEEN 0 AND 6")
    op.create_check_constraint(op.f("ck_staff_digest_hour_known"), "staff", "digest_hour BETWEEN 0 AND 23")
