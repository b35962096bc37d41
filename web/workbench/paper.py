"""Answers on paper at the workbench: a sheet is looked at, taken, or given back with what becomes of each row (S-51).

Nothing is kept between the three, so that the file is chosen again; what was taken before is not counted twice.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from clock import utc_now
from db.standards import get_standard
from domain.access import MAY_IMPORT_ANSWERS
from domain.exceptions import InvalidInputError
from domain.paper_map import load_map
from domain.paper_rows import Fate
from tasks.feedback import import_answers
from templates.checked_sheet import said
from web.workbench.door import StaffMember, require
from web.workbench.frame import show
from web.workbench.shown import read_form
from web.workbench.typed import Typed

router = APIRouter(prefix="/workbench/paper")
Importer = Annotated[StaffMember, Depends(require(*MAY_IMPORT_ANSWERS))]
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Some thousand rows, which take less than a minute; more are for the command line.
_LARGEST = 1_000_000
_FAULTS = {"map": "no_titles", "file": "no_sheet"}


@router.get("")
def ask(member: Importer) -> Response:
    """The form for the sheet."""
    return _page(member)


@router.post("")
async def take(request: Request, member: Importer) -> Response:
    """What would be taken, what was, or the copy, by the button that was pressed."""
    typed = await read_form(request, member)
    return await run_in_threadpool(_take, member, typed)


def _take(member: StaffMember, typed: Typed) -> Response:
    if not typed.files:
        return _page(member, fault="no_file")
    [file, *_] = typed.files
    content = file.file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        return _page(member, fault="too_large")
    wanted = typed.text("do")
    with tempfile.TemporaryDirectory(prefix="aftercare-paper-") as folder:
        source = Path(folder) / f"sheet{Path(file.filename or '').suffix.lower()[:6]}"
        copy = Path(folder) / "checked.xlsx"
        try:
            source.write_bytes(content)
            imported = import_answers(
                source,
                copy,
                member.actor,
                words=load_map(),
                dry_run=wanted != "import",
                language=member.language,
                standard=get_standard(),
                now=typed.now,
            )
        except InvalidInputError as error:
            return _page(member, fault=_FAULTS.get(error.field, "no_sheet"))
        if wanted == "copy":
            headers = {"Content-Disposition": 'attachment; filename="checked.xlsx"'}
            return Response(copy.read_bytes(), media_type=_WORKBOOK, headers=headers)
    return _page(
        member,
        done="imported" if wanted == "import" else "previewed",
        counts={fate.value: imported.fates[fate] for fate in Fate},
        titles=imported.titles,
        unused=imported.unused,
        refused=[(number, said(verdict, member.language)) for number, verdict in imported.refused],
    )


def _page(member: StaffMember, *, fault: str = "", done: str = "", **found: object) -> Response:
    status = 422 if fault else 200
    return show(member, "paper", now=utc_now(), status=status, fault=fault, done=done, **found)
