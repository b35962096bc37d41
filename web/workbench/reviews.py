"""Internal reviews at the workbench: cases that are worth one, and what was concluded (S-44)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from clock import utc_now
from db import reviews, tickets
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_REVIEW
from domain.faults import Fault
from domain.reviews import Review
from domain.tickets import ticket_id
from web.workbench.door import StaffMember, require
from web.workbench.forms import Field, Filling, show_fields
from web.workbench.frame import show
from web.workbench.shown import read_form
from web.workbench.tickets import Number
from web.workbench.typed import Typed, faults_in

router = APIRouter(prefix="/workbench/reviews")
Reviewer = Annotated[StaffMember, Depends(require(*MAY_REVIEW))]
_MOST = 50
_FIELDS = (
    Field("held_on", "day", "review_held_on"),
    Field("participants", "line", "review_participants", most=200),
    Field("what_happened", words="review_what_happened"),
    Field("conclusions", words="review_conclusions"),
    Field("follow_ups", words="review_follow_ups", is_needed=False),
)


@router.get("")
def show_reviews(member: Reviewer, done: str = "") -> Response:
    """What is proposed, and what was held."""
    standard, now = get_standard(), utc_now()
    with transaction() as connection:
        proposed = reviews.proposed(connection, standard, now=now, limit=_MOST)
        held = reviews.held_reviews(connection, limit=_MOST)
    return show(member, "reviews", now=now, proposed=proposed, held=held, done=bool(done))


@router.get("/{number}")
def show_form(member: Reviewer, number: Number) -> Response:
    """The form for one case."""
    return _form(member, number)


@router.post("/{number}")
async def keep(request: Request, member: Reviewer, number: Number) -> Response:
    """Keep a review; a second tap keeps nothing."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_keep, member, number, typed)


def _keep(member: StaffMember, number: str, typed: Typed) -> Response:
    try:
        review = Review.model_validate({field.name: typed.text(field.name) for field in _FIELDS})
    except ValidationError as error:
        return _form(member, number, typed=typed.values, faults=faults_in(error), status=422)
    if review.held_on > typed.now.astimezone(typed.zone).date():
        return _form(member, number, typed=typed.values, faults={"held_on": Fault("ahead")}, status=422)
    with transaction() as connection:
        reviews.keep(
            connection,
            ticket_id(number),
            member.actor,
            review,
            key=f"work:{member.id}:review:{typed.once()}",
            standard=get_standard(),
            now=utc_now(),
        )
    return RedirectResponse("/workbench/reviews?done=1", status_code=303)


def _form(
    member: StaffMember,
    number: str,
    *,
    typed: Mapping[str, Sequence[str]] | None = None,
    faults: Mapping[str, Fault] | None = None,
    status: int = 200,
) -> Response:
    now = utc_now()
    with transaction() as connection:
        ticket = tickets.get(connection, ticket_id(number))
    fields = show_fields("review", _FIELDS, Filling(member.language, typed=typed, faults=faults or {}))
    return show(member, "review", now=now, status=status, ticket=ticket, fields=fields, once=uuid4().hex)
