"""The progress tracking sheet for whoever leads: which days, then the workbook (S-60)."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from clock import utc_now
from db import tracking
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_BOARD
from domain.exceptions import InvalidInputError
from domain.tracking import opened_within
from templates import tracking_sheet
from web.workbench.door import StaffMember, require
from web.workbench.frame import show

router = APIRouter(prefix="/workbench")
Lead = Annotated[StaffMember, Depends(require(*MAY_READ_BOARD))]
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/sheet")
def ask(member: Lead) -> Response:
    """Which days: this month, unless others are asked for."""
    today = _today()
    return show(
        member, "sheet", now=utc_now(), first=today.replace(day=1).isoformat(), last=today.isoformat(), fault=""
    )


@router.get("/sheet.xlsx")
def download(
    member: Lead, first: Annotated[str, Query(max_length=40)] = "", last: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The workbook in the reader's language; written to disk as it is read, so that it may be long."""
    now, zone = utc_now(), get_standard().organisation.time_zone
    try:
        since, until = opened_within(_day("first", first), _day("last", last), time_zone=zone, now=now)
    except InvalidInputError as error:
        return show(member, "sheet", now=now, status=422, first=first, last=last, fault=error.field)
    with ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aftercare-sheet-"))) / "sheet.xlsx"
        with transaction() as connection:
            rows = tracking.rows(connection, since=since, until=until)
            tracking_sheet.write(rows, file, language=member.language, time_zone=zone)
        sent = BackgroundTask(stack.pop_all().close)
    name = f"{tracking_sheet.title(member.language)} {first or '…'} – {last or _today().isoformat()}.xlsx"
    return FileResponse(file, media_type=_WORKBOOK, filename=name, background=sent)


def _today() -> date:
    return utc_now().astimezone(ZoneInfo(get_standard().organisation.time_zone)).date()


def _day(field: str, typed: str) -> date | None:
    """An empty field is no day. Raises InvalidInputError."""
    try:
        return date.fromisoformat(typed) if typed.strip() else None
    except ValueError:
        raise InvalidInputError(field, "is no date") from None
