"""add indexes of the workbench's search: all tickets of a customer, customers by how their name begins"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_tickets_customer_id"), "tickets", ["customer_id"])
    op.create_index("ix_customers_name", "customers", [sa.text("lower(name) text_pattern_ops")])
