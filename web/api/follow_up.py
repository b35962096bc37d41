"""After the work, by the API: surveys and their one answer, callbacks and what they brought (S-41, S-42)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Response

from clock import utc_now
from db import callbacks, surveys, tickets
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_RECORD_ANSWERS, require_role
from domain.satisfaction import CallbackResult, CallbackState, SurveyAnswer
from web.api import shapes
from web.api.asked import (
    Cursor,
    Id,
    Known,
    Limit,
    Number,
    foreign_cursor,
    id_of,
    read_cursor,
    seen_by,
    whole,
    write_cursor,
)
from web.api.examples import ANSWER, RESULT
from web.api.problems import JSON_BODY, documented

router = APIRouter()


@router.get("/tickets/{number}/surveys", tags=["surveys"], responses=documented(404))
def list_surveys(caller: Known, number: Number) -> shapes.Page[shapes.Survey]:
    """A ticket's surveys with their answers, oldest first; each completion has one."""
    with transaction() as connection:
        ticket = tickets.get(connection, id_of(number))
        rows = surveys.list_of(connection, ticket["id"])
    seen = [seen_by(caller, row, wants_anonymity=ticket["wants_anonymity"]) for row in rows]
    return shapes.Page(items=[shapes.Survey.model_validate(row) for row in seen], next_cursor=None)


@router.post(
    "/surveys/{survey_id}/answer",
    tags=["surveys"],
    status_code=201,
    responses={200: {"model": shapes.Answered}, **documented(404, 409, *JSON_BODY)},
)
def answer_survey(
    caller: Known, survey_id: Id, answer: Annotated[SurveyAnswer, Body(examples=[ANSWER])], response: Response
) -> shapes.Answered:
    """Store what the customer said by telephone or chat; 200 when it was answered before: the first answer counts."""
    require_role(caller.actor, MAY_RECORD_ANSWERS, "recording answers to surveys")
    with transaction() as connection:
        is_stored = surveys.record_answer(
            connection, survey_id, answer, caller.actor, standard=get_standard(), now=utc_now()
        )
    if not is_stored:
        response.status_code = 200
    return shapes.Answered(survey_id=survey_id, is_stored=is_stored)


@router.get("/callbacks", tags=["callbacks"])
def list_callbacks(caller: Known, cursor: Cursor = None, limit: Limit = 50) -> shapes.Page[shapes.Callback]:
    """The open callbacks, the most urgent first."""
    with transaction() as connection:
        rows = callbacks.list_open(connection, after=_place(cursor), limit=limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    further = write_cursor(last["due_at"].isoformat(), last["id"]) if last else None
    seen = [seen_by(caller, row, wants_anonymity=row["wants_anonymity"]) for row in rows[:limit]]
    found = [shapes.Callback.model_validate(row) for row in seen]
    return shapes.Page(items=found, next_cursor=further)


def _place(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    moment, callback_id = read_cursor(cursor, 2)
    try:
        due_at = datetime.fromisoformat(moment)
    except ValueError as error:
        raise foreign_cursor() from error
    if due_at.tzinfo is None:
        raise foreign_cursor()
    return due_at, whole(callback_id)


@router.post("/callbacks/{callback_id}/complete", tags=["callbacks"], responses=documented(404, 409, *JSON_BODY))
def complete_callback(
    caller: Known, callback_id: Id, result: Annotated[CallbackResult, Body(examples=[RESULT])]
) -> shapes.Callback:
    """Record that the customer was called; the same result of the same caller again changes nothing."""
    with transaction() as connection:
        row = callbacks.get(connection, callback_id)
        said = (CallbackState.DONE.value, caller.actor.id, result.reason, result.suggestion)
        if (row["state"], row["done_by"], row["reason"], row["suggestion"]) != said:
            callbacks.complete(
                connection,
                callback_id,
                caller.actor,
                reason=result.reason,
                suggestion=result.suggestion,
                now=utc_now(),
            )
            row = callbacks.get(connection, callback_id)
    return shapes.Callback.model_validate(seen_by(caller, row))
