"""Photos as evidence of an event: checked by their content, not by their name (S-30, S-40)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from db.models import Attachment
from domain.exceptions import InvalidInputError

LARGEST = 10 * 1024 * 1024
_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo's name, type and bytes."""

    file_name: str
    media_type: str
    content: bytes


def read_photo(path: Path) -> Photo:
    """The photo in a file. Raises InvalidInputError when there is none, it is too large, or it is no picture."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError("photo", f"{path}: {error.strerror}") from error
    if len(content) > LARGEST:
        raise InvalidInputError("photo", f"{path} is larger than 10 MB; make it smaller")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Photo(path.name, "image/webp", content)
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return Photo(path.name, media_type, content)
    raise InvalidInputError("photo", f"{path} is no JPEG, PNG or WebP picture")


def add(connection: Connection, ticket_id: int, event_id: int, photo: Photo, *, now: datetime) -> None:
    """Keep a photo with an event; the same photo is kept once."""
    statement = insert(Attachment).values(
        ticket_id=ticket_id,
        event_id=event_id,
        file_name=photo.file_name,
        media_type=photo.media_type,
        sha256=sha256(photo.content).digest(),
        content=photo.content,
        added_at=now,
    )
    connection.execute(statement.on_conflict_do_nothing(index_elements=["event_id", "sha256"]))
