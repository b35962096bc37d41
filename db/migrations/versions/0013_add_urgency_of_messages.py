"""add the urgency of messages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("is_urgent", sa.Boolean(), server_default="false", nullable=False))
    # Small: only what waits and overtakes. What is queued while a sender still runs the old code waits its turn.
    op.create_index(
        "ix_messages_medium_send_after_urgent",
        "messages",
        ["medium", "send_after"],
        postgresql_where=sa.text("state = 'queued' AND is_urgent"),
    )
