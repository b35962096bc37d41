"""The mailbox: what customers and staff would have received, like an inbox per recipient; only while trying."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from db import mailbox
from db.session import transaction
from domain.exceptions import NotFoundError
from domain.messages import Medium
from domain.segments import sms_size
from templates.render import render_page
from web.language import house, page_language

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
    found = []
    if address.isprintable():  # Postgres keeps no NUL, and no address has a control character
        with transaction() as connection:
            found = mailbox.list_entries(connection, address)
    if not found:
        raise NotFoundError("no message was sent to this address")
    rows = [row | {"size": sms_size(row["body"]) if row["medium"] == Medium.SMS else None} for row in found]
    return _page(request, "mailbox_of", address=address, rows=rows)


@router.get("/message/{entry_id}")
def message(entry_id: Annotated[int, Path(lt=2**63)]) -> HTMLResponse:
    """The HTML part of one message as a mail program would show it."""
    with transaction() as connection:
        entry = mailbox.get(connection, entry_id)
    return HTMLResponse(_with_links_outside(entry["html"] or ""))


def _with_links_outside(html: str) -> str:
    """The mail with links that open in a new tab: the pages behind them refuse to be framed.

    What was sent stays as it was; only this view of it is changed.
    """
    head = re.search(r"<head[^>]*>", html, re.IGNORECASE)
    place = head.end() if head else 0
    return f'{html[:place]}<base target="_blank">{html[place:]}'


def _page(request: Request, name: str, **context: Any) -> HTMLResponse:
    language = page_language(request)
    return HTMLResponse(render_page(name, language=language, **house(language), **context))
