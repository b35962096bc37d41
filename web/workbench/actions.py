"""One improvement action: what it is, how it ends, and whether it has helped (S-54, S-55)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from clock import utc_now
from db import improvement_actions, improvement_effects
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_IMPROVE, require_role
from domain.commands import LARGEST_ID
from domain.exceptions import IllegalTransitionError, NotFoundError
from domain.improvement import ActionState
from templates.languages import region_name, word
from web.workbench.door import Member, StaffMember
from web.workbench.forms import Filling
from web.workbench.frame import show
from web.workbench.improvement import with_lateness
from web.workbench.improvement_forms import DONE, DROPPED, read_outcome, show_form
from web.workbench.shown import read_form
from web.workbench.typed import FormError, Typed

router = APIRouter(prefix="/workbench/improvement/actions")
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
_STATES = {DONE: ActionState.DONE, DROPPED: ActionState.DROPPED}


@router.get("/{action_id}")
def show_action(member: Member, action_id: Id) -> Response:
    """For whoever is responsible, and for who decides on such."""
    return _page(member, action_id)


@router.post("/{action_id}/{how}")
async def end_action(request: Request, member: Member, action_id: Id, how: str) -> Response:
    """Say that it is done, or why it is dropped; of two who say so at once, one wins and the other is told."""
    if how not in _STATES:
        raise NotFoundError("an action ends by being done or dropped")
    typed = await read_form(request, member)
    return await run_in_threadpool(_end, member, action_id, how, typed)


def _end(member: StaffMember, action_id: int, how: str, typed: Typed) -> Response:
    try:
        outcome = read_outcome(typed)
        with transaction() as connection:
            improvement_actions.end(
                connection, action_id, _STATES[how], outcome, member.actor, standard=get_standard(), now=typed.now
            )
    except FormError as error:
        filling = Filling(member.language, typed=typed.values, faults=error.faults)
        return _page(member, action_id, form=how, filling=filling, status=422)
    except IllegalTransitionError:
        refused = word(member.language, "refusal", "not_possible")
        return _page(member, action_id, refused=refused, left_over=typed.text("note"), status=409)
    return RedirectResponse(f"/workbench/improvement/actions/{action_id}", status_code=303)


def _page(
    member: StaffMember,
    action_id: int,
    *,
    form: str = "",
    filling: Filling | None = None,
    refused: str = "",
    left_over: str = "",
    status: int = 200,
) -> Response:
    now = utc_now()
    empty = Filling(member.language)
    with transaction() as connection:
        action = improvement_actions.get(connection, action_id)
        if member.id != action["responsible_id"]:
            require_role(member.actor, MAY_IMPROVE, "this page")
        effect = _effect(connection, action, now) if action["state"] == ActionState.DONE else None
    is_open = action["state"] == ActionState.OPEN
    forms = [show_form(name, filling if filling and name == form else empty) for name in _STATES] if is_open else []
    return show(
        member,
        "action",
        now=now,
        status=status,
        action=with_lateness([action], now=now)[0],
        region=region_name(member.language, action["region"]) if action["region"] else "",
        forms=forms,
        tried=form,
        effect=effect,
        refused=refused,
        left_over=left_over,
    )


def _effect(connection: Connection, action: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The figures before and after, by month, and of those who were asked again."""
    from domain.comparison import compare_low_shares, compare_means  # half a second that no other page needs

    standard = get_standard()
    policy, low_score = standard.improvement, standard.callback.low_score
    zone = standard.organisation.time_zone
    read = improvement_effects.read(connection, action, over=policy.compare_over, time_zone=zone, now=now)
    earlier, later = (sum(pair[side] * pair[2] for pair in read.asked_again) for side in (0, 1))
    answered = sum(number for _, _, number in read.asked_again)
    return {
        "low_share": compare_low_shares(read.before, read.after, low_score=low_score, least=policy.least_answers),
        "mean": compare_means(read.before, read.after, least=policy.least_answers),
        "before": sum(read.before.values()),
        "after": sum(read.after.values()),
        "days": policy.compare_over.days,
        "least": policy.least_answers,
        "months": [
            {
                "month": month,
                "number": (number := sum(counts.values())),
                "low_share": sum(n for score, n in counts.items() if score <= low_score) / number,
                "mean": sum(score * n for score, n in counts.items()) / number,
            }
            for month, counts in read.months
        ],
        "asked": read.asked,
        "answered": answered,
        "earlier": earlier / answered if answered else None,
        "later": later / answered if answered else None,
        "happier": sum(number for was, now_is, number in read.asked_again if now_is > was),
        "unhappier": sum(number for was, now_is, number in read.asked_again if now_is < was),
        "asks_at": action["next_step_at"],
    }
