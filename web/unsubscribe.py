"""One click ends surveys or digests; looking at the page does not (RFC 8058: POST acts, GET only shows)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from clock import utc_now
from db import customers, inbound, staff
from db.session import transaction
from domain.exceptions import ErasedError
from domain.links import LinkError, read
from domain.messages import LinkPurpose, Subscription
from settings import get_settings
from templates.render import render_page
from web.language import house, page_language, remember_reader

router = APIRouter(prefix="/unsubscribe")


@router.get("/{token}")
def show(request: Request, token: str) -> HTMLResponse:
    """Asks whether no more shall be sent; mail scanners that follow links change nothing."""
    person_id, subscription = _read(token)
    with transaction() as connection:
        _welcome(request, connection, person_id, subscription)
    return _page(request, subscription, token=token, is_done=False)


@router.post("/{token}")
def unsubscribe(request: Request, token: str) -> HTMLResponse:
    """No more surveys, or digests, for this person: from the page's button or the mail program's own."""
    person_id, subscription = _read(token)
    with transaction() as connection:
        _welcome(request, connection, person_id, subscription)
        inbound.decline(connection, subscription, person_id, now=utc_now())
    return _page(request, subscription, token=token, is_done=True)


def _read(token: str) -> tuple[int, Subscription]:
    subject = read(LinkPurpose.UNSUBSCRIBE, token, key=get_settings().signing_key(), now=utc_now())
    kinds = list(Subscription)
    if not 0 <= subject.part < len(kinds):
        raise LinkError("the link is not valid")
    return subject.id, kinds[subject.part]


def _welcome(request: Request, connection: Connection, person_id: int, subscription: Subscription) -> None:
    """From here on the page speaks the person's language. Raises ErasedError."""
    find = customers.get if subscription is Subscription.SURVEYS else staff.get
    person = find(connection, person_id)
    remember_reader(request, person["language"])
    if person.get("erased_at") is not None:
        raise ErasedError("what was kept of this customer is erased")


def _page(request: Request, subscription: Subscription, *, token: str, is_done: bool) -> HTMLResponse:
    language = page_language(request)
    html = render_page(
        "unsubscribe",
        language=language,
        **house(language),
        subscription=subscription.value,
        token=token,
        is_done=is_done,
    )
    return HTMLResponse(html)
