"""What vendors post to us: the signature is checked, the content stored, the answer given at once; nothing else."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from channels.base import ForgedError, Transport, UnreadableError, WebhookRequest
from channels.registry import (
    SENDGRID_EVENTS_PATH,
    TWILIO_INBOUND_PATH,
    TWILIO_STATUS_PATH,
    callback_reader,
)
from clock import utc_now
from db import inbox
from db.session import transaction
from domain.exceptions import NotFoundError
from domain.messages import Medium
from settings import get_settings

router = APIRouter()

# A Twilio form has a few hundred bytes; SendGrid sends up to a thousand events at once.
_MOST_BYTES = {Medium.SMS: 64_000, Medium.EMAIL: 2_000_000}
_NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


async def _body(request: Request, most: int) -> bytes | None:
    """The raw body, as signed; None when it is longer than ``most``: nobody reads it to its end."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


async def _receive(request: Request, medium: Medium) -> Response:
    reader = callback_reader(medium, get_settings())
    if reader is None:
        raise NotFoundError("no vendor posts here")
    body = await _body(request, _MOST_BYTES[medium])
    if body is None:
        return Response(status_code=413)
    # The configured address, never the request's own: behind a proxy only the former is what was signed.
    path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii", "replace")
    query = request.scope["query_string"].decode("ascii", "replace")
    url = f"{get_settings().web_url}{path}" + (f"?{query}" if query else "")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        await run_in_threadpool(_store, reader, WebhookRequest(url, headers, body))
    except ForgedError:
        return Response(status_code=403)
    except UnreadableError:
        return Response(status_code=400)
    return Response(status_code=204)


def _store(reader: Transport, posted: WebhookRequest) -> None:
    received = reader.parse_webhook(posted)
    if received:
        with transaction() as connection:
            inbox.store(connection, reader.name, received, now=utc_now())


async def _from_twilio(request: Request) -> Response:
    return await _receive(request, Medium.SMS)


async def _from_sendgrid(request: Request) -> Response:
    return await _receive(request, Medium.EMAIL)


@router.post(TWILIO_STATUS_PATH)
def twilio_status(answer: Annotated[Response, Depends(_from_twilio)]) -> Response:
    """What became of an SMS."""
    return answer


@router.post(TWILIO_INBOUND_PATH)
def twilio_inbound(answer: Annotated[Response, Depends(_from_twilio)]) -> Response:
    """An SMS of a customer; we send no reply by this way."""
    if answer.status_code != 204:
        return answer
    return Response(_NO_REPLY, media_type="text/xml")


@router.post(SENDGRID_EVENTS_PATH)
def sendgrid_events(answer: Annotated[Response, Depends(_from_sendgrid)]) -> Response:
    """What became of e-mails."""
    return answer
