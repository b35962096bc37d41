"""The callback queue: who is owed a call, what to say, and what the call brought (S-42, S-43)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from clock import utc_now
from db import callbacks, contact_views, dossiers, surveys
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_CONTACT, MAY_RECORD_ANSWERS, require_role
from domain.commands import LARGEST_ID
from domain.exceptions import IllegalTransitionError, NotFoundError, NotPermittedError
from domain.faults import Fault
from domain.satisfaction import DIMENSIONS, CallbackKind, CallbackResult, SurveyAnswer
from web.workbench.calls import call_of, queue_of
from web.workbench.door import Member, StaffMember
from web.workbench.frame import show
from web.workbench.shown import read_form, reader_of
from web.workbench.typed import FormError, Typed, faults_in

router = APIRouter(prefix="/workbench/callbacks")
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
_MOST = 100


@router.get("")
def show_queue(member: Member, done: str = "") -> Response:
    """Who is to be called, the one due first on top."""
    now = utc_now()
    with transaction() as connection:
        rows = dossiers.open_calls(connection, limit=_MOST)
    context = queue_of(rows, reader_of(member), now=now)
    return show(member, "calls", now=now, done=bool(done), **context)


@router.get("/{callback_id}")
def show_call(member: Member, callback_id: Id, script: str = "") -> Response:
    """One call: the ticket, the scores, what to say, and the form."""
    return _page(member, callback_id, script_language=script or None)


@router.post("/{callback_id}/contact")
def show_contact(member: Member, callback_id: Id) -> Response:
    """The same page with the number to ring; that somebody looked is recorded (S-71)."""
    return _page(member, callback_id, shows_contact=True)


@router.post("/{callback_id}/result")
async def record_result(request: Request, member: Member, callback_id: Id) -> Response:
    """What the call brought: reason and suggestion. Of two who record it at once, one wins and the other is told."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_record, member, callback_id, "result", typed)


@router.post("/{callback_id}/answer")
async def record_answer(request: Request, member: Member, callback_id: Id) -> Response:
    """The scores that the customer gave on the phone (S-43)."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_record, member, callback_id, "answer", typed)


def _record(member: StaffMember, callback_id: int, form: str, typed: Typed) -> Response:
    faults: Mapping[str, Fault] = {}
    refused = ""
    try:
        (_give_result if form == "result" else _give_answer)(member, callback_id, typed)
    except FormError as error:
        faults, status = error.faults, 422
    except IllegalTransitionError:
        if _was_mine(member, callback_id, form, typed):  # a second tap
            return RedirectResponse("/workbench/callbacks?done=1", status_code=303)
        refused, status = "not_possible", 409
    except NotPermittedError:
        refused, status = "not_permitted", 403
    else:
        return RedirectResponse("/workbench/callbacks?done=1", status_code=303)
    return _page(member, callback_id, form=form, typed=typed.values, faults=faults, refused=refused, status=status)


def _give_result(member: StaffMember, callback_id: int, typed: Typed) -> None:
    try:
        result = CallbackResult(reason=typed.text("reason"), suggestion=typed.text("suggestion"))
    except ValidationError as error:
        raise FormError(faults_in(error)) from error
    with transaction() as connection:
        callbacks.complete(
            connection, callback_id, member.actor, reason=result.reason, suggestion=result.suggestion, now=utc_now()
        )


def _give_answer(member: StaffMember, callback_id: int, typed: Typed) -> None:
    require_role(member.actor, MAY_RECORD_ANSWERS, "recording answers to surveys")
    scores = {name: typed.number(name) for name in DIMENSIONS}
    given = {name: score for name, score in scores.items() if score is not None}
    try:
        answer = SurveyAnswer.model_validate({**given, "comment": typed.text("comment")})
    except ValidationError as error:
        raise FormError(faults_in(error)) from error
    with transaction() as connection:
        call = dossiers.call(connection, callback_id)
        if call["kind"] != CallbackKind.PHONE_SURVEY:
            raise NotFoundError("this call asks for no scores")
        is_new = surveys.record_answer(
            connection, call["survey_id"], answer, member.actor, standard=get_standard(), now=utc_now()
        )
        if not is_new:
            raise IllegalTransitionError("the survey was answered already")


def _was_mine(member: StaffMember, callback_id: int, form: str, typed: Typed) -> bool:
    """Whether this member recorded just these words already."""
    with transaction() as connection:
        call = dossiers.call(connection, callback_id)
    said = ("reason", "suggestion") if form == "result" else (*DIMENSIONS, "comment")
    return call["done_by"] == member.id and all(str(call[name] or "") == typed.text(name) for name in said)


def _page(
    member: StaffMember,
    callback_id: int,
    *,
    form: str = "",
    typed: Mapping[str, Sequence[str]] | None = None,
    faults: Mapping[str, Fault] | None = None,
    refused: str = "",
    script_language: str | None = None,
    shows_contact: bool = False,
    status: int = 200,
) -> Response:
    now = utc_now()
    with transaction() as connection:
        call = dossiers.call(connection, callback_id)
        dossier = dossiers.read(connection, call["ticket_id"])
        if shows_contact and member.role in MAY_READ_CONTACT:
            contact_views.note(
                connection,
                member.actor,
                [dossier.ticket["customer_id"]],
                ticket_id=call["ticket_id"],
                where="workbench callback",
                now=now,
            )
    context = call_of(
        call,
        dossier,
        reader_of(member),
        now=now,
        form=form,
        typed=typed,
        faults=faults,
        refused=refused,
        script_language=script_language,
        shows_contact=shows_contact,
    )
    return show(member, "call", now=now, status=status, **context)
