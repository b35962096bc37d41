"""This file reads rows as plain dictionaries, the one form in which they leave this room.

The statements of hot paths are built once, at import, with bind parameters: building one costs more than running it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Executable

Row = dict[str, Any]


def fetch(connection: Connection, query: Executable, **values: Any) -> list[Row]:
    """All rows of a query, by column name; ``values`` for its bind parameters."""
    result = connection.execute(query, values)
    names = list(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result.all()]


def fetch_one(connection: Connection, query: Executable, **values: Any) -> Row | None:
    """The only row of a query, or None; ``values`` for its bind parameters."""
    rows = fetch(connection, query, **values)
    return rows[0] if rows else None
