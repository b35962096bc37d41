"""add the photos of forms that are not sent yet"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "form_photos",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("form_key", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("media_type IN ('image/jpeg', 'image/png')", name=op.f("ck_form_photos_media_type_known")),
        sa.CheckConstraint("octet_length(content) BETWEEN 1 AND 10485760", name=op.f("ck_form_photos_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_photos")),
        sa.UniqueConstraint("form_key", "sha256", name=op.f("uq_form_photos_form_key_sha256")),
    )
    op.create_index(op.f("ix_form_photos_added_at"), "form_photos", ["added_at"], unique=False)
