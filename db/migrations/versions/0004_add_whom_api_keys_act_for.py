"""add whom api keys act for, their scopes and their last use"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Null only in rows from before; such a key acts for nobody and is refused.
    op.add_column("api_keys", sa.Column("staff_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "api_keys",
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), server_default="{read}", nullable=False),
    )
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_api_keys_staff_id"), "api_keys", "staff", ["staff_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_api_keys_scopes_known"),
        "api_keys",
        "cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'write']::text[]",
    )
