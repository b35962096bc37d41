"""index order numbers: by them answers on paper find their tickets"""

from __future__ import annotations

import sqlalchemy as sa

from db.migrations.online import create_index

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_tickets_order_number", "tickets", ["order_number"], postgresql_where=sa.text("order_number IS NOT NULL")
    )
