"""The appraisal at the workbench: a supervisor reads their own team's, a manager everybody's (S-57)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from clock import utc_now
from db import appraisal as measured
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_APPRAISAL
from domain.appraisal import Measure, appraise
from domain.exceptions import InvalidInputError
from domain.people import Role
from domain.spans import days_between
from web.workbench.door import StaffMember, require
from web.workbench.frame import show

router = APIRouter(prefix="/workbench/appraisal")
Lead = Annotated[StaffMember, Depends(require(*MAY_READ_APPRAISAL))]
Day = Annotated[str, Query(max_length=40)]
_USUALLY = timedelta(days=28)


@router.get("")
def show_appraisal(member: Lead, first: Day = "", last: Day = "") -> Response:
    """The days asked for; four weeks until yesterday unless others are."""
    standard, now = get_standard(), utc_now()
    yesterday = now.astimezone(ZoneInfo(standard.organisation.time_zone)).date() - timedelta(days=1)
    first = first or (yesterday - _USUALLY + timedelta(days=1)).isoformat()
    last = last or yesterday.isoformat()
    try:
        span = days_between(_day("first_day", first), _day("last_day", last), standard.organisation.time_zone)
    except InvalidInputError as error:
        return show(member, "appraisal", now=now, status=422, first=first, last=last, fault=error.field, appraisal=None)
    with transaction() as connection:
        rows = measured.measured(connection, since=span.since, until=span.until)
        weak = measured.weaknesses(
            connection, since=span.since, until=span.until, low_score=standard.callback.low_score
        )
        team_id = None if member.role is Role.MANAGER else measured.team_of(connection, member.id)
    found = appraise(rows, standard.appraisal)
    return show(
        member,
        "appraisal",
        now=now,
        first=first,
        last=last,
        fault="",
        appraisal=found if team_id is None else found.of_team(team_id),
        training=[row for row in weak if team_id in (None, row["team_id"])],
        measures=list(Measure),
        least=standard.appraisal.least_tickets,
    )


def _day(field: str, typed: str) -> date:
    """Raises InvalidInputError."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise InvalidInputError(field, "is no date") from None
