"""What customers say, for who leads and who judges: stages, tags, words, and themes with examples (S-52)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from clock import utc_now
from db import feedback
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_FEEDBACK
from domain.exceptions import InvalidInputError
from domain.spans import MOST_DAYS, days_between
from templates.tag_names import tag_name
from web.workbench.door import StaffMember, require
from web.workbench.frame import show

router = APIRouter(prefix="/workbench")
Reader = Annotated[StaffMember, Depends(require(*MAY_READ_FEEDBACK))]
Day = Annotated[str, Query(max_length=40)]
_USUAL_DAYS = 28
_KINDS = ("theme", "stage", "problem", "customer", "product")


@router.get("/feedback")
def show_feedback(
    member: Reader, first: Annotated[str, Query(max_length=40, alias="from")] = "", until: Day = ""
) -> Response:
    """The answers of these days; none given: of the last four weeks."""
    from domain.feedback import analyse  # the statistics library takes a second to read

    now, standard = utc_now(), get_standard()
    zone = standard.organisation.time_zone
    today = now.astimezone(ZoneInfo(zone)).date()
    first = first or (today - timedelta(days=_USUAL_DAYS - 1)).isoformat()
    last = until or today.isoformat()
    page = partial(
        show,
        member,
        "feedback",
        now=now,
        first=first,
        last=last,
        most=MOST_DAYS,
        low=standard.callback.low_score,
        kinds=_KINDS,
        called=partial(tag_name, language=member.language, standard=standard),
    )
    try:
        span = days_between(_day("first_day", first), _day("last_day", last), zone)
    except InvalidInputError as error:
        return page(status=422, fault=error.field, found=None)
    with transaction() as connection:
        rows = feedback.answers(connection, span)
    return page(fault="", found=analyse(rows, span, standard))


def _day(field: str, typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise InvalidInputError(field, "is no date") from None
