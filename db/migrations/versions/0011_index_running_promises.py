"""index running promises by when they are due: the board costs what is due, not what is open"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_sla_clocks_due_at", "sla_clocks", ["due_at"], postgresql_where=sa.text("stopped_at IS NULL"))
