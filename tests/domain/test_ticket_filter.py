"""What a list is asked for in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.exceptions import InvalidInputError
from domain.ticket_filter import Happened, TicketFilter, read_filter
from domain.tickets import Priority


def test_days_are_those_of_the_organisations_zone_and_the_last_is_included() -> None:
    asked = {"happened": "closed", "from": "2026-11-16", "to": "2026-11-22", "priority": "P1", "region": "-"}

    assert read_filter(asked | {"below": "17"}, time_zone="Asia/Shanghai") == TicketFilter(
        Happened.CLOSED,
        since=datetime(2026, 11, 15, 16, tzinfo=UTC),
        until=datetime(2026, 11, 22, 16, tzinfo=UTC),
        priority=Priority.P1,
        region="",
        below=17,
    )


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        *(("from", typed) for typed in ("nonsense", "2026-13-01", "0001-01-01", "9999-12-31", "\x00")),
        ("to", "2026-11-01"),
        *(("happened", "exploded"), ("category", "<script>"), ("priority", "P4"), ("channel", "fax")),
        *(("region", "a\x00b"), ("region", "\ud800"), ("team", "x" * 201)),
    ],
)
def test_what_cannot_be_asked_is_named(name: str, typed: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_filter({"from": "2026-11-02", name: typed}, time_zone="UTC")

    assert caught.value.field == name


def test_nothing_asked_is_everything() -> None:
    assert read_filter({"team": "", "below": "x" * 30}, time_zone="UTC") == TicketFilter()
