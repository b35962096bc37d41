"""add who looked at contact data"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact_views",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("seen_on", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_contact_views_customer_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_contact_views_staff_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_contact_views_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_views")),
    )
    op.create_index("ix_contact_views_customer_id_at", "contact_views", ["customer_id", "at"])
    # S-71: whoever looked cannot have it unsaid. Rows may go when their time is over, so removal is not refused.
    op.execute("""
        CREATE FUNCTION refuse_other_views() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'contact_views is append-only (S-71)' USING ERRCODE = 'restrict_violation';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER contact_views_are_not_changed BEFORE UPDATE ON contact_views
        FOR EACH ROW EXECUTE FUNCTION refuse_other_views()
    """)
