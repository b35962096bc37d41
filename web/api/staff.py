"""Staff by the API: who serves, in which team, with how much to do."""

from __future__ import annotations

from fastapi import APIRouter

from db import staff
from db.session import transaction
from web.api import shapes

router = APIRouter(prefix="/staff", tags=["staff"])


@router.get("")
def list_staff() -> shapes.Page[shapes.Member]:
    """All members of staff, those who have left too."""
    with transaction() as connection:
        rows = staff.list_all(connection)
    return shapes.Page(items=[shapes.Member.model_validate(row) for row in rows], next_cursor=None)
