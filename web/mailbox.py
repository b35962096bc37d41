"""The mailbox: what customers and staff would have received, like an inbox per recipient; only while trying."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response

from db import enclosures, mailbox
from db.session import transaction
from domain.exceptions import NotFoundError
from domain.messages import Enclosure, Medium
from domain.segments import sms_size
from web.language import page_language
from web.workbench.frame import show_outside

router = APIRouter(prefix="/mailbox")


@router.get("")
def addresses(request: Request) -> HTMLResponse:
    """Every recipient with the number of messages."""
    with transaction() as connection:
        found = mailbox.list_addresses(connection)
    rows = [{"address": address, "count": count, "at": at} for address, count, at in found]
    return _page(request, "mailbox", rows=rows)


@router.get("/of/{address}")
def entries(request: Request, address: str) -> HTMLResponse:
    """One recipient's messages, newest first."""
    found, attached = [], []
    if address.isprintable():  # Postgres keeps no NUL, and no address has a control character
        with transaction() as connection:
            found = mailbox.list_entries(connection, address)
            attached = enclosures.list_names(connection, [row["message_id"] for row in found])
    if not found:
        raise NotFoundError("no message was sent to this address")
    rows = [
        row
        | {
            "size": sms_size(row["body"]) if row["medium"] == Medium.SMS else None,
            "attached": [file for file in attached if file["message_id"] == row["message_id"]],
        }
        for row in found
    ]
    return _page(request, "mailbox_of", address=address, rows=rows)


@router.get("/message/{entry_id}")
def message(entry_id: Annotated[int, Path(lt=2**63)]) -> HTMLResponse:
    """The HTML part of one message as a mail program would show it."""
    with transaction() as connection:
        entry = mailbox.get(connection, entry_id)
        files = enclosures.of_messages(connection, [entry["message_id"]]).get(entry["message_id"], [])
    return HTMLResponse(_with_pictures(_with_links_outside(entry["html"] or ""), files))


@router.get("/file/{enclosure_id}")
def file(enclosure_id: Annotated[int, Path(lt=2**63)]) -> Response:
    """A file that was attached to a message."""
    with transaction() as connection:
        found = enclosures.get(connection, enclosure_id)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}"}
    return Response(found.content, media_type=found.media_type, headers=headers)


def _with_pictures(html: str, files: Sequence[Enclosure]) -> str:
    """The mail with the pictures that it brought along: this view may load nothing."""
    for found in files:
        if found.content_id is not None:
            url = f"data:{found.media_type};base64,{b64encode(found.content).decode()}"
            html = html.replace(f'"cid:{found.content_id}"', f'"{url}"')
    return html


def _with_links_outside(html: str) -> str:
    """The mail with links that open in a new tab: the pages behind them refuse to be framed.

    What was sent stays as it was; only this view of it is changed.
    """
    head = re.search(r"<head[^>]*>", html, re.IGNORECASE)
    place = head.end() if head else 0
    return f'{html[:place]}<base target="_blank">{html[place:]}'


def _page(request: Request, name: str, **context: Any) -> HTMLResponse:
    return show_outside(request, name, page_language(request), **context)
