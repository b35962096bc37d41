"""index undelivered messages"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The page of the outbox looks at what was withheld too.
    op.create_index(
        "ix_messages_undelivered",
        "messages",
        ["id"],
        postgresql_where=sa.text("state IN ('failed', 'unknown', 'withheld')"),
    )
    op.drop_index("ix_messages_unclear", "messages")
