"""How much work lay with whom: in whose hands tickets were, and for how many working hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from domain.business_hours import BusinessCalendar
from domain.lifecycle import TicketState

# Here the next step is up to whoever has the ticket; elsewhere it is the customer's, a planner's, or nobody's.
_IN_HAND = frozenset({TicketState.ASSIGNED, TicketState.DIAGNOSING, TicketState.IN_WORK})


@dataclass(frozen=True, slots=True)
class Turn:
    """One event of a ticket, as far as it says in whose hands the ticket was from then on (None: as before)."""

    ticket_id: int
    at: datetime
    state: TicketState
    given_to: int | None


def time_in_hand(turns: Iterable[Turn], calendar: BusinessCalendar, *, until: datetime) -> dict[int, timedelta]:
    """By person the working time that their tickets waited for a step of theirs; several at once count several times.

    ``turns``: ticket by ticket, each in the order of its events.
    """
    spent: dict[int, timedelta] = defaultdict(timedelta)
    for _, of_ticket in groupby(turns, key=lambda turn: turn.ticket_id):
        holder: int | None = None
        spans: list[tuple[datetime, int | None]] = []
        for turn in of_ticket:
            holder = turn.given_to or holder
            has_it = holder if turn.state in _IN_HAND else None
            if not spans or spans[-1][1] != has_it:
                spans.append((turn.at, has_it))
        for (since, person), (end, _) in pairwise([*spans, (until, None)]):
            if person is not None:
                spent[person] += calendar.between(since, end)
    return dict(spent)
