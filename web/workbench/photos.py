"""Photos on the workbench: shown to whoever is signed in, and taken from forms, a few at a time and not too large."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from db import attachments
from db.session import transaction
from domain.commands import LARGEST_ID
from domain.exceptions import InvalidInputError
from domain.faults import Fault
from domain.pictures import LARGEST, Photo, read_picture
from web.workbench.door import Member
from web.workbench.typed import FormError, Typed

router = APIRouter(prefix="/workbench/photos")
MOST_PHOTOS = 4
_SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})


@router.get("/{photo_id}")
def show_photo(_member: Member, photo_id: Annotated[int, Path(ge=1, le=LARGEST_ID)]) -> Response:
    """One photo; it can do nothing in a browser but be looked at."""
    with transaction() as connection:
        photo = attachments.get(connection, photo_id)
    is_picture = photo.media_type in _SHOWN
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": "inline" if is_picture else "attachment",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=3600",
    }
    shown_as = photo.media_type if is_picture else "application/octet-stream"
    return Response(photo.content, media_type=shown_as, headers=headers)


def read_photos(typed: Typed) -> list[Photo]:
    """The photos of a form, written anew. Raises FormError."""
    if len(typed.files) > MOST_PHOTOS:
        raise FormError({"photo": Fault("too_many_photos", MOST_PHOTOS)})
    photos = []
    for file in typed.files:
        content = file.file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise FormError({"photo": Fault("photo_too_large")})
        try:
            photos.append(read_picture(file.filename or "", content))
        except InvalidInputError as error:
            raise FormError({"photo": Fault("no_photo")}) from error
    return photos
