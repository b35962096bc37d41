"""This file says what a replay showed: rows, breaches, messages, load, the last digests."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from db import histories, reports
from db.models import Ticket, TicketEvent
from domain.business_hours import BusinessCalendar
from domain.spans import last_full_week
from domain.standard import Standard
from domain.workload import time_in_hand
from replay.tally import Tally

DIGESTS = 4


@dataclass
class ReplayReport:
    """The result of one replay; names as ``--report`` writes them."""

    standard: str
    rows_read: int
    applied: int
    repaired: int
    rejected: int
    tickets: int
    events: int
    breaches: int
    messages: int
    seconds: float
    repairs: dict[str, int]
    rejections: dict[str, int]
    rejected_lines: list[tuple[int, str]]
    breaches_by_priority: dict[str, int]
    breaches_by_week: dict[str, dict[str, int]]
    promises: dict[str, dict[str, dict[str, int]]]
    waiting: dict[str, dict[str, float]]
    messages_by_kind: dict[str, int]
    messages_to: dict[str, int]
    load: list[dict[str, Any]]
    digests: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def report(
    connection: Connection,
    tally: Tally,
    standard: Standard,
    *,
    name: str,
    seconds: float,
    last: datetime | None,
    working_hours: BusinessCalendar,
) -> ReplayReport:
    """Read the result of a replay out of its database; the load is measured in ``working_hours``."""
    by_week = histories.breaches_by_week(connection, standard.organisation.time_zone)
    by_priority: dict[str, int] = {}
    for week in by_week.values():
        for priority, count in week.items():
            by_priority[priority] = by_priority.get(priority, 0) + count
    by_kind = histories.messages_by_kind(connection)
    return ReplayReport(
        standard=name,
        rows_read=tally.rows_read,
        applied=tally.applied,
        repaired=tally.repaired.total(),
        rejected=tally.rejected.total(),
        tickets=histories.count(connection, Ticket),
        events=histories.count(connection, TicketEvent),
        breaches=sum(by_priority.values()),
        messages=sum(by_kind.values()),
        seconds=round(seconds, 2),
        repairs=dict(tally.repaired.most_common()),
        rejections=dict(tally.rejected.most_common()),
        rejected_lines=tally.rejected_lines[:1000],
        breaches_by_priority=dict(sorted(by_priority.items())),
        breaches_by_week=by_week,
        promises=histories.promises(connection),
        waiting=histories.waiting(connection),
        messages_by_kind=by_kind,
        messages_to=histories.messages_to(connection),
        load=_load(connection, working_hours, last),
        digests=_digests(connection, standard, last),
    )


def _load(connection: Connection, working_hours: BusinessCalendar, last: datetime | None) -> list[dict[str, Any]]:
    """Who did how much, and how many working hours tickets lay with them until the log ended."""
    if last is None:
        return []
    in_hand = time_in_hand(histories.turns(connection), working_hours, until=last)
    people = histories.load(connection)
    for person in people:
        hours = in_hand.get(person.pop("id"), timedelta()) / timedelta(hours=1)
        person["hours_in_hand"] = round(hours, 1)
    return people


def _digests(connection: Connection, standard: Standard, last: datetime | None) -> list[dict[str, Any]]:
    if last is None:
        return []
    digests = []
    for back in range(DIGESTS):
        moment = last + timedelta(days=7) - timedelta(days=7 * back)
        week = last_full_week(moment, standard.organisation.time_zone)
        digests.append(reports.digest(connection, week, standard))
    return digests
