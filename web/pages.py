"""What customers see behind the links in their messages: progress, plan, sign-off, survey; GET changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import AfterValidator, ValidationError
from sqlalchemy import Connection

from clock import utc_now
from db import callbacks, clocks, commands, customers, events, surveys, tickets
from db.session import transaction
from domain.commands import build_command, describe_fault
from domain.exceptions import InvalidInputError, NotFoundError
from domain.lifecycle import CommandName
from domain.links import PATHS, Subject, read, sign
from domain.messages import LinkPurpose
from domain.people import Actor, Role
from domain.satisfaction import DIMENSIONS, CallbackKind, CallbackState, SurveyAnswer
from settings import get_settings, get_standard
from templates.render import render_page
from web.language import house, page_language, remember_reader


def _with_plain_breaks(text: str) -> str:
    return text.replace("\r\n", "\n")


router = APIRouter()
# Browsers count a line break as one character while people type, and send two.
Text = Annotated[str, Form(), AfterValidator(_with_plain_breaks)]

# Of a ticket's history, what its customer may see (S-31).
VISIBLE = frozenset(
    {
        "opened",
        CommandName.ACKNOWLEDGE,
        CommandName.ASSIGN,
        CommandName.ESCALATE_TIER,
        CommandName.FIRST_CONTACT,
        CommandName.ASK_CUSTOMER,
        CommandName.RECORD_REPLY,
        CommandName.PROPOSE_PLAN,
        CommandName.AGREE_PLAN,
        CommandName.OBJECT_TO_PLAN,
        CommandName.LOG_STEP,
        CommandName.REPORT_DELAY,
        CommandName.COMPLETE,
        CommandName.REPORT_NOT_FIXED,
        CommandName.CONFIRM_COMPLETION,
        CommandName.CLOSE,
        CommandName.REOPEN,
        CommandName.CANCEL,
        "callback_done",
    }
)


_CLOSING = (CommandName.CONFIRM_COMPLETION, CommandName.CLOSE)


@router.get("/progress/{token}")
def progress(request: Request, token: str) -> HTMLResponse:
    """What was done, what is next, by when, by whom."""
    subject = _read(LinkPurpose.PROGRESS, token)
    with transaction() as connection:
        ticket = _ticket(request, connection, subject.id)
        history = [event for event in events.list_of(connection, ticket["id"]) if _is_visible(event)]
        promises = {row["kind"]: row for row in clocks.of_ticket(connection, ticket["id"], ticket["round"])}
        return _page(
            request,
            connection,
            ticket,
            "progress",
            history=history,
            promises=promises,
            plans=tickets.plans_of(connection, ticket["id"]),
            calls=[call for call in callbacks.list_of(connection, ticket["id"]) if _is_promised(call)],
        )


def _is_visible(event: Mapping[str, Any]) -> bool:
    return event["kind"] in VISIBLE and not event["payload"].get("is_internal", False)


def _is_promised(call: Mapping[str, Any]) -> bool:
    """Whether the customer was told of a call or visit that is still to come; a visit is announced once it is given."""
    if call["state"] != CallbackState.OPEN:
        return False
    is_announced = call["kind"] == CallbackKind.FOLLOW_UP_VISIT and call["assigned_to"] is not None
    return is_announced or call["kind"] == CallbackKind.LOW_SCORE


@router.get("/plan/{token}")
def plan(request: Request, token: str) -> HTMLResponse:
    """The plan: agree, choose an option, or object with a reason (S-22, S-23)."""
    subject = _read(LinkPurpose.PLAN, token)
    with transaction() as connection:
        ticket = _ticket(request, connection, subject.id)
        plans = tickets.plans_of(connection, ticket["id"])
        shown = next((p for p in plans if p["revision"] == subject.part), None)
        if shown is None:
            raise NotFoundError("this plan does not exist")
        is_latest = shown["revision"] == ticket["plan_revision"]
        return _page(
            request, connection, ticket, "plan", plan=shown, is_latest=is_latest, token=token, once=uuid4().hex
        )


@router.post("/plan/{token}")
def answer_plan(
    request: Request, token: str, answer: Text = "", once: Text = "", option: Text = "", reason: Text = ""
) -> RedirectResponse:
    """Record the customer's answer to the plan they were shown; a second tap changes nothing."""
    subject = _read(LinkPurpose.PLAN, token)
    values: dict[str, Any]
    with transaction() as connection:
        ticket = _ticket(request, connection, subject.id, for_update=True)
        match answer:
            case "agree":
                command, values = CommandName.AGREE_PLAN, ({"option": _number(option)} if option else {})
            case "object":
                command, values = CommandName.OBJECT_TO_PLAN, {"reason": reason}
            case _:
                raise InvalidInputError("answer", "is missing")
        is_open = ticket["plan_revision"] == subject.part and ticket["state"] == "plan_proposed"
        if is_open:
            _give(connection, ticket, command, values, key=_key("plan", subject, once))
    return _back(request, LinkPurpose.PLAN, token)


@router.get("/sign-off/{token}")
def sign_off(request: Request, token: str) -> HTMLResponse:
    """The completed work: confirm and sign, or say that it is not fixed (S-40)."""
    subject = _read(LinkPurpose.SIGN_OFF, token)
    with transaction() as connection:
        ticket = _ticket(request, connection, subject.id)
        history = events.list_of(connection, ticket["id"])
        done = [e for e in history if e["kind"] == CommandName.COMPLETE]
        completion = next((e for e in done if e["facts"]["completion_no"] == subject.part), None)
        if completion is None:
            raise NotFoundError("this completion does not exist")
        is_open = ticket["state"] == "completed" and ticket["completion_no"] == subject.part
        return _page(
            request,
            connection,
            ticket,
            "sign_off",
            completion=completion,
            closing=next((e["kind"] for e in reversed(history) if e["kind"] in _CLOSING), None),
            is_open=is_open,
            token=token,
            once=uuid4().hex,
        )


@router.post("/sign-off/{token}")
def answer_sign_off(
    request: Request, token: str, answer: Text = "", once: Text = "", signed_by: Text = "", reason: Text = ""
) -> RedirectResponse:
    """Record the sign-off, or that it is not fixed; a second tap changes nothing."""
    subject = _read(LinkPurpose.SIGN_OFF, token)
    values: dict[str, Any]
    with transaction() as connection:
        ticket = _ticket(request, connection, subject.id, for_update=True)
        match answer:
            case "works":
                command, values = CommandName.CONFIRM_COMPLETION, {"signed_by": signed_by}
            case "not_fixed":
                command, values = CommandName.REPORT_NOT_FIXED, {"reason": reason}
            case _:
                raise InvalidInputError("answer", "is missing")
        if ticket["state"] == "completed" and ticket["completion_no"] == subject.part:
            _give(connection, ticket, command, values, key=_key("sign_off", subject, once))
    return _back(request, LinkPurpose.SIGN_OFF, token)


@router.get("/survey/{token}")
def survey(request: Request, token: str) -> HTMLResponse:
    """Four scores and a comment; says what it is for (S-41)."""
    subject = _read(LinkPurpose.SURVEY, token)
    with transaction() as connection:
        asked = surveys.get(connection, subject.id)
        ticket = _ticket(request, connection, asked["ticket_id"])
        is_open = asked["state"] == "sent" and utc_now() < asked["expires_at"]
        return _page(
            request, connection, ticket, "survey", survey=asked, is_open=is_open, token=token, dimensions=DIMENSIONS
        )


@router.post("/survey/{token}")
def answer_survey(
    request: Request,
    token: str,
    efficiency: Text = "",
    attitude: Text = "",
    solution: Text = "",
    overall: Text = "",
    comment: Text = "",
) -> RedirectResponse:
    """Store the one answer; the first one counts."""
    subject = _read(LinkPurpose.SURVEY, token)
    scores = {"efficiency": efficiency, "attitude": attitude, "solution": solution, "overall": overall}
    with transaction() as connection:
        ticket = _ticket(request, connection, surveys.get(connection, subject.id)["ticket_id"])
        try:
            answer = SurveyAnswer.model_validate({**{k: _number(v) for k, v in scores.items()}, "comment": comment})
        except ValidationError as error:
            fault = error.errors()[0]
            raise InvalidInputError(str(fault["loc"][0]), describe_fault(dict(fault))) from error
        customer = Actor(Role.CUSTOMER, ticket["customer_id"])
        surveys.record_answer(connection, subject.id, answer, customer, standard=get_standard(), now=utc_now())
    return _back(request, LinkPurpose.SURVEY, token)


def _read(purpose: LinkPurpose, token: str) -> Subject:
    return read(purpose, token, key=get_settings().signing_key(), now=utc_now())


def _ticket(request: Request, connection: Connection, ticket_id: int, *, for_update: bool = False) -> dict[str, Any]:
    """The ticket; from here on even a problem is told in its customer's language."""
    ticket = tickets.get(connection, ticket_id, for_update=for_update)
    remember_reader(request, ticket["customer_language"])
    return ticket


def _key(page: str, subject: Subject, once: str) -> str:
    """The idempotency key of one form; whatever is sent as ``once`` becomes harmless."""
    return f"page:{page}:{subject.id}:{subject.part}:{''.join(filter(str.isalnum, once))[:40]}"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else None


def _give(
    connection: Connection, ticket: Mapping[str, Any], name: CommandName, values: dict[str, Any], *, key: str
) -> None:
    customer = Actor(Role.CUSTOMER, ticket["customer_id"])
    commands.apply_command(
        connection,
        ticket["id"],
        build_command(name, values),
        customer,
        standard=get_standard(),
        now=utc_now(),
        idempotency_key=key,
    )


def _back(request: Request, purpose: LinkPurpose, token: str) -> RedirectResponse:
    language = request.query_params.get("lang")
    suffix = f"?lang={page_language(request)}" if language else ""
    return RedirectResponse(f"/{PATHS[purpose]}/{token}{suffix}", status_code=303)


def _page(
    request: Request, connection: Connection, ticket: Mapping[str, Any], name: str, **context: Any
) -> HTMLResponse:
    standard, settings = get_standard(), get_settings()
    customer = customers.get(connection, ticket["customer_id"])
    language = page_language(request)
    now = utc_now()
    expires_at = now + standard.links.progress
    token = sign(LinkPurpose.PROGRESS, Subject(ticket["id"]), key=settings.signing_key(), expires_at=expires_at)
    html = render_page(
        name,
        language=language,
        **(house(language) | {"time_zone": customer["time_zone"]}),
        now=now,
        ticket=ticket,
        progress_link=f"/{PATHS[LinkPurpose.PROGRESS]}/{token}",
        **context,
    )
    return HTMLResponse(html)
