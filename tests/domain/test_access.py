"""Who may read and record what, beside commands."""

from __future__ import annotations

import pytest

from domain.access import MAY_READ_CONTACT, MAY_RECORD_ANSWERS, MAY_TAKE_REPORTS, require_role
from domain.exceptions import NotPermittedError
from domain.people import STAFF_ROLES, Actor, Role


def test_only_staff_may_anything() -> None:
    assert MAY_READ_CONTACT | MAY_TAKE_REPORTS | MAY_RECORD_ANSWERS <= STAFF_ROLES


def test_who_may_not_is_told_who_may() -> None:
    require_role(Actor(Role.AGENT, 1), MAY_RECORD_ANSWERS, "recording answers")

    with pytest.raises(NotPermittedError, match="recording answers is not for the role 'engineer'; it is for: agent"):
        require_role(Actor(Role.ENGINEER, 1), MAY_RECORD_ANSWERS, "recording answers")
