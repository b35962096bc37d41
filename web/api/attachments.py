"""Photos by the API: each comes with the step or note that says what it shows, the history tells of it (S-30)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import BaseModel, Field

from clock import utc_now
from db import attachments, commands, tickets
from db.held import hold
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_WORDS, require_role
from domain.commands import Command, build_command
from domain.exceptions import IdempotencyKeyReusedError, InvalidInputError
from domain.lifecycle import CommandName, require_permission
from domain.pictures import LARGEST, read_picture
from web.api import shapes
from web.api.asked import Id, Known, Number, OnceKey, id_of, once_key
from web.api.problems import documented
from web.api.versions import IfMatch, IfNoneMatch, is_known, require_unchanged, set_etag

router = APIRouter(prefix="/tickets/{number}/attachments", tags=["attachments"])

_TAG = {"ETag": {"schema": {"type": "string"}, "description": "Names what you see."}}
_VERSION = {"headers": {"ETag": {"schema": {"type": "string"}, "description": "The ticket's version now."}}}
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_BYTES = {
    "description": "The picture.",
    "headers": _TAG,
    "content": dict.fromkeys(("image/jpeg", "image/png", "image/webp"), _PICTURE),
}


class Attachment(BaseModel):
    """A photo, and the event that tells what it shows."""

    id: int
    event_seq: int = Field(description="The event's place in the ticket's history.")
    file_name: str = Field(examples=["capacitor.jpg"])
    media_type: str = Field(examples=["image/jpeg"])
    size: int = Field(description="Bytes, as kept.")
    added_at: datetime


@router.post(
    "",
    status_code=201,
    responses={
        201: _VERSION,
        200: {"model": Attachment, **_VERSION},
        **documented(404, 409, 412, "photo-too-large", "not-a-form"),
    },
)
def add_attachment(
    caller: Known,
    number: Number,
    once: OnceKey,
    response: Response,
    photo: Annotated[UploadFile, File(description="JPEG, PNG or WebP, at most 10 MB and 50 million pixels.")],
    step: Annotated[str | None, Form(description="A key step, which the customer reads too.")] = None,
    note: Annotated[str | None, Form(description="Or a note for colleagues.")] = None,
    if_match: IfMatch = None,
) -> Attachment:
    """Log a step or a note with its photo, in one; 200 when it was there already by this key.

    The picture is written anew: where it was taken, and whatever else the file carried, is not kept.
    """
    command = _command(step, note)
    require_permission(caller.actor, command.name)
    picture = read_picture(photo.filename or "", photo.file.read(LARGEST + 1))
    key, now = once_key(caller.actor, once), utc_now()
    with transaction() as connection:
        held = hold(connection, id_of(number))
        if commands.find_by_key(connection, key) is None:
            require_unchanged(if_match, held.row)
        applied = commands.apply_to(held, command, caller.actor, standard=get_standard(), now=now, idempotency_key=key)
        if not applied.was_repeated:
            attachments.add(connection, held.id, applied.event_id, picture, now=now)
        found = _of_event(attachments.list_of(connection, held.id), applied.event_id, sha256(picture.content).digest())
    if found is None:  # the key has logged the same words before, with another photo or with none
        raise IdempotencyKeyReusedError(f"the idempotency key {once!r} was used for another photo; use a new key")
    set_etag(response, held.row)
    response.status_code = 200 if applied.was_repeated else 201
    return Attachment.model_validate(found)


def _command(step: str | None, note: str | None) -> Command:
    if (step is None) == (note is None):
        raise InvalidInputError("step", "give either a step or a note: what the photo shows")
    if step is not None:
        return build_command(CommandName.LOG_STEP, {"step": step})
    return build_command(CommandName.ADD_NOTE, {"note": note})


def _of_event(rows: list[dict[str, Any]], event_id: int, digest: bytes) -> Mapping[str, Any] | None:
    return next((row for row in rows if (row["event_id"], row["sha256"]) == (event_id, digest)), None)


@router.get("", responses=documented(404))
def list_attachments(number: Number) -> shapes.Page[Attachment]:
    """A ticket's photos, oldest first."""
    with transaction() as connection:
        ticket = tickets.get(connection, id_of(number))
        rows = attachments.list_of(connection, ticket["id"])
    return shapes.Page(items=[Attachment.model_validate(row) for row in rows], next_cursor=None)


@router.get(
    "/{attachment_id}",
    response_class=Response,
    responses={200: _BYTES, 304: {"description": "You have it already.", "headers": _TAG}, **documented(404)},
)
def get_attachment(caller: Known, number: Number, attachment_id: Id, if_none_match: IfNoneMatch = None) -> Response:
    """One photo."""
    require_role(caller.actor, MAY_READ_WORDS, "seeing photos")
    with transaction() as connection:
        photo = attachments.get(connection, attachment_id, ticket_id=id_of(number))
    headers = {"ETag": f'"{sha256(photo.content).hexdigest()}"'}
    if is_known(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(photo.file_name)}"
    return Response(photo.content, headers=headers, media_type=photo.media_type)
