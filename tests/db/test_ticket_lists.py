"""The list behind a figure of the digest holds the tickets that the figure counts (S-61)."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from db import alarms, reports, ticket_lists
from domain.spans import week_of
from domain.ticket_filter import Happened, TicketFilter
from domain.tickets import Category, Channel, Priority
from tests.desk import Desk
from tests.lives import Life

H = Happened
WEEK = week_of(date(2026, 11, 24), "Asia/Shanghai")
IN_WEEK = TicketFilter(since=WEEK.since, until=WEEK.until)


def test_every_figure_counts_what_its_list_shows(desk: Desk) -> None:
    dice = random.Random(5)
    for _ in range(25):
        Life(desk, dice, WEEK.since + timedelta(minutes=dice.randint(-60 * 48, 60 * 24 * 7))).live()
    alarms.raise_due(desk.connection, standard=desk.standard, now=WEEK.until + timedelta(days=20))
    digest = reports.digest(desk.connection, WEEK, desk.standard)

    def listed(happened: Happened, **criteria: Any) -> list[str]:
        wanted = replace(IN_WEEK, happened=happened, **criteria)
        rows = ticket_lists.matching(desk.connection, wanted, low_score=3, limit=100)
        assert ticket_lists.count(desk.connection, wanted, low_score=3) == len(rows)
        return [row["number"] for row in rows]

    volume, sla = digest["volume"], digest["sla"]
    for key, happened in (("opened", H.OPENED), ("cancelled", H.CANCELLED), ("open_at_end", H.OPEN_AT_END)):
        assert len(listed(happened)) == volume[key]["now"]
    for key, kind in (("category", Category), ("priority", Priority), ("channel", Channel), ("region", str)):
        for value, pair in volume[f"by_{key}"].items():
            assert len(listed(H.OPENED, **{key: kind(value)})) == pair["now"]
    for team, promises in sla["by_team"].items():
        late = listed(H.RESOLUTION_MISSED, team=team)
        assert bool(late) == bool(promises["resolution"]["missed"]["now"])
    for clock in ("response", "resolution"):
        missed = {breach["ticket_number"] for breach in digest["breaches"] if breach["clock"] == clock}
        assert set(listed(H(f"{clock}_missed"))) == missed
        kept = listed(H(f"{clock}_kept"))
        assert 0 < len(kept) <= sla[clock]["met"]["now"]  # a ticket that came back kept two
    assert set(listed(H.LOW_SCORE)) == {low["ticket_number"] for low in digest["low_scores"]} != set()
    assert len(listed(H.ANSWERED)) == digest["satisfaction"]["answered"]["now"]
    due, late = set(listed(H.CALLBACK_DUE)), set(listed(H.CALLBACK_MISSED))
    assert late < due
    assert listed(H.OPENED, team="nobody's") == []


def test_pages_follow_one_another_without_a_gap(desk: Desk) -> None:
    newest_first = [desk.ticket(desk.open())["number"] for _ in range(5)][::-1]

    found, below = [], None
    while rows := ticket_lists.matching(desk.connection, TicketFilter(below=below), low_score=3, limit=2):
        found += [row["number"] for row in rows]
        below = rows[-1]["id"]

    assert found == newest_first
