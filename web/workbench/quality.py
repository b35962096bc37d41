"""Quality at the workbench: tickets are drawn by lot, scored beside their history, and the scores read (S-56)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from clock import utc_now
from db import dossiers, quality
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_SCORES, MAY_SCORE
from domain.agreement import agreement
from domain.commands import LARGEST_ID
from domain.exceptions import IllegalTransitionError, InvalidInputError, NotFoundError
from domain.faults import Fault, fault_of
from domain.quality import ASSESSMENT, BEST_MARK, GROUPS, Criterion, Marked
from domain.spans import last_full_week, week_named, week_of
from templates.languages import word
from web.workbench.door import Member, StaffMember, require
from web.workbench.forms import Field, Filling, ShownForm, show_fields
from web.workbench.frame import show
from web.workbench.shown import read_form
from web.workbench.telling import tell
from web.workbench.typed import FormError, Typed

router = APIRouter(prefix="/workbench/quality")
Inspector = Annotated[StaffMember, Depends(require(*MAY_SCORE))]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
_WEEKS = 8
_AGREEMENT_OVER = timedelta(days=365)


@router.get("")
def show_quality(member: Member, done: str = "") -> Response:
    """What an inspector has to score, and the scores that the reader may see."""
    return _overview(member, done=bool(done))


@router.post("/draw")
def draw(member: Inspector, week: Annotated[str, Form(max_length=20)] = "") -> Response:
    """Draw a week's tickets. Who draws chooses the week and nothing else: the seed is made here, and kept."""
    standard, fault = get_standard(), ""
    try:
        span = week_named(week, standard.organisation.time_zone)
        with transaction() as connection:
            quality.draw_sample(
                connection, span, member.actor, seed=secrets.randbits(48), policy=standard.quality, now=utc_now()
            )
    except InvalidInputError:
        fault = "no_week"
    except NotFoundError:
        fault = "nothing_closed"
    except IllegalTransitionError:
        fault = "not_to_draw"
    if fault:
        return _overview(member, fault=fault, status=422)
    return RedirectResponse("/workbench/quality?done=1", status_code=303)


@router.get("/{case_id}")
def show_case(member: Inspector, case_id: Id) -> Response:
    """One drawn ticket with its history, and the form beside it."""
    return _case(member, case_id)


@router.post("/{case_id}")
async def record(request: Request, member: Inspector, case_id: Id) -> Response:
    """The marks. What cannot be used comes back with all that was typed."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_record, member, case_id, typed)


def _record(member: StaffMember, case_id: int, typed: Typed) -> Response:
    policy = get_standard().quality
    try:
        marked = _marked(typed, policy.asked)
        with transaction() as connection:
            quality.record(connection, case_id, member.actor, marked, policy=policy, now=utc_now())
    except FormError as error:
        return _case(member, case_id, typed=typed.values, faults=error.faults, status=422)
    except IllegalTransitionError:
        return _overview(member, fault="not_to_score", status=409)
    return RedirectResponse("/workbench/quality?done=1", status_code=303)


def _marked(typed: Typed, asked: Sequence[Criterion]) -> dict[Criterion, Marked]:
    """The form as marks. Raises FormError."""
    given = {name: {"mark": typed.number(f"mark_{name}"), "comment": typed.text(f"comment_{name}")} for name in asked}
    typed.require_usable()
    try:
        return ASSESSMENT.validate_python(given)
    except ValidationError as error:
        # Where it is: the criterion, then which of its two fields.
        faults = {f"{at['loc'][-1]}_{at['loc'][0]}": fault_of(at, otherwise="not_chosen") for at in error.errors()}
        raise FormError(faults) from error


def _overview(member: StaffMember, *, done: bool = False, fault: str = "", status: int = 200) -> Response:
    standard, now = get_standard(), utc_now()
    inspects, reads_all = member.role in MAY_SCORE, member.role in MAY_READ_SCORES
    with transaction() as connection:
        samples = quality.samples(connection, limit=_WEEKS) if inspects or reads_all else []
        cases = quality.due(connection, member.id) if inspects else []
        scores = quality.scores(connection, member.actor)
        pairs = quality.pairs(connection, since=now - _AGREEMENT_OVER) if inspects or reads_all else None
    drawn = {sample["week"] for sample in samples}
    return show(
        member,
        "quality",
        now=now,
        status=status,
        samples=samples,
        cases=cases,
        scores=scores,
        agreement=None if pairs is None else agreement(pairs, least=standard.quality.least_pairs),
        least_pairs=standard.quality.least_pairs,
        inspects=inspects,
        weeks=[week for week in _last_weeks(standard.organisation.time_zone, now=now) if week not in drawn],
        done=done,
        fault=fault,
    )


def _last_weeks(time_zone: str, *, now: datetime) -> list[str]:
    last = last_full_week(now, time_zone).since.date()
    return [week_of(last - timedelta(weeks=back), time_zone).label for back in range(_WEEKS)]


def _case(
    member: StaffMember,
    case_id: int,
    *,
    typed: Mapping[str, Sequence[str]] | None = None,
    faults: Mapping[str, Fault] | None = None,
    status: int = 200,
) -> Response:
    with transaction() as connection:
        case = quality.case(connection, case_id)
        is_due = any(row["id"] == case_id for row in quality.due(connection, member.id))
        dossier = dossiers.read(connection, case["ticket_id"]).seen_by(member.role) if is_due else None
    if dossier is None:
        return _overview(member, fault="not_to_score", status=409)
    filling = Filling(member.language, typed=typed, faults=faults or {})
    asked = get_standard().quality.asked
    return show(
        member,
        "quality_case",
        now=utc_now(),
        status=status,
        case=case,
        ticket=dossier.ticket,
        history=tell(dossier, language=member.language)[::-1],
        groups=[_group(name, [c for c in criteria if c in asked], filling) for name, criteria in GROUPS.items()],
        has_faults=bool(faults),
    )


def _group(name: str, criteria: Sequence[Criterion], filling: Filling) -> ShownForm:
    marks = tuple(str(mark) for mark in range(BEST_MARK, 0, -1))
    fields: list[Any] = []
    for criterion in criteria:
        fields.append(Field(f"mark_{criterion}", "radios", choices=marks))
        fields.append(Field(f"comment_{criterion}", "line", "mark_comment", most=500, is_needed=False))
    return ShownForm(
        name, word(filling.language, "criterion_group", name), "", False, show_fields(name, fields, filling)
    )
