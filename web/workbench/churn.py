"""Customers who may be lost: why, what to do, and what was done (S-58)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from clock import utc_now
from db import churn
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_CARE
from domain.churn import Care, CareAction, Sign, suggested
from domain.commands import LARGEST_ID
from domain.contact import shown_name
from domain.exceptions import IllegalTransitionError
from domain.faults import Fault
from web.workbench.door import StaffMember, require
from web.workbench.forms import Field, Filling, show_fields
from web.workbench.frame import show
from web.workbench.shown import read_form
from web.workbench.typed import Typed, faults_in

router = APIRouter(prefix="/workbench/churn")
Lead = Annotated[StaffMember, Depends(require(*MAY_CARE))]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
_MOST, _MOST_TAKEN = 50, 30
_FIELDS = (
    Field("action", "select", "care_action", section="care_action", choices=tuple(CareAction)),
    Field("note", words="care_note", most=1000),
)


@router.get("")
def show_list(member: Lead, done: str = "") -> Response:
    """Who is most at risk stands on top."""
    return _page(member, done=bool(done))


@router.post("/{customer_id}")
async def take_care(request: Request, member: Lead, customer_id: Id) -> Response:
    """What was done for a customer. Of two who say it at once, one wins and the other is told."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_take_care, member, customer_id, typed)


def _take_care(member: StaffMember, customer_id: int, typed: Typed) -> Response:
    standard = get_standard()
    try:
        care = Care.model_validate({"action": typed.text("action"), "note": typed.text("note")})
    except ValidationError as error:
        return _page(member, tried=customer_id, typed=typed.values, faults=faults_in(error), status=422)
    try:
        with transaction() as connection:
            churn.take_care(
                connection,
                customer_id,
                member.actor,
                care,
                policy=standard.churn,
                low_score=standard.callback.low_score,
                now=utc_now(),
            )
    except IllegalTransitionError:
        return _page(member, refused=True, left_over=care.note, status=409)
    return RedirectResponse("/workbench/churn?done=1", status_code=303)


def _page(
    member: StaffMember,
    *,
    tried: int = 0,
    typed: Mapping[str, Sequence[str]] | None = None,
    faults: Mapping[str, Fault] | None = None,
    status: int = 200,
    **told: Any,
) -> Response:
    standard, now = get_standard(), utc_now()
    with transaction() as connection:
        rows = churn.watched(connection, standard.churn, low_score=standard.callback.low_score, now=now, limit=_MOST)
        taken = churn.taken(connection, limit=_MOST_TAKEN)

    def card(row: Mapping[str, Any]) -> dict[str, Any]:
        signs = {sign: row[sign] for sign in Sign}
        action = suggested(signs, standard.churn.points)
        is_tried = row["id"] == tried
        filling = Filling(
            member.language,
            known={"action": [action]},
            typed=typed if is_tried else None,
            faults=faults or {} if is_tried else {},
        )
        fields = show_fields(f"care-{row['id']}", _FIELDS, filling)
        return {**_named(row), "signs": signs, "suggested": action, "fields": fields, "is_tried": is_tried}

    return show(
        member,
        "churn",
        now=now,
        status=status,
        customers=[card(row) for row in rows],
        taken=[_named(row) for row in taken],
        days=standard.churn.within.days,
        **{"done": False, "refused": False, "left_over": "", **told},
    )


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """What was said in surveys is listed here: whoever wanted to stay anonymous is not named (S-02)."""
    return {**row, "customer_name": shown_name(row, to_servers=False)}
