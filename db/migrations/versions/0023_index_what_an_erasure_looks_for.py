"""index what an erasure looks for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_messages_id_digests", "messages", ["id"], postgresql_where=sa.text("kind = 'weekly_digest'"))
    op.create_index(
        "ix_inbox_message_id",
        "inbox",
        [sa.text("((content ->> 'message_id')::bigint)")],
        postgresql_where=sa.text("kind = 'Report'"),
    )
