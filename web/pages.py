"""What customers answer behind the links in their messages: plan and sign-off; GET changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from clock import utc_now
from db import attachments, events, tickets
from db.session import transaction
from domain.exceptions import InvalidInputError, NotFoundError
from domain.faults import Fault
from domain.lifecycle import CommandName
from domain.links import Subject
from domain.messages import LinkPurpose
from templates.languages import labels
from web.headers import WITH_SCRIPT
from web.language import page_language
from web.linked import Text, back_to, find_ticket, form_key, form_page, give, read_link
from web.photos import read_signature
from web.problems import fault_in

router = APIRouter()
NOTHING_TYPED: Mapping[str, str] = MappingProxyType(dict.fromkeys(("option", "reason", "proposed_at", "words"), ""))
NOTHING_SIGNED: Mapping[str, str] = MappingProxyType(dict.fromkeys(("signed_by", "reason", "signature"), ""))
_CLOSING = (CommandName.CONFIRM_COMPLETION, CommandName.CLOSE)


@router.get("/plan/{token}")
def plan(request: Request, token: str) -> HTMLResponse:
    """The plan: agree, choose an option, or object with a reason (S-22, S-23)."""
    subject = read_link(LinkPurpose.PLAN, token)
    with transaction() as connection:
        return _plan_page(request, connection, subject, token)


@router.post("/plan/{token}")
def answer_plan(
    request: Request,
    token: str,
    answer: Text = "",
    once: Text = "",
    option: Text = "",
    reason: Text = "",
    proposed_at: Text = "",
    words: Text = "",
) -> Response:
    """Record the customer's answer to the plan they were shown; a second tap changes nothing."""
    subject = read_link(LinkPurpose.PLAN, token)
    try:
        with transaction() as connection:
            ticket = find_ticket(request, connection, subject.id, for_update=True)
            values: dict[str, Any]
            match answer:
                case "agree":
                    command, values = CommandName.AGREE_PLAN, ({"option": _number(option)} if option else {})
                case "object":
                    command, values = CommandName.OBJECT_TO_PLAN, {"reason": reason}
                case "another_time":
                    said = words.strip() or labels(page_language(request))["plan_answer"]["another_time"]
                    command = CommandName.OBJECT_TO_PLAN
                    values = {"reason": said, "proposed_at": _read_moment(proposed_at, ticket["customer_time_zone"])}
                case _:
                    raise InvalidInputError("answer", "is missing")
            if ticket["plan_revision"] == subject.part and ticket["state"] == "plan_proposed":
                give(connection, ticket, command, values, key=form_key("plan", subject, once))
    except InvalidInputError as error:
        typed = {"option": option, "reason": reason, "proposed_at": proposed_at, "words": words}
        field = "words" if answer == "another_time" and error.field == "reason" else error.field
        if field not in typed:
            raise
        with transaction() as connection:
            return _plan_page(request, connection, subject, token, typed, {field: fault_in(error)})
    return back_to(request, LinkPurpose.PLAN, token)


def _plan_page(
    request: Request,
    connection: Connection,
    subject: Subject,
    token: str,
    values: Mapping[str, str] = NOTHING_TYPED,
    faults: Mapping[str, Fault] = MappingProxyType({}),
) -> HTMLResponse:
    ticket = find_ticket(request, connection, subject.id)
    plans = tickets.plans_of(connection, ticket["id"])
    shown = next((p for p in plans if p["revision"] == subject.part), None)
    if shown is None:
        raise NotFoundError("this plan does not exist")
    zone = ZoneInfo(ticket["customer_time_zone"])
    return form_page(
        request,
        ticket,
        "plan",
        token,
        values,
        faults,
        plan=shown,
        is_latest=shown["revision"] == ticket["plan_revision"],
        earlier=[p for p in plans if p["revision"] < subject.part],
        earliest=utc_now().astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
    )


def _read_moment(text: str, zone: str) -> datetime:
    """A local moment as a browser or a person writes it."""
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        local = None
    if local is None or local.tzinfo is not None:
        raise InvalidInputError("proposed_at", "is no date with a time")
    return local.replace(tzinfo=ZoneInfo(zone))


@router.get("/sign-off/{token}")
def sign_off(request: Request, token: str) -> HTMLResponse:
    """The completed work: confirm and sign, or say that it is not fixed (S-40)."""
    subject = read_link(LinkPurpose.SIGN_OFF, token)
    with transaction() as connection:
        return _sign_off_page(request, connection, subject, token)


@router.post("/sign-off/{token}")
def answer_sign_off(
    request: Request,
    token: str,
    answer: Text = "",
    once: Text = "",
    signed_by: Text = "",
    signature: Text = "",
    reason: Text = "",
) -> Response:
    """Record the sign-off, or that it is not fixed; a second tap changes nothing."""
    subject = read_link(LinkPurpose.SIGN_OFF, token)
    drawn = read_signature(signature) if answer == "works" else None
    values: dict[str, Any]
    try:
        with transaction() as connection:
            ticket = find_ticket(request, connection, subject.id, for_update=True)
            match answer:
                case "works":
                    command, values = CommandName.CONFIRM_COMPLETION, {"signed_by": signed_by}
                case "not_fixed":
                    command, values = CommandName.REPORT_NOT_FIXED, {"reason": reason}
                case _:
                    raise InvalidInputError("answer", "is missing")
            if ticket["state"] == "completed" and ticket["completion_no"] == subject.part:
                done = give(connection, ticket, command, values, key=form_key("sign_off", subject, once))
                if drawn is not None and not done.was_repeated:
                    attachments.add(connection, ticket["id"], done.event_id, drawn, now=utc_now())
    except InvalidInputError as error:
        typed = {"signed_by": signed_by, "reason": reason, "signature": signature}
        if error.field not in ("signed_by", "reason"):
            raise
        with transaction() as connection:
            return _sign_off_page(request, connection, subject, token, typed, {error.field: fault_in(error)})
    return back_to(request, LinkPurpose.SIGN_OFF, token)


def _sign_off_page(
    request: Request,
    connection: Connection,
    subject: Subject,
    token: str,
    values: Mapping[str, str] = NOTHING_SIGNED,
    faults: Mapping[str, Fault] = MappingProxyType({}),
) -> HTMLResponse:
    ticket = find_ticket(request, connection, subject.id)
    history = events.list_of(connection, ticket["id"])
    done = [e for e in history if e["kind"] == CommandName.COMPLETE]
    completion = next((e for e in done if e["facts"]["completion_no"] == subject.part), None)
    if completion is None:
        raise NotFoundError("this completion does not exist")
    closing = next((event for event in reversed(history) if event["kind"] in _CLOSING), None)
    page = form_page(
        request,
        ticket,
        "sign_off",
        token,
        values,
        faults,
        completion=completion,
        closing=closing,
        signatures=attachments.by_event(connection, ticket["id"]).get(closing["id"], []) if closing else [],
        is_open=ticket["state"] == "completed" and ticket["completion_no"] == subject.part,
    )
    # The page's own script lets people draw their signature; without it the typed name is one.
    page.headers["Content-Security-Policy"] = WITH_SCRIPT
    return page


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else None
