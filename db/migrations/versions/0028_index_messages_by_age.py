"""index messages that have words by age: retention reads what is past its time, not what it has been through"""

from __future__ import annotations

import sqlalchemy as sa

from db.migrations.online import create_index

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    has_words = sa.text("""context <> '{"erased": true}'""")
    create_index("ix_messages_queued_at_worded", "messages", ["queued_at"], postgresql_where=has_words)
