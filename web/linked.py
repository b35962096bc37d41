"""What every page behind a signed link does: read the link, find the ticket, speak its customer's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator
from sqlalchemy import Connection

from clock import utc_now
from db import commands, tickets
from db.standards import get_standard
from domain.commands import build_command
from domain.exceptions import ErasedError
from domain.faults import Fault
from domain.lifecycle import CommandName
from domain.links import PATHS, Subject, read, sign
from domain.messages import LinkPurpose
from domain.people import Actor, Role
from settings import get_settings
from templates.render import render_page
from web.language import house, page_language, remember_reader


def _with_plain_breaks(text: str) -> str:
    return text.replace("\r\n", "\n")


# Browsers count a line break as one character while people type, and send two.
Text = Annotated[str, Form(), AfterValidator(_with_plain_breaks)]


def read_link(purpose: LinkPurpose, token: str) -> Subject:
    """What the link is about. Raises LinkError."""
    return read(purpose, token, key=get_settings().signing_key(), now=utc_now())


def find_ticket(
    request: Request, connection: Connection, ticket_id: int, *, for_update: bool = False
) -> dict[str, Any]:
    """The ticket; from here on even a problem is told in its customer's language. Raises ErasedError."""
    ticket = tickets.get(connection, ticket_id, for_update=for_update)
    remember_reader(request, ticket["customer_language"])
    if ticket["erased_at"] is not None:
        raise ErasedError("what was kept of this ticket is erased")
    return ticket


def form_key(page: str, subject: Subject, once: str) -> str:
    """The idempotency key of one form; whatever is sent as ``once`` becomes harmless."""
    return f"page:{page}:{subject.id}:{subject.part}:{''.join(filter(str.isalnum, once))[:40]}"


def give(
    connection: Connection, ticket: Mapping[str, Any], name: CommandName, values: dict[str, Any], *, key: str
) -> commands.Applied:
    """Give a command as the ticket's customer; the same ``key`` gives it once."""
    customer = Actor(Role.CUSTOMER, ticket["customer_id"])
    return commands.apply_command(
        connection,
        ticket["id"],
        build_command(name, values),
        customer,
        standard=get_standard(),
        now=utc_now(),
        idempotency_key=key,
    )


def back_to(request: Request, purpose: LinkPurpose, token: str) -> RedirectResponse:
    """To the page of the link, which shows how things stand now."""
    suffix = f"?lang={page_language(request)}" if request.query_params.get("lang") else ""
    return RedirectResponse(f"/{PATHS[purpose]}/{token}{suffix}", status_code=303)


def link_to(purpose: LinkPurpose, subject: Subject, *, expires_at: datetime) -> str:
    """The path of a new link."""
    return f"/{PATHS[purpose]}/{sign(purpose, subject, key=get_settings().signing_key(), expires_at=expires_at)}"


def progress_link(ticket_id: int, *, now: datetime) -> str:
    """The path of a new link to a ticket's progress."""
    expires_at = now + get_standard().links.progress
    return link_to(LinkPurpose.PROGRESS, Subject(ticket_id), expires_at=expires_at)


def form_page(
    request: Request,
    ticket: Mapping[str, Any],
    name: str,
    token: str,
    values: Mapping[str, str],
    faults: Mapping[str, Fault],
    **context: Any,
) -> HTMLResponse:
    """A linked page with a form that keeps what was typed; with faults, each beside its field, it is a 422."""
    page = linked_page(request, ticket, name, token=token, once=uuid4().hex, values=values, faults=faults, **context)
    page.status_code = 422 if faults else 200
    return page


def linked_page(request: Request, ticket: Mapping[str, Any], name: str, **context: Any) -> HTMLResponse:
    """A page about the ticket in its customer's language and time zone."""
    language = page_language(request)
    now = utc_now()
    html = render_page(
        name,
        language=language,
        **(house(language) | {"time_zone": ticket["customer_time_zone"]}),
        now=now,
        ticket=ticket,
        progress_link=progress_link(ticket["id"], now=now),
        **context,
    )
    return HTMLResponse(html)
