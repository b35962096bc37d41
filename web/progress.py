"""The progress page: what was done, what is next, by when, by whom; where we asked something, it is answered here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from clock import utc_now
from db import attachments, callbacks, clocks, events, surveys, tickets
from db.session import reading, transaction
from domain.exceptions import InvalidInputError
from domain.faults import Fault
from domain.lifecycle import CommandName, TicketState
from domain.links import Subject
from domain.messages import LinkPurpose
from domain.satisfaction import CallbackKind, CallbackState, SurveyState
from web.linked import Text, back_to, find_ticket, form_key, form_page, give, link_to, read_link
from web.problems import fault_in

router = APIRouter()

NOTHING_TYPED: Mapping[str, str] = MappingProxyType({"reply": ""})
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


@router.get("/progress/{token}")
def progress(request: Request, token: str) -> HTMLResponse:
    """What was done, what is next, by when, by whom."""
    subject = read_link(LinkPurpose.PROGRESS, token)
    with reading() as connection:
        return _page(request, connection, subject, token)


@router.post("/progress/{token}")
def answer_question(request: Request, token: str, question: Text = "", once: Text = "", reply: Text = "") -> Response:
    """Record the customer's answer to the question they were shown; a second tap changes nothing."""
    subject = read_link(LinkPurpose.PROGRESS, token)
    try:
        with transaction() as connection:
            ticket = find_ticket(request, connection, subject.id, for_update=True)
            asked = _open_question(ticket, events.list_of(connection, ticket["id"]))
            if asked is not None and question == str(asked["seq"]):
                key = form_key("reply", Subject(subject.id, asked["seq"]), once)
                give(connection, ticket, CommandName.RECORD_REPLY, {"reply": reply}, key=key)
    except InvalidInputError as error:
        if error.field != "reply":
            raise
        with transaction() as connection:
            return _page(request, connection, subject, token, {"reply": reply}, {"reply": fault_in(error)})
    return back_to(request, LinkPurpose.PROGRESS, token)


def _page(
    request: Request,
    connection: Connection,
    subject: Subject,
    token: str,
    values: Mapping[str, str] = NOTHING_TYPED,
    faults: Mapping[str, Fault] = MappingProxyType({}),
) -> HTMLResponse:
    ticket = find_ticket(request, connection, subject.id)
    history = visible_history(connection, ticket["id"])
    # Surveys and calls follow a completion, plans are counted: most tickets have none to look for.
    was_completed = bool(ticket["completion_no"])
    calls = callbacks.list_of(connection, ticket["id"]) if was_completed else []
    return form_page(
        request,
        ticket,
        "progress",
        token,
        values,
        faults,
        history=history,
        photos=attachments.by_event(connection, ticket["id"]),
        promises={row["kind"]: row for row in clocks.of_ticket(connection, ticket["id"], ticket["round"])},
        plans=tickets.plans_of(connection, ticket["id"]) if ticket["plan_revision"] else [],
        question=_open_question(ticket, history),
        calls=[call for call in calls if _is_promised(call)],
        results=_results(history, calls),
        survey_link=_open_survey(connection, ticket["id"]) if was_completed else None,
    )


def _open_question(ticket: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The question for which the ticket waits."""
    if ticket["state"] != TicketState.WAITING_CUSTOMER:
        return None
    return next((event for event in reversed(history) if event["kind"] == CommandName.ASK_CUSTOMER), None)


def visible_history(connection: Connection, ticket_id: int) -> list[dict[str, Any]]:
    """What the ticket's customer may see of its history, oldest first."""
    return [event for event in events.list_of(connection, ticket_id) if _is_visible(event)]


def _results(history: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """What each call brought, by the id of the event that says it was made (S-42)."""
    made = {call["id"]: call for call in calls if call["state"] == CallbackState.DONE}
    calling = [event for event in history if event["kind"] == "callback_done"]
    return {event["id"]: made[number] for event in calling if (number := event["facts"].get("callback_id")) in made}


def _open_survey(connection: Connection, ticket_id: int) -> str | None:
    """Where the survey that still waits for an answer is."""
    for asked in surveys.list_of(connection, ticket_id):
        if asked["state"] == SurveyState.SENT and utc_now() < asked["expires_at"]:
            return link_to(LinkPurpose.SURVEY, Subject(asked["id"]), expires_at=asked["expires_at"])
    return None


def _is_visible(event: Mapping[str, Any]) -> bool:
    return event["kind"] in VISIBLE and not event["payload"].get("is_internal", False)


def _is_promised(call: Mapping[str, Any]) -> bool:
    """Whether the customer was told of a call or visit that is still to come; a visit is announced once it is given."""
    if call["state"] != CallbackState.OPEN:
        return False
    is_announced = call["kind"] == CallbackKind.FOLLOW_UP_VISIT and call["assigned_to"] is not None
    return is_announced or call["kind"] == CallbackKind.LOW_SCORE
