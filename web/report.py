"""The public form: a customer reports a problem without an account, gets its number at once, and once (S-01)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection
from starlette.datastructures import UploadFile

from clock import utc_now
from db import form_photos, intake, staff, tickets, turns
from db.session import reading, transaction
from db.standards import get_standard
from domain.exceptions import IdempotencyKeyReusedError
from domain.faults import Fault
from domain.links import LinkError
from domain.people import SYSTEM
from domain.pictures import LARGEST, MOST_PHOTOS, Photo, PictureError, PictureFault, read_picture
from domain.report_form import Filled, read_form, tidy
from domain.tickets import Channel, ticket_number
from templates.render import languages
from web import report_help, report_pages
from web.language import page_language

router = APIRouter(prefix="/report")

# More than anybody may send, so that one photo too many is a sentence beside the field.
_MOST_FILES, _MOST_FIELDS, _LONGEST_FIELD = 30, 60, 100_000
_FORM_KEY = re.compile(r"[0-9a-f]{32}")
# What a person does not see and a program without eyes fills in.
TRAP = "website"


@dataclass(frozen=True)
class Sent:
    """One form as it was sent."""

    key: str
    values: dict[str, str]
    files: list[UploadFile]
    dropped: list[int]
    step: str
    alike: str
    trap: str


async def _read(request: Request) -> Sent:
    form = await request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD)
    texts = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    dropped = [value for value in form.getlist("drop") if isinstance(value, str)]
    key = texts.get("form_key", "")
    return Sent(
        key=key if _FORM_KEY.fullmatch(key) else uuid4().hex,
        values=tidy(texts),
        files=[file for _, file in form.multi_items() if isinstance(file, UploadFile) and file.filename],
        dropped=[int(value) for value in dropped if value.isascii() and value.isdigit() and len(value) < 16],
        step=texts.get("step", ""),
        alike=texts.get("alike", ""),
        trap=texts.get(TRAP, ""),
    )


@router.get("")
def show(request: Request) -> HTMLResponse:
    """The empty form."""
    with reading() as connection:
        values = tidy({"language": page_language(request)})
        return report_pages.form(request, uuid4().hex, values, regions=staff.list_regions(connection))


@router.post("")
def send(request: Request, sent: Annotated[Sent, Depends(_read)]) -> Response:
    """Open a ticket or add to one (S-07), once for each form; or the form again, with everything that was typed."""
    if article_id := report_help.helped_by(sent.step):
        with transaction() as connection:
            return report_help.thank(request, connection, article_id, form_key=sent.key)
    photos, faults = _read_photos([] if sent.trap else sent.files)
    if sent.trap:
        faults["form"] = Fault("trapped")
    with transaction() as connection:
        standard = get_standard()
        filled = read_form(
            sent.values,
            organisation=standard.organisation,
            languages=languages(),
            regions=staff.list_regions(connection) if sent.values["region"] else (),
            now=utc_now(),
        )
        customer_id = None
        if isinstance(filled, Filled) and not sent.trap:
            turns.take(connection, key=_once(sent.key), customer=filled.customer)
            try:
                keys = (_once(sent.key), _once_again(sent.key))
                opened, customer_id = intake.find_known(connection, keys, filled.customer, filled.report)
                if opened is not None:
                    return _to_receipt(request, sent.key)
            except IdempotencyKeyReusedError:
                sent, faults["form"] = replace(sent, key=uuid4().hex), Fault("already_sent")
        kept = _keep_photos(connection, sent, photos, faults)
        if sent.step in ("show", report_help.ASK):
            faults = {}
        elif isinstance(filled, dict):
            faults = filled | faults
        elif not faults and (answer := _decide(request, connection, sent, filled, customer_id, photos=len(kept))):
            return answer
        elif not faults:
            faults["form"] = Fault("too_many_today")
        regions = staff.list_regions(connection)
        articles = report_help.offered(connection, sent.values) if sent.step == report_help.ASK else None
        return report_pages.form(
            request, sent.key, sent.values, regions=regions, photos=kept, faults=faults, articles=articles
        )


@router.get("/sent/{key}")
def receipt(request: Request, key: str) -> HTMLResponse:
    """The number, what was understood, what happens next by when (S-05); for a day, to whoever sent the form."""
    with reading() as connection:
        for once in (_once(key), _once_again(key)) if _FORM_KEY.fullmatch(key) else ():
            shown = report_pages.receipt(request, connection, once, was_asked=once == _once_again(key))
            if shown is not None:
                return shown
    raise LinkError("no form was sent with this key")


def _decide(
    request: Request, connection: Connection, sent: Sent, filled: Filled, customer_id: int | None, *, photos: int
) -> Response | None:
    """Ask whether it is the open ticket, or open or join; None when there were too many of this customer today."""
    standard, now = get_standard(), utc_now()
    if customer_id is None:
        opened = intake.open_first_ticket(
            connection,
            filled.customer,
            filled.report,
            SYSTEM,
            standard=standard,
            now=now,
            idempotency_key=_once(sent.key),
        )
    else:
        alike = intake.find_alike(connection, customer_id, filled.report)
        is_same = alike is not None and sent.step == "same" and sent.alike == ticket_number(alike.id)
        if alike is not None and not is_same and sent.step != "another":
            return report_pages.alike(request, sent.key, sent.values, alike, photos=photos)
        since = now - timedelta(days=1)
        if tickets.count_since(connection, customer_id, Channel.WEB, since=since) >= standard.intake.by_form_and_day:
            return None
        opened = intake.open_ticket(
            connection,
            customer_id,
            filled.report,
            SYSTEM,
            standard=standard,
            now=now,
            idempotency_key=_once_again(sent.key) if is_same else _once(sent.key),
            is_again=alike.id if alike and is_same else 0 if sent.step == "another" else None,
        )
    if photos:
        form_photos.move(connection, sent.key, ticket_id=opened.ticket_id, event_id=opened.event_id, now=now)
    return _to_receipt(request, sent.key)


def _once(key: str) -> str:
    """The idempotency key of a form."""
    return f"form:{key}"


def _once_again(key: str) -> str:
    """The same for a form whose sender said which ticket it is about, so that the receipt may name it."""
    return f"form:{key}:again"


def _to_receipt(request: Request, key: str) -> RedirectResponse:
    return RedirectResponse(f"/report/sent/{key}?lang={page_language(request)}", status_code=303)


def _read_photos(files: list[UploadFile]) -> tuple[list[Photo], dict[str, Fault]]:
    """The photos that can be kept, and what is wrong with the first that cannot."""
    photos: list[Photo] = []
    faults: dict[str, Fault] = {}
    for file in files[: MOST_PHOTOS + 1]:
        try:
            if (file.size or 0) > LARGEST:
                raise PictureError(file.filename or "", PictureFault.TOO_LARGE)
            photos.append(read_picture(file.filename or "", file.file.read(LARGEST + 1)))
        except PictureError as error:
            faults.setdefault("photo", Fault(error.fault.value))
    return photos, faults


def _keep_photos(
    connection: Connection, sent: Sent, photos: list[Photo], faults: dict[str, Fault]
) -> list[dict[str, object]]:
    """The photos of the form so far; those that are too many are left out, and said so."""
    if sent.dropped:
        form_photos.drop(connection, sent.key, sent.dropped)
    kept = form_photos.list_of(connection, sent.key)
    room = MOST_PHOTOS - len(kept)
    if len(photos) > room:
        faults["photo"] = Fault("too_many_photos", MOST_PHOTOS)
    if not photos:
        return kept
    form_photos.keep(connection, sent.key, photos[: max(0, room)], now=utc_now())
    return form_photos.list_of(connection, sent.key)
