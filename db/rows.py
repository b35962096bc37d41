"""This file reads rows as plain dictionaries, the one form in which they leave this room."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Executable

Row = dict[str, Any]


def fetch(connection: Connection, query: Executable) -> list[Row]:
    """All rows of a query, by column name."""
    result = connection.execute(query)
    names = list(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result]


def fetch_one(connection: Connection, query: Executable) -> Row | None:
    """The only row of a query, or None."""
    rows = fetch(connection, query)
    return rows[0] if rows else None
