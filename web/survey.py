"""The survey behind its link: how satisfied the customer is, by dimension and by stage (S-41, S-50)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection

from clock import utc_now
from db import surveys
from db.session import transaction
from db.standards import get_standard
from domain.faults import Fault, fault_of
from domain.messages import LinkPurpose
from domain.people import Actor, Role
from domain.satisfaction import DIMENSIONS, STAGES, SurveyAnswer
from web.linked import back_to, find_ticket, linked_page, read_link

router = APIRouter()

QUESTIONS = ("solved_in_one_visit", "called_afterwards")
_YES_OR_NO = {"yes": True, "no": False}


class Filled(BaseModel):
    """The form as a browser sends it: all of it text, what was left out is empty."""

    model_config = ConfigDict(extra="ignore")

    efficiency: str = ""
    attitude: str = ""
    solution: str = ""
    overall: str = ""
    booking: str = ""
    on_site: str = ""
    follow_up: str = ""
    confirmation: str = ""
    booking_improvement: str = ""
    on_site_improvement: str = ""
    follow_up_improvement: str = ""
    confirmation_improvement: str = ""
    solved_in_one_visit: str = ""
    called_afterwards: str = ""
    best_point: str = ""
    most_wanted: str = ""
    comment: str = ""
    then: str = ""


@router.get("/survey/{token}")
def survey(request: Request, token: str) -> HTMLResponse:
    """The form with what was filled in so far; says what it is for."""
    subject = read_link(LinkPurpose.SURVEY, token)
    with transaction() as connection:
        filled = surveys.find_draft(connection, subject.id)
        return _page(request, connection, subject.id, token, filled)


@router.post("/survey/{token}")
def answer_survey(request: Request, token: str, form: Annotated[Filled, Form()]) -> Response:
    """Store the one answer, the first counts; or keep it unfinished for another time."""
    subject = read_link(LinkPurpose.SURVEY, token)
    filled = {name: text.replace("\r\n", "\n") for name, text in form.model_dump(exclude={"then"}).items() if text}
    is_draft = form.then == "later"
    answer, faults = _read(filled, is_draft=is_draft)
    with transaction() as connection:
        if faults:
            return _page(request, connection, subject.id, token, filled, faults=faults, status=422)
        ticket = find_ticket(request, connection, surveys.get(connection, subject.id)["ticket_id"])
        if answer is None:
            surveys.keep_draft(connection, subject.id, filled, now=utc_now())
        else:
            customer = Actor(Role.CUSTOMER, ticket["customer_id"])
            surveys.record_answer(connection, subject.id, answer, customer, standard=get_standard(), now=utc_now())
    return _back(request, token, is_draft=is_draft)


def _back(request: Request, token: str, *, is_draft: bool) -> RedirectResponse:
    answer = back_to(request, LinkPurpose.SURVEY, token)
    if is_draft:
        where = answer.headers["location"]
        answer.headers["location"] = f"{where}{'&' if '?' in where else '?'}saved=1"
    return answer


def _read(filled: Mapping[str, str], *, is_draft: bool) -> tuple[SurveyAnswer | None, dict[str, Fault]]:
    """The answer, or what is wrong with which field; of a draft only what could not be kept is wrong."""
    values: dict[str, Any] = dict(filled)
    for name in (*DIMENSIONS, *STAGES):
        if name in values:
            values[name] = int(text) if (text := values[name]) in {"1", "2", "3", "4", "5"} else text
    for name in QUESTIONS:
        if name in values:
            values[name] = _YES_OR_NO.get(values[name], values[name])
    try:
        answer = SurveyAnswer.model_validate(values, strict=True)
    except ValidationError as error:
        faults = {str(found["loc"][0]): fault_of(found, otherwise="not_chosen") for found in error.errors()}
        if is_draft:
            faults = {name: fault for name, fault in faults.items() if fault.kind != "not_chosen"}
        return None, faults
    return (None if is_draft else answer), {}


def _page(
    request: Request,
    connection: Connection,
    survey_id: int,
    token: str,
    filled: Mapping[str, str],
    *,
    faults: Mapping[str, Fault] | None = None,
    status: int = 200,
) -> HTMLResponse:
    asked = surveys.get(connection, survey_id)
    ticket = find_ticket(request, connection, asked["ticket_id"])
    is_open = asked["state"] == "sent" and utc_now() < asked["expires_at"]
    page = linked_page(
        request,
        ticket,
        "survey",
        survey=asked,
        is_open=is_open,
        token=token,
        dimensions=DIMENSIONS,
        stages=STAGES,
        questions=QUESTIONS,
        filled=filled,
        faults=faults or {},
        is_saved=request.query_params.get("saved") == "1" and bool(filled),
    )
    page.status_code = status if is_open else 200
    return page
