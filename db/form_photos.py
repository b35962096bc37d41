"""The photos of forms that are not sent yet: kept while the sender mends something, forgotten after a day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from db.models import Attachment, FormPhoto
from db.rows import fetch
from domain.pictures import Photo

KEPT_FOR = timedelta(days=1)
# Forms cost nothing to open: whatever strangers upload, this many photos wait at most, and the oldest go first.
MOST_WAITING = 2000


def keep(connection: Connection, form_key: str, photos: Sequence[Photo], *, now: datetime) -> None:
    """Keep photos for a form, each once, and forget those of forms that were given up."""
    for photo in photos:
        values = {
            "form_key": form_key,
            "file_name": photo.file_name,
            "media_type": photo.media_type,
            "sha256": sha256(photo.content).digest(),
            "content": photo.content,
            "added_at": now,
        }
        connection.execute(insert_or_leave(FormPhoto).values(values).on_conflict_do_nothing())
    forget(connection, before=now - KEPT_FOR)
    oldest = select(FormPhoto.id).order_by(FormPhoto.id.desc()).offset(MOST_WAITING)
    connection.execute(delete(FormPhoto).where(FormPhoto.id.in_(oldest)))


_OF_FORM = (
    select(FormPhoto.id, FormPhoto.file_name).where(FormPhoto.form_key == bindparam("form")).order_by(FormPhoto.id)
)


def list_of(connection: Connection, form_key: str) -> list[dict[str, Any]]:
    """Id and name of the photos that a form has so far, in the order they came."""
    return fetch(connection, _OF_FORM, form=form_key)


def drop(connection: Connection, form_key: str, ids: Collection[int]) -> None:
    """Forget some photos of a form."""
    connection.execute(delete(FormPhoto).where(FormPhoto.form_key == form_key, FormPhoto.id.in_(ids)))


def move(connection: Connection, form_key: str, *, ticket_id: int, event_id: int, now: datetime) -> None:
    """The form was sent: its photos become evidence of the event."""
    copied = ("file_name", "media_type", "sha256", "content")
    chosen = select(
        literal(ticket_id),
        literal(event_id),
        bindparam("now", now, Attachment.added_at.type),
        *(getattr(FormPhoto, name) for name in copied),
    ).where(FormPhoto.form_key == form_key)
    names = ["ticket_id", "event_id", "added_at", *copied]
    connection.execute(insert(Attachment).from_select(names, chosen.order_by(FormPhoto.id)))
    connection.execute(delete(FormPhoto).where(FormPhoto.form_key == form_key))


def forget(connection: Connection, *, before: datetime) -> int:
    """Forget the photos of forms that nobody sent; returns how many."""
    return connection.execute(delete(FormPhoto).where(FormPhoto.added_at < before)).rowcount
