"""The filtered list of tickets: behind every figure of the digest, and for whoever looks for some (S-60, S-61)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from clock import utc_now
from db import staff, ticket_lists
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_CONTACT, MAY_READ_REPORTS
from domain.contact import shown_name
from domain.exceptions import InvalidInputError
from domain.ticket_filter import NONE, Happened, read_filter
from domain.tickets import Category, Channel, Priority
from templates.languages import region_name, word
from web.workbench.door import StaffMember, require
from web.workbench.frame import show

router = APIRouter(prefix="/workbench")
Reader = Annotated[StaffMember, Depends(require(*MAY_READ_REPORTS))]
_AT_A_TIME = 50
_NAMES = ("happened", "from", "to", "category", "priority", "channel", "region", "team")


@router.get("/tickets")
def tickets(request: Request, member: Reader) -> Response:
    """What was asked for, the newest first, a page at a time; the address says all of it and can be kept."""
    standard, now = get_standard(), utc_now()
    asked = {name: request.query_params.get(name, "")[:201] for name in (*_NAMES, "below")}
    fault, rows, count = "", [], None
    with transaction() as connection:
        regions, teams = staff.list_regions(connection), sorted(staff.team_ids(connection))
        try:
            wanted = read_filter(asked, time_zone=standard.organisation.time_zone)
        except InvalidInputError as error:
            fault = error.field
        else:
            low = standard.callback.low_score
            rows = ticket_lists.matching(connection, wanted, low_score=low, limit=_AT_A_TIME + 1)
            count = ticket_lists.count(connection, wanted, low_score=low)
    serves = member.role in MAY_READ_CONTACT
    shown = [row | {"customer_name": shown_name(row, to_servers=serves)} for row in rows[:_AT_A_TIME]]
    filters = {name: value for name in _NAMES if (value := asked[name])}
    return show(
        member,
        "ticket_list",
        now=now,
        status=422 if fault else 200,
        rows=shown,
        count=count,
        asked=asked,
        fault=fault,
        choices=_choices(member.language, regions, teams),
        next_page=urlencode(filters | {"below": shown[-1]["id"]}) if len(rows) > _AT_A_TIME else "",
        first_page=urlencode(filters) if asked["below"] else "",
    )


def _choices(language: str, regions: list[str], teams: list[str]) -> dict[str, list[tuple[str, str]]]:
    """What each select offers: value and words."""

    def labelled(words: Any, section: str) -> list[tuple[str, str]]:
        return [(one.value, word(language, section, one.value)) for one in words]

    return {
        "happened": labelled(Happened, "happened"),
        "category": labelled(Category, "category"),
        "priority": labelled(Priority, "priority"),
        "channel": labelled(Channel, "channel"),
        "region": [
            *((one, region_name(language, one)) for one in regions),
            (NONE, word(language, "digest", "no_region")),
        ],
        "team": [*((team, team) for team in teams), (NONE, word(language, "digest", "nobody"))],
    }
