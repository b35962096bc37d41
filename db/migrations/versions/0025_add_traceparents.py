"""add the traces by which events, messages and what vendors posted came"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_events", sa.Column("traceparent", sa.Text(), nullable=True), if_not_exists=True)
    op.add_column("inbox", sa.Column("traceparent", sa.Text(), nullable=True), if_not_exists=True)
    op.add_column("messages", sa.Column("traceparent", sa.Text(), nullable=True), if_not_exists=True)
