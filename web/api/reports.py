"""Reports by the API: the figures of the digest of any week, month or range of days, beside those before (S-61)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from clock import utc_now
from db import reports
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_REPORTS, require_role
from domain.api_keys import Caller
from domain.exceptions import InvalidInputError
from domain.spans import Span, days_between, last_full_month, last_full_week, month_named, week_named
from domain.texts import NO_NUL
from web.api import figures
from web.api.asked import Known, naming, seen_by

router = APIRouter(prefix="/reports", tags=["reports"])

_FirstDay = Annotated[date, Query(description="In the organisation's time zone.", examples=["2026-11-01"])]
_LastDay = Annotated[date, Query(description="Included; at most 92 days in all.", examples=["2026-11-30"])]


_Region = Annotated[
    str | None,
    Query(max_length=100, pattern=NO_NUL, description="Only its tickets; without: all.", examples=["上海"]),
]


@router.get("/weekly")
def weekly(
    caller: Known,
    week: Annotated[
        str | None, Query(max_length=20, description="ISO 8601; without: the last full week.", examples=["2026-W47"])
    ] = None,
    region: _Region = None,
) -> figures.Report:
    """A week beside the one before it: volume, promises, satisfaction, low scores, callbacks, benchmarks, trend."""
    zone = get_standard().organisation.time_zone
    with naming("query."):
        asked = last_full_week(utc_now(), zone) if week is None else week_named(week, zone)
    return _report(caller, asked.within(region), "query.week")


@router.get("/monthly")
def monthly(
    caller: Known,
    month: Annotated[
        str | None, Query(max_length=20, description="Without: the last full month.", examples=["2026-11"])
    ] = None,
    region: _Region = None,
) -> figures.Report:
    """A calendar month beside the one before it, with the same figures."""
    zone = get_standard().organisation.time_zone
    with naming("query."):
        asked = last_full_month(utc_now(), zone) if month is None else month_named(month, zone)
    return _report(caller, asked.within(region), "query.month")


@router.get("/summary")
def summary(caller: Known, first_day: _FirstDay, last_day: _LastDay, region: _Region = None) -> figures.Report:
    """A range of days beside as many days before it, with the same figures."""
    with naming("query."):
        asked = days_between(first_day, last_day, get_standard().organisation.time_zone)
    return _report(caller, asked.within(region), "query.first_day")


def _report(caller: Caller, span: Span, asked: str) -> figures.Report:
    require_role(caller.actor, MAY_READ_REPORTS, "reading reports")
    if span.since > utc_now():
        raise InvalidInputError(asked, "has not begun yet")
    with transaction() as connection:
        found = reports.digest(connection, span, get_standard())
    found["low_scores"] = [seen_by(caller, row) for row in found["low_scores"]]
    return figures.Report.model_validate(found)
