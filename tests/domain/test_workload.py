"""Whose hands a ticket was in, and for how many working hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.business_hours import BusinessCalendar, parse_weekly_hours
from domain.lifecycle import TicketState as S
from domain.workload import Turn, time_in_hand

ALWAYS = BusinessCalendar("always", "UTC", parse_weekly_hours({"mon": ["00:00-24:00"], "tue": ["00:00-24:00"]}), None)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
ANN, BEN = 1, 2


def _turns(ticket_id: int, *turns: tuple[int, S, int | None]) -> list[Turn]:
    return [Turn(ticket_id, MONDAY + timedelta(hours=hour), state, given_to) for hour, state, given_to in turns]


@pytest.mark.parametrize(
    ("turns", "hours"),
    [
        ([], {}),
        (_turns(1, (0, S.NEW, None)), {}),
        (_turns(1, (0, S.NEW, None), (1, S.ASSIGNED, ANN), (5, S.COMPLETED, None)), {ANN: 4}),
        # Handed over; what the customer is asked lies with nobody; at the end of the log it still lies with Ben.
        (_turns(1, (0, S.ASSIGNED, ANN), (3, S.ASSIGNED, BEN), (4, S.WAITING_CUSTOMER, None), (8, S.IN_WORK, None)),
         {ANN: 3, BEN: 3}),
        # Two at once count twice; the holder of one ticket is nobody in the next.
        (_turns(1, (0, S.IN_WORK, ANN)) + _turns(2, (0, S.NEW, None), (8, S.IN_WORK, ANN)), {ANN: 12}),
    ],
    ids=["nothing", "nobody yet", "one", "handed over", "two at once"],
)  # fmt: skip
def test_a_ticket_is_in_the_hands_of_who_must_act(turns: list[Turn], hours: dict[int, int]) -> None:
    found = time_in_hand(turns, ALWAYS, until=MONDAY + timedelta(hours=10))

    assert found == {person: timedelta(hours=count) for person, count in hours.items()}
