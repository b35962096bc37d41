"""Changes of tables that are in use; each is a migration's only step, and can be done again after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic import op

# Who waits for a table's lock holds up all who want the table after them.
PATIENCE = "3s"


def create_index(name: str, table: str, columns: Sequence[Any], **options: Any) -> None:
    """Build an index while others write to the table; what a killed attempt has left is removed first.

    It waits, without holding anybody up, for the transactions that have begun before it.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, if_not_exists=True, postgresql_concurrently=True, **options)
        op.execute(f"SET lock_timeout = '{PATIENCE}'")
