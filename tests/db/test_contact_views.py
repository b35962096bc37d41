"""Who looked at a customer's contact data is recorded, once for a while, for good (S-71)."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db import contact_views
from tests.desk import Desk


def _looks(desk: Desk) -> list[tuple[int, str]]:
    return [
        tuple(row)
        for row in desk.connection.execute(text("SELECT customer_id, seen_on FROM contact_views ORDER BY id"))
    ]


def _customer(desk: Desk) -> int:
    return int(desk.ticket(desk.open())["customer_id"])


def test_a_second_look_at_the_same_place_counts_after_a_while_only(desk: Desk) -> None:
    who, customer = desk.clerk, _customer(desk)

    for minutes, where in ((0, "ticket"), (9, "ticket"), (9, "api"), (20, "ticket")):
        contact_views.note(desk.connection, who, [customer], where=where, now=desk.after(minutes=minutes))

    assert _looks(desk) == [(customer, "ticket"), (customer, "api"), (customer, "ticket")]


def test_what_was_recorded_cannot_be_changed(desk: Desk) -> None:
    contact_views.note(desk.connection, desk.clerk, [_customer(desk)], where="ticket", now=desk.now)

    with pytest.raises(DBAPIError, match="append-only"):
        desk.connection.execute(text("UPDATE contact_views SET seen_on = 'elsewhere'"))
