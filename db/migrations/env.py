"""Alembic runs the migrations through the connection that ``db.schema`` hands over."""

from __future__ import annotations

from alembic import context

from db.models import Base
from db.session import engine

if context.is_offline_mode():  # the statements are only written down, for the linter
    context.configure(dialect_name="postgresql", transaction_per_migration=True)
else:
    connection = context.config.attributes.get("connection")
    if connection is None:
        # For developers: alembic -x url=postgresql+psycopg://… revision --autogenerate
        connection = engine(context.get_x_argument(as_dictionary=True)["url"]).connect()
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_type=True, transaction_per_migration=True
    )
with context.begin_transaction():
    context.run_migrations()
