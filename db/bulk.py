"""This file writes many rows in one statement with one parameter, whatever their number: what sweeps are fast by.

A thousand rows as bind parameters cost more to parse than to write; as one JSON document they do not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, TextClause, text
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def insert_many(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    returning: tuple[str, ...],
    unless_known: str | None = None,
) -> list[tuple[Any, ...]]:
    """Insert rows that all have the same columns; returns these columns of what was written, in any order.

    ``unless_known``: leave out a row whose value in this unique column is there already.
    """
    statement = _insert(table, tuple(rows[0]), returning, unless_known)
    return [tuple(row) for row in connection.execute(statement, {"rows": document(rows)}).all()]


def update_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the columns of rows, found by their ``id``; all have the same columns."""
    connection.execute(_update(table, tuple(rows[0])), {"rows": document(rows)})


@cache
def _insert(table: Table, columns: tuple[str, ...], returning: tuple[str, ...], unless_known: str | None) -> TextClause:
    return text(f"{insert_sql(table, columns, 'rows', unless_known)} RETURNING {', '.join(returning)}")


@cache
def _update(table: Table, columns: tuple[str, ...]) -> TextClause:
    return text(update_sql(table, columns, "rows"))


def insert_sql(table: Table, columns: tuple[str, ...], parameter: str, unless_known: str | None) -> str:
    """The statement that inserts the rows of the document that is bound to ``parameter``, for use in a greater one."""
    conflict = f"ON CONFLICT ({unless_known}) DO NOTHING" if unless_known else ""
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) "  # noqa: S608  names come from the models
        f"SELECT {', '.join(_read(table, column) for column in columns)} FROM {_recordset(table, columns, parameter)} "
        f"{conflict}"
    )


def update_sql(table: Table, columns: tuple[str, ...], parameter: str) -> str:
    """The statement that updates the rows of the document that is bound to ``parameter``, for use in a greater one."""
    settings = ", ".join(f"{column} = {_read(table, column)}" for column in columns if column != "id")
    return (
        f"UPDATE {table.name} SET {settings} "  # noqa: S608  names come from the models
        f"FROM {_recordset(table, columns, parameter)} WHERE {table.name}.id = r.id"
    )


def _recordset(table: Table, columns: tuple[str, ...], parameter: str) -> str:
    declared = ", ".join(f"{column} {_type(table, column)}" for column in columns)
    return f"jsonb_to_recordset(CAST(:{parameter} AS jsonb)) AS r({declared})"


def _type(table: Table, column: str) -> str:
    """JSON has no bytes: they travel as hexadecimal text."""
    kind = table.c[column].type
    return "text" if isinstance(kind, LargeBinary) else str(kind.compile(_DIALECT))


def _read(table: Table, column: str) -> str:
    return f"decode(r.{column}, 'hex')" if isinstance(table.c[column].type, LargeBinary) else f"r.{column}"


def document(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as one JSON document, for ``jsonb_to_recordset``."""
    return json.dumps([dict(row) for row in rows], default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        # Days stay days, as the driver writes them: the same length looks the same, whichever way it was written.
        return f"{value.days} days {timedelta(seconds=value.seconds, microseconds=value.microseconds)}"
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} cannot be written in bulk")
