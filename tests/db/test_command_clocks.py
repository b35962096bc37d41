"""What commands do to the promises: stop, pause, recompute, begin anew; no breach is lost (S-10 to S-14)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db import alarms, events
from db.models import SlaClock
from domain.exceptions import IllegalTransitionError
from domain.lifecycle import CommandName, TicketState
from domain.tickets import Impact
from tests.desk import Desk

C = CommandName
S = TicketState


def test_assignment_stops_the_assignment_clock_only(desk: Desk) -> None:
    ticket_id = desk.open()

    desk.follow_up(ticket_id, at=desk.after(minutes=5))

    clocks = desk.clocks(ticket_id)
    assert clocks["assignment"]["stopped_at"] == desk.after(minutes=5)
    assert clocks["response"]["stopped_at"] is None
    assert clocks["resolution"]["stopped_at"] is None


@pytest.mark.parametrize("command", [C.CANCEL, C.COMPLETE])
def test_a_machine_s_clock_that_was_set_back_moves_nothing_back(desk: Desk, command: CommandName) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)
    values = {C.CANCEL: {"reason": "by mistake"}, C.COMPLETE: {"summary": "new pump", "tested": True}}[command]

    desk.give(ticket_id, command, at=desk.after(hours=-1), **values)

    at = [event["at"] for event in events.list_of(desk.connection, ticket_id)]
    assert at == sorted(at)
    assert {clock["stopped_at"] for clock in desk.clocks(ticket_id).values()} <= set(at)
    assert list(events.find_flaws(desk.connection)) == []


def test_the_first_contact_stops_the_response_clock(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.ASSIGNED)

    desk.give(ticket_id, C.FIRST_CONTACT, at=desk.after(hours=1), summary="called")

    response = desk.clocks(ticket_id)["response"]
    assert (response["stopped_at"], response["next_alarm_at"], response["breached_at"]) == (
        desk.after(hours=1),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("resting", "begin", "go_on"),
    [
        (
            S.PLAN_PROPOSED,
            (C.PROPOSE_PLAN, {"kind": "repair", "steps": ["s"]}),
            (C.OBJECT_TO_PLAN, {"reason": "too late"}),
        ),
        (S.WAITING_CUSTOMER, (C.ASK_CUSTOMER, {"question": "q"}), (C.RECORD_REPLY, {"reply": "r"})),
    ],
)
def test_the_resolution_clock_rests_while_the_customer_is_awaited(
    desk: Desk, resting: TicketState, begin: tuple[CommandName, dict], go_on: tuple[CommandName, dict]
) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    name, values = begin
    if name is C.PROPOSE_PLAN:
        values = values | {"deadline_at": desk.after(days=9)}

    desk.give(ticket_id, name, at=desk.after(hours=10), **values)
    resolution = desk.clocks(ticket_id)["resolution"]
    assert desk.ticket(ticket_id)["state"] == resting
    assert (resolution["due_at"], resolution["next_alarm_at"]) == (None, None)

    desk.give(ticket_id, go_on[0], at=desk.after(hours=30), **go_on[1])
    resolution = desk.clocks(ticket_id)["resolution"]
    assert resolution["due_at"] == desk.after(hours=48 + 20)
    assert resolution["next_alarm_at"] == desk.after(hours=24 + 20)


def test_a_revised_plan_goes_on_resting(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.PLAN_PROPOSED)

    desk.give(
        ticket_id, C.PROPOSE_PLAN, at=desk.after(hours=5), kind="repair", steps=["s"], deadline_at=desk.after(days=3)
    )
    desk.give(ticket_id, C.AGREE_PLAN, at=desk.after(hours=9), agreed_by_phone_with="w")

    assert desk.clocks(ticket_id)["resolution"]["due_at"] == desk.after(hours=48 + 9)


class TestAPriorityThatChanges:
    def test_recomputes_both_deadlines_from_the_opening(self, desk: Desk) -> None:
        ticket_id = desk.open()

        desk.give(ticket_id, C.CHANGE_PRIORITY, at=desk.after(hours=1), impact="core_use_lost", reason="r")

        clocks = desk.clocks(ticket_id)
        assert clocks["response"]["due_at"] == desk.after(hours=2)
        assert clocks["resolution"]["due_at"] == desk.after(hours=24)
        assert clocks["response"]["target"] == timedelta(hours=2)

    def test_keeps_the_pauses_in_the_new_deadline(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.WAITING_CUSTOMER)
        desk.give(ticket_id, C.RECORD_REPLY, at=desk.after(hours=3), reply="r")

        desk.give(ticket_id, C.CHANGE_PRIORITY, at=desk.after(hours=4), impact="core_use_lost", reason="r")

        assert desk.clocks(ticket_id)["resolution"]["due_at"] == desk.after(hours=24 + 3)

    def test_leaves_a_stopped_clock_with_the_promise_it_was_judged_by(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.DIAGNOSING)

        desk.give(ticket_id, C.CHANGE_PRIORITY, at=desk.after(hours=3), impact="core_use_lost", reason="r")

        response = desk.clocks(ticket_id)["response"]
        assert (response["target"], response["due_at"]) == (timedelta(hours=4), desk.after(hours=4))

    def test_to_less_urgent_moves_both_back(self, desk: Desk) -> None:
        ticket_id = desk.open(impact=Impact.CORE_USE_LOST)

        desk.give(ticket_id, C.CHANGE_PRIORITY, impact="minor", reason="r")

        assert desk.clocks(ticket_id)["resolution"]["due_at"] == desk.after(hours=72)

    def test_to_one_that_is_past_is_late_at_once_by_the_next_sweep(self, desk: Desk) -> None:
        ticket_id = desk.open()
        desk.give(ticket_id, C.CHANGE_PRIORITY, at=desk.after(hours=3), impact="core_use_lost", reason="r")

        raised = alarms.raise_due(desk.connection, standard=desk.standard, now=desk.after(hours=3))

        breaches = [(alarm.clock, alarm.due_at) for alarm in raised if alarm.kind == "sla_breached"]
        assert ("response", desk.after(hours=2)) in breaches
        assert desk.clocks(ticket_id)["response"]["breached_at"] == desk.after(hours=2)


class TestAnotherRound:
    def test_begins_with_the_reopening(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.CLOSED)
        before = len(desk.told(ticket_id))

        applied = desk.give(
            ticket_id, C.REOPEN, desk.customer_of(ticket_id), at=desk.after(days=3), reason="warm again"
        )

        ticket, clocks = desk.ticket(ticket_id), desk.clocks(ticket_id)
        assert (ticket["state"], ticket["round"], ticket["closed_at"], ticket["completed_at"]) == (
            "assigned",
            2,
            None,
            None,
        )
        assert applied.facts == {"round": 2}
        assert set(clocks) == {"response", "resolution"}
        assert clocks["response"]["due_at"] == desk.after(days=3, hours=4)
        assert clocks["resolution"]["due_at"] == desk.after(days=5)
        assert [kind for kind, _ in desk.told(ticket_id, since=before)] == [
            "ticket_reopened",
            "staff_customer_answered",
        ]

    def test_leaves_the_first_round_as_it_was(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.CLOSED)
        first = select(SlaClock.__table__).where(SlaClock.ticket_id == ticket_id, SlaClock.round == 1)
        before = desk.connection.execute(first.order_by(SlaClock.id)).all()

        desk.give(ticket_id, C.REOPEN, at=desk.after(days=3), reason="warm again")
        desk.give(ticket_id, C.FIRST_CONTACT, at=desk.after(days=3), summary="called")

        assert desk.connection.execute(first.order_by(SlaClock.id)).all() == before
        assert desk.clocks(ticket_id)["response"]["stopped_at"] == desk.after(days=3)

    def test_is_refused_a_month_later_and_says_what_to_do(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.CLOSED)
        desk.give(ticket_id, C.REOPEN, at=desk.after(days=30), reason="just in time")
        other = desk.bring_to(S.CLOSED)

        with pytest.raises(IllegalTransitionError, match="report the problem anew"):
            desk.give(other, C.REOPEN, at=desk.after(days=30, seconds=1), reason="too late")

        assert desk.ticket(other)["round"] == 1


class TestABreachThatNoSweepSaw:
    def test_is_recorded_when_the_work_is_completed(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.IN_WORK)

        desk.give(ticket_id, C.COMPLETE, at=desk.after(hours=50), summary="s", tested=True)

        assert desk.clocks(ticket_id)["resolution"]["breached_at"] == desk.after(hours=48)
        breach = desk.last_event(ticket_id)
        assert (breach["kind"], breach["actor_role"], breach["facts"]["clock"]) == (
            "sla_breached",
            "system",
            "resolution",
        )
        assert "staff_sla_breach" in [kind for kind, _ in desk.told(ticket_id)]

    def test_is_recorded_when_the_customer_is_contacted_too_late(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.ASSIGNED)

        desk.give(ticket_id, C.FIRST_CONTACT, at=desk.after(hours=4, minutes=1), summary="called")

        assert desk.clocks(ticket_id)["response"]["breached_at"] == desk.after(hours=4)

    def test_is_recorded_when_the_clock_only_pauses(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.DIAGNOSING)

        desk.give(ticket_id, C.ASK_CUSTOMER, at=desk.after(hours=49), question="q")

        assert desk.clocks(ticket_id)["resolution"]["breached_at"] == desk.after(hours=48)

    def test_is_not_found_a_second_time_by_the_sweep(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.IN_WORK)
        desk.give(ticket_id, C.COMPLETE, at=desk.after(hours=50), summary="s", tested=True)

        raised = alarms.raise_due(desk.connection, standard=desk.standard, now=desk.after(hours=51))

        assert [alarm for alarm in raised if alarm.ticket_number == desk.ticket(ticket_id)["number"]] == []
        assert desk.kinds(ticket_id).count("sla_breached") == 1

    def test_is_none_when_the_work_was_completed_in_time(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.IN_WORK)

        desk.give(ticket_id, C.COMPLETE, at=desk.after(hours=47, minutes=59), summary="s", tested=True)

        assert desk.clocks(ticket_id)["resolution"]["breached_at"] is None
        assert "sla_breached" not in desk.kinds(ticket_id)

    def test_leaves_a_history_that_replays(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.IN_WORK)
        desk.give(ticket_id, C.COMPLETE, at=desk.after(hours=90), summary="s", tested=True)

        assert list(events.find_flaws(desk.connection)) == []


def test_work_that_was_not_fixed_takes_up_the_clock_where_it_stopped(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)
    desk.give(ticket_id, C.COMPLETE, at=desk.after(hours=10), summary="s", tested=True)

    desk.give(ticket_id, C.REPORT_NOT_FIXED, at=desk.after(hours=40), reason="r")

    resolution = desk.clocks(ticket_id)["resolution"]
    assert (resolution["stopped_at"], resolution["due_at"]) == (None, desk.after(hours=48 + 30))
