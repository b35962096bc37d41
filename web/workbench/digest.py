"""The digest as a page for who leads: a week or month, all regions or one, and when it comes by mail (S-61)."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import RedirectResponse, Response

from clock import utc_now
from db import digests, reports, staff
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_BOARD
from domain.digest_schedule import DigestPeriod, DigestWish
from domain.exceptions import InvalidInputError, NotFoundError
from domain.metrics import METRICS
from domain.people import Role
from domain.spans import Span, SpanKind, last_full_week, month_named, month_of, week_named, week_of
from templates.languages import entry
from web.workbench.door import StaffMember, require
from web.workbench.frame import show

router = APIRouter(prefix="/workbench/digest")
Lead = Annotated[StaffMember, Depends(require(*MAY_READ_BOARD))]
Manager = Annotated[StaffMember, Depends(require(Role.MANAGER))]
Asked = Annotated[str, Query(max_length=200)]
Text = Annotated[str, Form(max_length=200)]
_NEVER = "never"


@router.get("")
def show_digest(member: Lead, week: Asked = "", month: Asked = "", region: Asked = "", done: Asked = "") -> Response:
    """The last full week of all regions, unless something else is asked for."""
    try:
        span = _span(week, month, region)
    except InvalidInputError as error:
        return _page(member, fault=error.field, asked={"week": week, "month": month, "region": region}, status=422)
    return _page(member, span=span, done=bool(done))


@router.get("/{name}.png")
def chart(member: Lead, name: str, week: Asked = "", month: Asked = "", region: Asked = "") -> Response:
    """One chart of the page, in the reader's language."""
    from templates import charts  # matplotlib: only who draws waits for it

    if name not in charts.CHARTS:
        raise NotFoundError("no such chart")
    png = charts.draw(_figures(_span(week, month, region), _minute()), name, language=member.language)
    if png is None:
        raise NotFoundError("there is nothing to draw")
    return Response(png, media_type="image/png")


@router.post("/wish")
def choose(member: Manager, period: Text = "", region: Text = "", weekday: Text = "", hour: Text = "") -> Response:
    """When the manager gets the digest by mail, and of what."""
    wish = None
    with transaction() as connection:
        if period != _NEVER:
            try:
                wish = _wish(period, region, weekday, hour, staff.list_regions(connection))
            except InvalidInputError as error:
                return _page(member, span=_span("", "", ""), wish_fault=error.field, status=422)
        digests.choose(connection, member.id, wish, now=utc_now())
    return RedirectResponse("/workbench/digest?done=1", status_code=303)


def _span(week: str, month: str, region: str) -> Span:
    """What is asked for. Raises InvalidInputError: no week or month, one that lies ahead, a region nobody serves."""
    zone, now = get_standard().organisation.time_zone, utc_now()
    span = month_named(month, zone) if month else week_named(week, zone) if week else last_full_week(now, zone)
    if span.since > now:
        raise InvalidInputError("month" if month else "week", "lies ahead")
    if region:
        with transaction() as connection:
            if region not in staff.list_regions(connection):
                raise InvalidInputError("region", "is none that a team serves")
    return span.within(region or None)


def _wish(period: str, region: str, weekday: str, hour: str, regions: list[str]) -> DigestWish:
    for name, typed, known in (
        ("period", period, list(DigestPeriod)),
        ("region", region, ["", *regions]),
        ("weekday", weekday, [str(day) for day in range(7)]),
        ("hour", hour, [str(hour) for hour in range(24)]),
    ):
        if typed not in known:
            raise InvalidInputError(name, "is not one of the choices")
    return DigestWish(DigestPeriod(period), region or None, int(weekday), int(hour))


def _minute() -> int:
    return int(utc_now().timestamp()) // 60


@lru_cache(maxsize=4)
def _figures(span: Span, _minute: int) -> dict[str, Any]:
    """Computed once for a page and its charts."""
    with transaction() as connection:
        return reports.digest(connection, span, get_standard())


def _page(
    member: StaffMember,
    *,
    span: Span | None = None,
    asked: dict[str, str] | None = None,
    fault: str = "",
    wish_fault: str = "",
    done: bool = False,
    status: int = 200,
) -> Response:
    now, language = utc_now(), member.language
    with transaction() as connection:
        regions, wish = staff.list_regions(connection), digests.wish_of(connection, member.id)
    asked = asked or {"week": "", "month": "", "region": ""}
    context: dict[str, Any] = {"digest": None}
    if span is not None:
        asked = asked | _address(span)
        # Whom to coach is for managers: a supervisor reads of their own people in the appraisal (S-57).
        withheld: dict[str, Any] = {} if member.role is Role.MANAGER else {"best": [], "coaching": []}
        context = {
            "digest": _figures(span, _minute()) | withheld,
            "base": "",
            "most": 1000,
            "charts": {name: f"/workbench/digest/{name}.png?{urlencode(_address(span))}" for name in _CHARTS},
            "earlier": urlencode(_address(_beside(span, -1))),
            "later": urlencode(_address(_beside(span, 1))) if span.until <= now else "",
        }
    return show(
        member,
        "digest",
        now=now,
        status=status,
        asked=asked,
        fault=fault,
        wish_fault=wish_fault,
        done=done,
        regions=regions,
        wish=wish or DigestWish(),
        is_declined=wish is None,
        weekdays=entry(language, "format", "weekdays"),
        periods=[period.value for period in DigestPeriod],
        metrics=list(METRICS),
        **context,
    )


_CHARTS = ("promises", "dimensions", "stages", "volume")


def _address(span: Span) -> dict[str, str]:
    """How an address asks for a span."""
    return {span.kind.value: span.label} | ({"region": span.region} if span.region else {})


def _beside(span: Span, step: int) -> Span:
    """The span before or after."""
    of = week_of if span.kind is SpanKind.WEEK else month_of
    moment = span.before if step < 0 else span.until
    return of(moment.date(), get_standard().organisation.time_zone).within(span.region)
