"""Photos on the customer's pages: those of what the customer may see, behind the link to the progress (S-30, S-40)."""

from __future__ import annotations

from base64 import b64decode

from fastapi import APIRouter, Request, Response

from db import attachments
from db.session import transaction
from domain.exceptions import InvalidInputError, NotFoundError
from domain.messages import LinkPurpose
from domain.pictures import Photo, read_picture
from web.linked import find_ticket, read_link
from web.progress import visible_history

router = APIRouter()

_DRAWN = "data:image/png;base64,"


@router.get("/progress/{token}/photos/{photo_id}")
def photo(request: Request, token: str, photo_id: int) -> Response:
    """A photo of the ticket that the link is about; there is none of what only staff see."""
    subject = read_link(LinkPurpose.PROGRESS, token)
    with transaction() as connection:
        ticket = find_ticket(request, connection, subject.id)
        seen = {event["id"] for event in visible_history(connection, ticket["id"])}
        if not any(
            kept["id"] == photo_id and kept["event_id"] in seen
            for kept in attachments.list_of(connection, ticket["id"])
        ):
            raise NotFoundError("there is no such photo")
        found = attachments.get(connection, photo_id, ticket_id=ticket["id"])
    return Response(found.content, media_type=found.media_type, headers={"Content-Disposition": "inline"})


def read_signature(drawn: str) -> Photo | None:
    """The signature that was drawn on the page; None: it was left out. Raises InvalidInputError."""
    if not drawn:
        return None
    try:
        return read_picture("signature.png", b64decode(drawn.removeprefix(_DRAWN), validate=True))
    except (ValueError, InvalidInputError) as error:
        raise InvalidInputError("signature", "cannot be read") from error
