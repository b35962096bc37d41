"""The supervisor's board: what is late or nearly so, what nobody does, who has how much; handing over (S-12, S-42)."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from clock import utc_now
from db import boards, commands
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_BOARD
from domain.commands import Assign
from domain.exceptions import IllegalTransitionError, InvalidInputError, NotFoundError
from domain.tickets import ticket_id
from web.workbench.door import StaffMember, require
from web.workbench.frame import show
from web.workbench.outbox import told

router = APIRouter(prefix="/workbench/board")
Lead = Annotated[StaffMember, Depends(require(*MAY_READ_BOARD))]
Text = Annotated[str, Form()]


@router.get("")
def show_board(member: Lead, done: str = "") -> Response:
    """The whole house at a glance."""
    return _page(member, done=bool(done))


@router.post("/reassign")
def reassign(member: Lead, number: Text = "", assignee_id: Text = "", reason: Text = "", once: Text = "") -> Response:
    """Give a ticket to somebody else, who reads why; a second tap changes nothing."""
    typed = {"number": number.strip()[:40], "assignee_id": assignee_id[:20], "reason": reason}
    fault = ""
    try:
        wanted = ticket_id(typed["number"].upper())
    except (InvalidInputError, NotFoundError):
        fault = "no_ticket"
    try:
        command = Assign.model_validate({"assignee_id": assignee_id, "reason": reason})
    except ValidationError as error:
        names = {str(part["loc"][0]) for part in error.errors()}
        fault = fault or ("no_colleague" if "assignee_id" in names else "no_reason")
    if not fault:
        try:
            with transaction() as connection:
                commands.apply_command(
                    connection,
                    wanted,
                    command,
                    member.actor,
                    standard=get_standard(),
                    now=utc_now(),
                    idempotency_key=f"work:{member.id}:board:{wanted}:{once[:64]}" if once.isalnum() else None,
                )
        except NotFoundError as error:
            fault = "no_ticket" if "ticket" in str(error) else "no_colleague"
        except InvalidInputError as error:
            fault = "no_colleague" if error.field == "assignee_id" else "no_reason"
        except IllegalTransitionError:
            fault = "not_now"
    if fault:
        return _page(member, typed=typed, fault=fault, status=422)
    return RedirectResponse("/workbench/board?done=1", status_code=303)


def _page(
    member: StaffMember,
    *,
    done: bool = False,
    typed: dict[str, str] | None = None,
    fault: str = "",
    status: int = 200,
) -> Response:
    standard, now = get_standard(), utc_now()
    with transaction() as connection:
        board = boards.read(
            connection, now=now, near=standard.workbench.near_breach, taken_within=standard.assignment.within
        )
    return show(
        member,
        "board",
        now=now,
        status=status,
        board=board,
        unclear=[told(row, member) for row in board.unclear],
        done=done,
        typed={"number": "", "assignee_id": "", "reason": ""} | (typed or {}),
        fault=fault,
        once=uuid4().hex,
    )
