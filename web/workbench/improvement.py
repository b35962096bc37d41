"""Root cause and improvement at the workbench: what is being improved, and why something goes wrong (S-53, S-54)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from clock import utc_now
from db import improvement_actions, root_causes, staff
from db.root_causes import LowScores
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_IMPROVE
from domain.commands import LARGEST_ID
from domain.exceptions import InvalidInputError
from domain.faults import Fault
from domain.improvement import MOST_EVIDENCE, Stage, is_overdue
from domain.tickets import Category
from templates.languages import region_name, word
from web.workbench.door import StaffMember, require
from web.workbench.forms import Filling
from web.workbench.frame import show
from web.workbench.improvement_forms import ACTION, CAUSE, read_action, read_cause, show_form
from web.workbench.shown import read_form
from web.workbench.typed import FormError, Typed

router = APIRouter(prefix="/workbench/improvement")
Improver = Annotated[StaffMember, Depends(require(*MAY_IMPROVE))]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Asked = Annotated[str, Query(max_length=40)]
Word = TypeVar("Word", Category, Stage)
_MOST = 30
_LAST_DAYS = timedelta(days=30)
# What db refuses, in the words of the form.
_REFUSED = {"due_on": "no_day_ahead", "responsible_id": "wrong_person", "tickets": "no_ticket"}


@router.get("")
def show_all(member: Improver) -> Response:
    """What is being improved, the action due first on top; what was; and the causes that were found."""
    now = utc_now()
    with transaction() as connection:
        open_actions = improvement_actions.list_open(connection)
        ended = improvement_actions.list_ended(connection, limit=_MOST)
        causes = root_causes.list_newest(connection, limit=_MOST)
    shown = with_lateness(open_actions, now=now)
    return show(member, "improvement", now=now, open=shown, ended=ended, causes=causes)


@router.get("/causes/new")
def ask_for_cause(
    member: Improver,
    tickets: Annotated[str, Query(max_length=4000)] = "",
    since: Asked = "",
    until: Asked = "",
    category: Asked = "",
    region: Asked = "",
    stage: Asked = "",
) -> Response:
    """An empty record; with tickets that are named, or those of the unhappy customers that a filter finds."""
    asked = {"since": since, "until": until, "category": category, "region": region, "stage": stage}
    found = _found(asked) if any(asked.values()) else []
    numbers = "\n".join([tickets, *(row["number"] for row in found)]).strip()
    return _cause_form(member, asked, found, Filling(member.language, known={"tickets": [numbers]}))


@router.post("/causes")
async def keep_cause(request: Request, member: Improver) -> Response:
    """Keep the record; or the form again with all that was typed."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_keep_cause, member, typed)


@router.get("/causes/{cause_id}")
def show_cause(member: Improver, cause_id: Id, done: str = "") -> Response:
    """Problem, whys and root cause, what they rest on, and the actions that follow."""
    return _cause_page(member, cause_id, Filling(member.language), done=bool(done))


@router.post("/causes/{cause_id}/actions")
async def decide_action(request: Request, member: Improver, cause_id: Id) -> Response:
    """Decide on an action; or the form again with all that was typed."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_decide, member, cause_id, typed)


def with_lateness(actions: Sequence[Mapping[str, Any]], *, now: datetime) -> list[dict[str, Any]]:
    """Each action with whether it is open beyond its deadline."""
    zone = get_standard().organisation.time_zone
    return [
        {**row, "is_overdue": row["ended_at"] is None and is_overdue(row["due_on"], time_zone=zone, now=now)}
        for row in actions
    ]


def _keep_cause(member: StaffMember, typed: Typed) -> Response:
    try:
        cause, ids = read_cause(typed)
        with transaction() as connection:
            try:
                cause_id = root_causes.add(connection, cause, ids, written_by=member.id, now=typed.now)
            except InvalidInputError as error:
                raise FormError({error.field: Fault(_REFUSED[error.field])}) from error
    except FormError as error:
        filling = Filling(member.language, typed=typed.values, faults=error.faults)
        return _cause_form(member, {}, [], filling, status=422)
    return RedirectResponse(f"/workbench/improvement/causes/{cause_id}?done=1", status_code=303)


def _decide(member: StaffMember, cause_id: int, typed: Typed) -> Response:
    try:
        action = read_action(typed)
        with transaction() as connection:
            root_causes.get(connection, cause_id)
            try:
                improvement_actions.add(
                    connection, cause_id, action, member.actor, standard=get_standard(), now=typed.now
                )
            except InvalidInputError as error:
                raise FormError({error.field: Fault(_REFUSED[error.field])}) from error
    except FormError as error:
        filling = Filling(member.language, typed=typed.values, faults=error.faults)
        return _cause_page(member, cause_id, filling, status=422)
    return RedirectResponse(f"/workbench/improvement/causes/{cause_id}?done=1#actions", status_code=303)


def _found(asked: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The low scores that a filter asks for; a day that is none is left out."""
    standard, now = get_standard(), utc_now()
    zone = ZoneInfo(standard.organisation.time_zone)
    since, until = _midnight(asked["since"], zone), _midnight(asked["until"], zone)
    wanted = LowScores(
        since or now - _LAST_DAYS,
        until + timedelta(days=1) if until else now,
        standard.callback.low_score,
        _word(Category, asked["category"]),
        "".join(character for character in asked["region"] if character.isprintable()),
        _word(Stage, asked["stage"]),
    )
    with transaction() as connection:
        return list(root_causes.find_low_scores(connection, wanted, limit=MOST_EVIDENCE))


def _midnight(day: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(day), datetime.min.time(), zone)
    except ValueError:
        return None


def _word(words: type[Word], asked: str) -> Word | None:
    return words(asked) if asked in list(words) else None


def _cause_form(
    member: StaffMember,
    asked: Mapping[str, str],
    found: Sequence[Mapping[str, Any]],
    filling: Filling,
    *,
    status: int = 200,
) -> Response:
    language = member.language
    names = ("since", "until", "category", "region", "stage")
    return show(
        member,
        "cause_new",
        now=utc_now(),
        status=status,
        asked=dict.fromkeys(names, "") | dict(asked),
        found=found,
        shown=show_form(CAUSE, filling),
        regions=_regions(language),
        categories=[(c.value, word(language, "category", c.value)) for c in Category],
        stages=[(s.value, word(language, "stage", s.value)) for s in Stage],
    )


def _cause_page(
    member: StaffMember, cause_id: int, filling: Filling, *, done: bool = False, status: int = 200
) -> Response:
    now = utc_now()
    with transaction() as connection:
        cause = root_causes.get(connection, cause_id)
        evidence = root_causes.evidence_of(connection, cause_id)
        actions = improvement_actions.list_of(connection, cause_id)
        people = [(str(row["id"]), row["name"]) for row in staff.list_all(connection) if row["is_active"]]
    choices = {"responsible_id": tuple(people), "region": tuple(_regions(member.language))}
    return show(
        member,
        "cause",
        now=now,
        status=status,
        done=done,
        cause=cause,
        evidence=evidence,
        actions=with_lateness(actions, now=now),
        shown=show_form(ACTION, replace(filling, choices=choices)),
    )


def _regions(language: str) -> list[tuple[str, str]]:
    with transaction() as connection:
        return [(region, region_name(language, region)) for region in staff.list_regions(connection)]
