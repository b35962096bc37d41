"""What must have happened by the end of the demo's week, each point asked of the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from rich.text import Text

from cli.screen import Grid, Screen
from cli.stage import Stage
from db import callbacks, events, mailbox, outbox, seed, staff, surveys, tickets
from db.session import transaction
from domain.delivery import MessageState
from domain.messages import MessageKind


def print_verdict(screen: Screen, stage: Stage, ids: dict[str, int]) -> list[str]:
    """Print every point and whether it happened; returns those that did not."""
    grid = Grid("What the standard asks for", "Happened")
    missing = []
    for what, happened in _checks(stage, ids):
        grid.row(what, Text("yes", "green") if happened else Text("NO", "red"))
        if not happened:
            missing.append(what)
    screen.show(grid)
    screen.say(f"{stage.flow_runs} flow runs, {len(ids)} tickets, {len(missing)} steps missing.")
    return missing


def _checks(stage: Stage, ids: dict[str, int]) -> Iterator[tuple[str, bool]]:
    with transaction() as connection:
        story = {name: tickets.get(connection, ticket_id) for name, ticket_id in ids.items()}
        log = {name: events.list_of(connection, ticket_id) for name, ticket_id in ids.items()}
        sent = [message for ticket_id in ids.values() for message in outbox.list_of(connection, ticket_id)]
        counts = outbox.count_by_state(connection)
        doubled = mailbox.find_doubled(connection)
        flaws = list(events.find_flaws(connection))
        asked = {name: surveys.list_of(connection, ticket_id)[-1] for name, ticket_id in ids.items()}
        call = callbacks.list_of(connection, ids["delay"])[-1]
        senior = staff.get(connection, story["urgent"]["assignee_id"])
        digests = mailbox.list_entries(connection, seed.address("ma.chao"))
    kinds = {name: [event["kind"] for event in history] for name, history in log.items()}

    def first(name: str, kind: str) -> dict[str, Any]:
        return next(event for event in log[name] if event["kind"] == kind)

    def told(kind: MessageKind, name: str) -> bool:
        return any(message["kind"] == kind and message["ticket_id"] == ids[name] for message in sent)

    opened = {name: ticket["opened_at"] for name, ticket in story.items()}
    yield "S-05 everybody was acknowledged at once", all(first(n, "acknowledge")["at"] == opened[n] for n in ids)
    within = stage.standard.assignment.within
    yield (
        "S-12 everybody was assigned within 30 minutes",
        all(first(n, "assign")["at"] - opened[n] <= within for n in ids),
    )
    yield "S-10 smoke made it P1, for a senior engineer", story["urgent"]["priority"] == "P1" and senior["is_senior"]
    yield "S-12 technical support and parts supply were called in", told(MessageKind.STAFF_SUPPORT_REQUESTED, "urgent")
    yield (
        "S-22 nothing was executed without consent",
        all("agree_plan" in kinds[name] for name in ids if name != "question"),
    )
    yield "S-23 an objection made a second revision of the plan", story["objection"]["plan_revision"] == 2
    yield "S-31 a step was pushed to the customer", told(MessageKind.PROGRESS_STEP, "objection")
    yield "S-32 the missing part was told with reason and new time", told(MessageKind.DELAY_REPORTED, "delay")
    breaches = [e for e in log["breach"] if e["kind"] == "sla_breached"]
    yield "S-13 a missed response was recorded once", len(breaches) == 1
    yield "S-13 the ticket climbed a tier", story["breach"]["tier"] == 2 and "escalate_tier" in kinds["breach"]
    yield "S-33 its customer was told who takes over", told(MessageKind.TICKET_TRANSFERRED, "breach")
    yield "S-13 the manager heard of a promise that stayed broken", told(MessageKind.STAFF_SLA_ESCALATION, "delay")
    yield "S-40 everybody signed", all(ticket["state"] == "closed" for ticket in story.values())
    day = timedelta(days=1)
    completed = {name: first(name, "complete")["at"] for name in ids}
    yield (
        "S-41 everybody was asked 24 hours after completion",
        all(asked[n]["sent_at"] == completed[n] + day for n in ids),
    )
    yield "S-41 who did not answer was reminded once", kinds["question"].count("survey_reminded") == 1
    yield "S-42 a score of 5 was thanked", told(MessageKind.SURVEY_THANKS, "urgent")
    yield (
        "S-42 a score of 2 owed a call within the hour",
        call["due_at"] == first("delay", "survey_answered")["at"] + timedelta(hours=1),
    )
    yield "S-42 the late call went to the manager", call["escalated_at"] is not None
    yield (
        "S-42 the customer was called, with reason and suggestion",
        call["state"] == "done" and bool(call["suggestion"]),
    )
    yield "S-61 the digest reached the managers", any(entry["kind"] == "weekly_digest" for entry in digests)
    yield "every message was handed over exactly once", set(counts) == {MessageState.DELIVERED} and not doubled
    yield "every history is whole and replays to its ticket", not flaws
