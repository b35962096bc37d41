"""Files that leave with a mail, kept with it until its words go: a mail that is sent again is the same mail (S-61)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from db.models import Enclosure as Kept
from db.rows import fetch, fetch_one
from domain.exceptions import NotFoundError
from domain.messages import Enclosure


def keep(connection: Connection, of_messages: Mapping[int, Sequence[Enclosure]]) -> None:
    """Keep the files of messages (by id), in their order."""
    rows = [
        {
            "message_id": message_id,
            "name": enclosure.name,
            "media_type": enclosure.media_type,
            "content_id": enclosure.content_id,
            "content": enclosure.content,
        }
        for message_id, enclosures in of_messages.items()
        for enclosure in enclosures
    ]
    if rows:
        connection.execute(insert(Kept), rows)


def of_messages(connection: Connection, message_ids: Sequence[int]) -> dict[int, list[Enclosure]]:
    """The files of messages, those that have any, in the order in which they were kept."""
    query = select(Kept.__table__).where(Kept.message_id.in_(message_ids)).order_by(Kept.id)
    found: defaultdict[int, list[Enclosure]] = defaultdict(list)
    for row in fetch(connection, query):
        found[row["message_id"]].append(_enclosure(row))
    return found


def get(connection: Connection, enclosure_id: int) -> Enclosure:
    """One file. Raises NotFoundError."""
    row = fetch_one(connection, select(Kept.__table__).where(Kept.id == enclosure_id))
    if row is None:
        raise NotFoundError("no such file")
    return _enclosure(row)


def list_names(connection: Connection, message_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The attachments of messages without their content: id, message_id, name."""
    query = select(Kept.id, Kept.message_id, Kept.name)
    return fetch(connection, query.where(Kept.message_id.in_(message_ids), Kept.content_id.is_(None)).order_by(Kept.id))


def _enclosure(row: Mapping[str, Any]) -> Enclosure:
    return Enclosure(row["name"], row["media_type"], bytes(row["content"]), row["content_id"])
