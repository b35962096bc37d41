"""Reports by the API: the figures of the weekly digest, of any week or range of days, beside those before (S-61)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from clock import utc_now
from db.session import transaction
from domain.access import MAY_READ_REPORTS, require_role
from domain.api_keys import Caller
from domain.exceptions import InvalidInputError
from settings import get_standard
from web.api import figures
from web.api.asked import Known, naming, seen_by

if TYPE_CHECKING:
    from domain.digest import Week

router = APIRouter(prefix="/reports", tags=["reports"])

_FirstDay = Annotated[date, Query(description="In the organisation's time zone.", examples=["2026-11-01"])]
_LastDay = Annotated[date, Query(description="Included; at most 92 days in all.", examples=["2026-11-30"])]


@router.get("/weekly")
def weekly(
    caller: Known,
    week: Annotated[
        str | None, Query(max_length=20, description="ISO 8601; without: the last full week.", examples=["2026-W47"])
    ] = None,
) -> figures.Report:
    """A week beside the one before it: volume, promises, satisfaction, low scores, callbacks, benchmarks."""
    from domain.digest import last_full_week, week_named  # pandas: pages do without it

    zone = get_standard().organisation.time_zone
    with naming("query."):
        asked = last_full_week(utc_now(), zone) if week is None else week_named(week, zone)
    return _report(caller, asked, "query.week")


@router.get("/summary")
def summary(caller: Known, first_day: _FirstDay, last_day: _LastDay) -> figures.Report:
    """A range of days beside as many days before it, with the same figures."""
    from domain.digest import days_between

    with naming("query."):
        asked = days_between(first_day, last_day, get_standard().organisation.time_zone)
    return _report(caller, asked, "query.first_day")


def _report(caller: Caller, span: Week, asked: str) -> figures.Report:
    from db import reports
    from domain.digest import compute

    require_role(caller.actor, MAY_READ_REPORTS, "reading reports")
    if span.since > utc_now():
        raise InvalidInputError(asked, "has not begun yet")
    with transaction() as connection:
        rows = reports.digest_rows(connection, span)
    found = compute(rows, span, get_standard())
    found["low_scores"] = [seen_by(caller, row) for row in found["low_scores"]]
    return figures.Report.model_validate(found)
