"""Photos as evidence of an event: kept with it, listed by ticket, read one by one (S-30, S-40)."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from db.models import Attachment, TicketEvent
from db.rows import fetch
from domain.exceptions import NotFoundError
from domain.pictures import Photo


def add(connection: Connection, ticket_id: int, event_id: int, photo: Photo, *, now: datetime) -> int:
    """Keep a photo with an event and return its id; the same photo is kept once."""
    digest = sha256(photo.content).digest()
    statement = insert(Attachment).values(
        ticket_id=ticket_id,
        event_id=event_id,
        file_name=photo.file_name,
        media_type=photo.media_type,
        sha256=digest,
        content=photo.content,
        added_at=now,
    )
    added = connection.execute(
        statement.on_conflict_do_nothing(index_elements=["event_id", "sha256"]).returning(Attachment.id)
    ).scalar_one_or_none()
    if added is not None:
        return added
    known = select(Attachment.id).where(Attachment.event_id == event_id, Attachment.sha256 == digest)
    return connection.execute(known).scalar_one()


def get(connection: Connection, attachment_id: int, *, ticket_id: int | None = None) -> Photo:
    """A photo with its content. Raises NotFoundError, also for one of another ticket than ``ticket_id``."""
    query = select(Attachment.file_name, Attachment.media_type, Attachment.content).where(
        Attachment.id == attachment_id
    )
    if ticket_id is not None:
        query = query.where(Attachment.ticket_id == ticket_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError("there is no such photo")
    return Photo(row.file_name, row.media_type, row.content)


def by_event(connection: Connection, ticket_id: int) -> dict[int, list[dict[str, Any]]]:
    """The same as ``list_of``, by the id of the event that the photos show."""
    photos: dict[int, list[dict[str, Any]]] = {}
    for photo in list_of(connection, ticket_id):
        photos.setdefault(photo["event_id"], []).append(photo)
    return photos


_OF_TICKET = (
    select(
        Attachment.id,
        Attachment.event_id,
        TicketEvent.seq.label("event_seq"),
        Attachment.file_name,
        Attachment.media_type,
        func.octet_length(Attachment.content).label("size"),
        Attachment.sha256,
        Attachment.added_at,
    )
    .join(TicketEvent, TicketEvent.id == Attachment.event_id)
    .where(Attachment.ticket_id == bindparam("ticket"))
    .order_by(Attachment.id)
)


def list_of(connection: Connection, ticket_id: int) -> list[dict[str, Any]]:
    """The photos of a ticket without their content, oldest first; ``size`` in bytes, ``sha256`` of the content,
    ``event_seq`` the place of their event in the ticket's history."""
    return fetch(connection, _OF_TICKET, ticket=ticket_id)
