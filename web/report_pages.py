"""The pages of the public form: the form itself, the question whether it is a known fault, and the receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from clock import utc_now
from db import attachments, clocks, commands, customers, tickets
from db.standards import get_standard
from domain.faults import Fault
from domain.intake import OpenTicket
from domain.links import LinkExpiredError
from domain.pictures import MOST_PHOTOS
from domain.tickets import ticket_number
from templates.languages import region_name, word
from templates.render import languages, render_page
from web.language import house, page_language
from web.linked import progress_link

_RECEIPT_LASTS = timedelta(days=1)
# The order of the fields on the page, for the list of what is wrong.
_ORDER = (
    *("form", "description", "impact", "danger", "category", "occurred_at", "usage_context", "wish"),
    *("product_model", "serial_number", "order_number", "photo"),
    *("name", "phone", "email", "medium", "language", "region", "anonymous"),
)


def form(
    request: Request,
    key: str,
    values: Mapping[str, str],
    *,
    regions: Sequence[str],
    photos: Sequence[Mapping[str, object]] = (),
    faults: Mapping[str, Fault] | None = None,
    articles: Sequence[Mapping[str, object]] | None = None,
) -> HTMLResponse:
    """The form with what was typed, and what is wrong beside each field; ``articles``: what may help at once."""
    language = page_language(request)
    now = utc_now().astimezone(ZoneInfo(get_standard().organisation.time_zone))
    html = render_page(
        "report",
        language=language,
        **house(language),
        form_key=key,
        values=values,
        faults={name: (faults or {})[name] for name in _ORDER if name in (faults or {})},
        photos=photos,
        articles=articles,
        most_photos=MOST_PHOTOS,
        regions=[(region, region_name(language, region)) for region in regions] if len(regions) > 1 else [],
        tongues=[(tag, word(tag, "language", "name")) for tag in languages()],
        local_now=now.strftime("%Y-%m-%dT%H:%M"),
        offset=_offset(now.utcoffset() or timedelta()),
    )
    return HTMLResponse(html, 422 if faults else 200)


def alike(request: Request, key: str, values: Mapping[str, str], ticket: OpenTicket, *, photos: int) -> HTMLResponse:
    """Asks whether the report is about the open ticket; of it nothing is told but its number and the device (S-07)."""
    language = page_language(request)
    html = render_page(
        "report_alike",
        language=language,
        **house(language),
        form_key=key,
        values=values,
        number=ticket_number(ticket.id),
        device=values["product_model"] or values["serial_number"],
        photos=photos,
    )
    return HTMLResponse(html)


def receipt(request: Request, connection: Connection, once: str, *, was_asked: bool) -> HTMLResponse | None:
    """What became of a form; None when none was sent with this key. Raises LinkExpiredError after a day.

    A link to the progress is shown only to somebody whom this report made known to us: whoever gives the number or
    address of a customer has not shown that it is theirs, and the customer gets the link by message (S-71).
    """
    event = commands.find_by_key(connection, once)
    if event is None:
        return None
    now = utc_now()
    if event["at"] < now - _RECEIPT_LASTS:
        raise LinkExpiredError("the receipt has expired")
    ticket = tickets.get(connection, event["ticket_id"])
    customer = customers.get(connection, ticket["customer_id"])
    is_opened = event["kind"] == "opened"
    is_new = is_opened and customer["created_at"] == event["at"]
    language = page_language(request)
    html = render_page(
        "report_sent",
        language=language,
        **house(language),
        now=now,
        ticket=ticket,
        is_opened=is_opened,
        is_named=is_opened or was_asked,
        promises={row["kind"]: row for row in clocks.of_ticket(connection, ticket["id"], ticket["round"])},
        photos=sum(photo["event_id"] == event["id"] for photo in attachments.list_of(connection, ticket["id"])),
        progress_link=progress_link(ticket["id"], now=now) if is_new else None,
    )
    return HTMLResponse(html)


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
