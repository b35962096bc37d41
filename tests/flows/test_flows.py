"""Each flow on a real Prefect server and a real Postgres: what it does, and what it leaves in the Prefect UI."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, TaskRunFilter, TaskRunFilterTags
from prefect.flow_engine import run_flow
from prefect.states import Scheduled
from sqlalchemy import select, text

from db import callbacks, commands, digests, enclosures, events, intake, mailbox, outbox, staff, surveys, tickets
from db.models import Customer
from db.session import transaction
from domain.commands import Complete, FirstContact
from domain.digest_schedule import DigestPeriod, DigestWish
from domain.intake import CustomerDetails, Report
from domain.people import Actor, Role
from domain.satisfaction import SurveyAnswer
from domain.standard import load_standard
from domain.tickets import Channel, ticket_number
from flows.callback_escalation import callback_escalation
from flows.message_delivery import message_delivery
from flows.sla_watchdog import sla_watchdog
from flows.survey_dispatch import survey_dispatch
from flows.ticket_lifecycle import ticket_lifecycle
from flows.weekly_digest import weekly_digest

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
STANDARD = load_standard()


def open_ticket(number: int, *, at: datetime = NOW) -> int:
    with transaction() as connection:
        details = CustomerDetails(
            name=f"Customer {number}", email=f"c{number}@example.com", region="east", language="en"
        )
        customer_id = intake.find_or_add_customer(connection, details, standard=STANDARD, now=at)
        report = Report(channel=Channel.APP, description="The fridge leaks")
        actor = Actor(Role.CUSTOMER, customer_id)
        return intake.open_ticket(connection, customer_id, report, actor, standard=STANDARD, now=at).ticket_id


def give(ticket_id: int, command: Any, *, at: datetime) -> None:
    with transaction() as connection:
        assignee = tickets.get(connection, ticket_id)["assignee_id"]
        actor = Actor(Role.ENGINEER, assignee)
        commands.apply_command(connection, ticket_id, command, actor, standard=STANDARD, now=at)


def kinds(ticket_id: int) -> list[str]:
    with transaction() as connection:
        return [event["kind"] for event in events.list_of(connection, ticket_id)]


def artifact(key: str) -> Any:
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))
        return max(found, key=lambda artifact: artifact.created)


def run(flow: Callable[..., Any], now: datetime) -> Any:
    return flow(now=now, return_state=True)


def test_a_new_ticket_is_acknowledged_and_assigned_and_its_story_is_found_by_its_tag(product: str) -> None:
    ticket_id = open_ticket(1)

    state = run(ticket_lifecycle, NOW)

    assert state.is_completed()
    assert state.message == "events followed up: 1"
    assert kinds(ticket_id) == ["opened", "acknowledge", "assign"]
    number = ticket_number(ticket_id)
    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(state.state_details.flow_run_id)
        tagged = client.read_task_runs(
            task_run_filter=TaskRunFilter(tags=TaskRunFilterTags(all_=[number])),
        )
    assert flow_run.name == "ticket_lifecycle · 2026-11-24 02:00Z"
    mine = [task.name for task in tagged if task.flow_run_id == flow_run.id]
    assert mine == [f"{number} · follow up"]
    assert number in artifact("ticket-lifecycle").data


def test_a_backlog_is_done_in_chunks_and_nobody_is_left_out(product: str) -> None:
    ids = [open_ticket(number) for number in range(45)]

    state = run(ticket_lifecycle, NOW)

    assert state.message == "events followed up: 45"
    assert all(kinds(ticket_id) == ["opened", "acknowledge", "assign"] for ticket_id in ids)


def test_a_ticket_takes_no_thread_and_no_leave_of_the_server(product: str) -> None:
    for number in range(3):
        open_ticket(number)

    run(ticket_lifecycle, NOW)

    assert "ConcurrencySlot" not in str(threading.enumerate())


def test_one_broken_ticket_makes_the_run_red_and_holds_up_nobody(product: str) -> None:
    broken, sound = open_ticket(1), open_ticket(2)
    with transaction() as connection:
        connection.execute(text("UPDATE tickets SET event_count = 0 WHERE id = :id"), {"id": broken})

    state = run(ticket_lifecycle, NOW)

    assert state.is_failed()
    assert "follow-up of" in state.message
    assert kinds(broken) == ["opened"]
    assert kinds(sound) == ["opened", "acknowledge", "assign"]


def test_a_run_again_for_the_same_moment_does_nothing(product: str) -> None:
    ticket_id = open_ticket(1)
    run(ticket_lifecycle, NOW)
    before = kinds(ticket_id)

    state = run(ticket_lifecycle, NOW)

    assert state.message == "nothing was due"
    assert kinds(ticket_id) == before


def test_a_window_picks_up_what_comes_while_it_is_open(product: str) -> None:
    ticket_id = open_ticket(1, at=datetime.now(UTC))  # noqa: TID251  the flow itself reads the clock here

    state = ticket_lifecycle(window_seconds=3, return_state=True)

    assert state.message == "events followed up: 1"
    assert "assign" in kinds(ticket_id)


def test_the_watchdog_warns_breaches_and_lets_the_ticket_climb(product: str) -> None:
    ticket_id = open_ticket(1)
    run(ticket_lifecycle, NOW)

    for hours in (2, 3.2, 4):
        run(sla_watchdog, NOW + timedelta(hours=hours))
    run(ticket_lifecycle, NOW + timedelta(hours=4))

    assert kinds(ticket_id)[3:] == ["sla_warned", "sla_warned", "sla_breached", "escalate_tier"]
    assert ticket_number(ticket_id) in artifact("sla-watchdog").data


def test_messages_are_delivered_once_and_a_second_run_finds_nothing(product: str) -> None:
    ticket_id = open_ticket(1)
    run(ticket_lifecycle, NOW)

    first = run(message_delivery, NOW)
    second = run(message_delivery, NOW)

    assert first.message == "accepted: 3"
    assert second.message == "nothing was due"
    with transaction() as connection:
        assert {message["state"] for message in outbox.list_of(connection, ticket_id)} == {"delivered"}
        assert mailbox.find_doubled(connection) == []


def test_a_message_whose_words_cannot_be_made_is_failed_and_the_others_leave(product: str) -> None:
    ticket_id = open_ticket(1)
    run(ticket_lifecycle, NOW)
    with transaction() as connection:
        connection.execute(text("UPDATE messages SET context = context - 'subject' WHERE kind = 'ticket_received'"))

    state = run(message_delivery, NOW)

    assert state.is_failed()
    assert "words of messages could not be made: see 'aftercare message list'" in state.message
    with transaction() as connection:
        states = {message["kind"]: message["state"] for message in outbox.list_of(connection, ticket_id)}
    assert states == {
        "ticket_received": "failed",
        "ticket_assigned": "delivered",
        "staff_assigned": "delivered",
        "staff_message_failed": "delivered",  # a person tells the customer
    }


def completed_ticket() -> tuple[int, datetime]:
    ticket_id = open_ticket(1)
    run(ticket_lifecycle, NOW)
    done_at = NOW + timedelta(hours=1)
    give(ticket_id, FirstContact(summary="called"), at=NOW + timedelta(minutes=30))
    give(ticket_id, Complete(summary="explained", guidance_only=True), at=done_at)
    return ticket_id, done_at


def test_the_watchdog_writes_how_the_service_stands_and_names_nobody(product: str) -> None:
    open_ticket(1)
    run(ticket_lifecycle, NOW)

    run(sla_watchdog, NOW + timedelta(hours=3))

    shown = artifact("service-today").data
    assert "今日服务" in shown
    assert "| 已派单 | 0 | 1 | 0 |" in shown
    assert "[ticket-lifecycle](/runs/flow-run/" in shown
    assert "Completed" in shown
    assert "Customer 1" not in shown


def test_the_survey_goes_out_after_24_hours_is_reminded_once_and_expires(product: str) -> None:
    ticket_id, done_at = completed_ticket()
    day = timedelta(days=1)

    early = run(survey_dispatch, done_at + day - timedelta(seconds=1))
    messages = [run(survey_dispatch, done_at + wait).message for wait in (day, 2 * day, 3 * day, 4 * day, 8 * day)]

    assert early.message == "nothing was due"
    assert messages == ["survey steps: 1", "nothing was due", "survey steps: 1", "nothing was due", "survey steps: 1"]
    assert [kind for kind in kinds(ticket_id) if kind.startswith("survey")] == [
        "survey_sent",
        "survey_reminded",
        "survey_expired",
    ]


def test_after_a_day_in_which_nothing_ran_what_came_due_is_done_once(product: str) -> None:
    waiting = open_ticket(7)
    served, done_at = completed_ticket()
    flows = (ticket_lifecycle, sla_watchdog, survey_dispatch, message_delivery)

    for flow in (*flows, *flows):
        run(flow, done_at + timedelta(hours=26))

    assert [run(flow, done_at + timedelta(hours=26)).message for flow in flows] == ["nothing was due"] * 4
    assert {"acknowledge", "assign", "sla_breached"} <= set(kinds(waiting))
    assert kinds(served).count("survey_sent") == 1
    with transaction() as connection:
        assert mailbox.find_doubled(connection) == []


def test_a_run_that_starts_a_day_after_its_slot_leaves_the_work_to_the_present_one(product: str) -> None:
    ticket_id = open_ticket(1)
    yesterday = datetime.now(UTC) - timedelta(days=1)  # noqa: TID251  the flow itself reads the clock here
    window = {"window_seconds": 3}
    with get_client(sync_client=True) as client:
        late = client.create_flow_run(ticket_lifecycle, parameters=window, state=Scheduled(scheduled_time=yesterday))

    state = run_flow(ticket_lifecycle, flow_run=late, parameters=window, return_type="state")

    assert state.message == "started after its window was over; the run that is due now does the work"
    assert kinds(ticket_id) == ["opened"]


def test_a_low_score_is_given_to_a_supervisor_and_the_manager_hears_when_it_is_late(product: str) -> None:
    ticket_id, done_at = completed_ticket()
    asked_at = done_at + timedelta(days=1)
    run(survey_dispatch, asked_at)
    with transaction() as connection:
        survey = surveys.list_of(connection, ticket_id)[0]
        customer = Actor(Role.CUSTOMER, connection.execute(select(Customer.id)).scalars().first())
        answer = SurveyAnswer(efficiency=1, attitude=3, solution=2, overall=2)
        surveys.record_answer(connection, survey["id"], answer, customer, standard=STANDARD, now=asked_at)

    steps = [run(callback_escalation, asked_at + timedelta(minutes=m)).message for m in (0, 59, 60, 61)]

    assert steps == ["callback steps: 1", "nothing was due", "callback steps: 1", "nothing was due"]
    with transaction() as connection:
        call = callbacks.list_of(connection, ticket_id)[0]
    assert call["due_at"] == asked_at + timedelta(hours=1)
    assert call["supervisor_name"] == "孙静"
    assert call["escalated_at"] == asked_at + timedelta(hours=1)


def test_each_manager_gets_the_span_they_chose_and_one_without_address_holds_up_nobody(product: str) -> None:
    friday = datetime(2026, 12, 4, 9, 0, tzinfo=UTC)
    with transaction() as connection:
        connection.execute(text("UPDATE staff SET email = 'nobody' WHERE email LIKE 'grace.lee%'"))
        manager = staff.actor(connection, "ma.chao@aftercare.example").id or 0
        digests.choose(connection, manager, DigestWish(DigestPeriod.MONTHLY, "east", 4, 17), now=friday)

    early, due = run(weekly_digest, friday - timedelta(hours=1)), run(weekly_digest, friday)

    assert "2026-10 east told to managers: 1" in early.message  # what should have left in November
    assert due.is_failed()
    assert "2026-11 east told to managers: 1; failed: staff" in due.message
    assert "has no e-mail address" in due.message
    assert "east" in artifact("monthly-digest").description


def test_the_digest_reaches_every_manager_once_in_their_language(product: str) -> None:
    completed_ticket()
    monday = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)

    first, second = run(weekly_digest, monday), run(weekly_digest, monday)
    run(message_delivery, monday)

    assert first.message == "2026-W48 told to managers: 2"
    assert second.message == "nothing was due"
    with transaction() as connection:
        chinese = mailbox.list_entries(connection, "ma.chao@aftercare.example")
        english = mailbox.list_entries(connection, "grace.lee@aftercare.example")
    assert [entry["kind"] for entry in chinese] == [entry["kind"] for entry in english] == ["weekly_digest"]
    assert "满意度" in chinese[0]["body"]
    assert "Satisfaction" in english[0]["body"]
    with transaction() as connection:
        files = enclosures.of_messages(connection, [chinese[0]["message_id"]])[chinese[0]["message_id"]]
    assert files[-1].name == "服务处理进度跟踪表 2026-W48.xlsx"
    assert all(f'"cid:{file.content_id}"' in chinese[0]["html"] for file in files[:-1])
    shown = artifact("weekly-digest").data
    assert "Customer 1" not in shown
