"""What operations decide by hand: done with the reason in the history, or refused with nothing changed."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from db import events, interventions
from db.models import Message, PendingEvent, SlaClock, Staff
from domain.exceptions import DomainError, IllegalTransitionError, NotFoundError
from domain.interventions import INTERVENTION, MessageStep, TicketStep
from domain.lifecycle import TicketState
from tests.desk import Desk

S = TicketState
REASON = "on leave until Monday"


def advance(desk: Desk, ticket_id: int, step: TicketStep, to_staff: int | None = None) -> str:
    return interventions.advance(
        desk.connection, ticket_id, step, reason=REASON, to_staff=to_staff, standard=desk.standard, now=desk.now
    )


def last_event(desk: Desk, ticket_id: int) -> dict[str, object]:
    return events.list_of(desk.connection, ticket_id)[-1]


def assigned(desk: Desk) -> int:
    return desk.bring_to(S.ASSIGNED)


class TestATicket:
    def test_is_given_to_somebody_else_and_the_history_says_why(self, desk: Desk) -> None:
        ticket_id = assigned(desk)
        before = desk.ticket(ticket_id)["assignee_id"]

        done = advance(desk, ticket_id, TicketStep.ASSIGN)

        assert done == "assign: assigned"
        assert desk.ticket(ticket_id)["assignee_id"] not in (None, before)
        event = last_event(desk, ticket_id)
        assert (event["kind"], event["facts"]) == (INTERVENTION, {"did": "assign", "reason": REASON})
        assert list(events.find_flaws(desk.connection)) == []

    def test_is_given_to_whom_operations_name(self, desk: Desk) -> None:
        ticket_id = assigned(desk)

        advance(desk, ticket_id, TicketStep.ASSIGN, to_staff=desk.clerk.id)

        assert desk.ticket(ticket_id)["assignee_id"] == desk.clerk.id

    def test_climbs_to_the_next_tier(self, desk: Desk) -> None:
        ticket_id = assigned(desk)

        advance(desk, ticket_id, TicketStep.CLIMB_TIER)

        assert desk.ticket(ticket_id)["tier"] == 2

    def test_that_is_completed_is_closed_without_waiting(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.COMPLETED)

        advance(desk, ticket_id, TicketStep.CLOSE)

        assert desk.ticket(ticket_id)["state"] == S.CLOSED

    def test_that_waits_for_somebody_to_be_there_is_tried_at_once(self, desk: Desk) -> None:
        workers = Staff.role.in_(["engineer", "agent"])
        desk.connection.execute(update(Staff).where(workers).values(is_active=False))
        ticket_id = desk.open()
        desk.follow_up(ticket_id)
        desk.connection.execute(update(Staff).where(workers).values(is_active=True))
        assert desk.follow_up(ticket_id) == []

        assert advance(desk, ticket_id, TicketStep.FOLLOW_UP) == "1 follow-ups are due now"

        assert [step.done for step in desk.follow_up(ticket_id)] == [("assign",)]
        assert desk.connection.execute(select(PendingEvent).where(PendingEvent.ticket_id == ticket_id)).all() == []

    def test_whose_alarm_was_lost_gets_it_back(self, desk: Desk) -> None:
        ticket_id = assigned(desk)
        wanted = {kind: row["next_alarm_at"] for kind, row in desk.clocks(ticket_id).items()}
        damaged = update(SlaClock).where(SlaClock.ticket_id == ticket_id, SlaClock.kind == "response")
        desk.connection.execute(damaged.values(next_alarm_at=None, due_at=None))

        assert advance(desk, ticket_id, TicketStep.REPAIR) == "history is sound, 1 of 3 clocks mended"

        assert {kind: row["next_alarm_at"] for kind, row in desk.clocks(ticket_id).items()} == wanted

    @pytest.mark.parametrize(("state", "step"), [(S.ASSIGNED, TicketStep.CLOSE), (S.COMPLETED, TicketStep.ASSIGN)])
    def test_is_left_alone_when_the_step_is_impossible(self, desk: Desk, state: TicketState, step: TicketStep) -> None:
        ticket_id = desk.bring_to(state)
        before = events.list_of(desk.connection, ticket_id)

        with pytest.raises(IllegalTransitionError, match="is not possible while"):
            advance(desk, ticket_id, step)

        assert events.list_of(desk.connection, ticket_id) == before

    def test_is_not_given_to_nobody(self, desk: Desk) -> None:
        with pytest.raises(NotFoundError, match="no active member of staff has the id 999999"):
            advance(desk, assigned(desk), TicketStep.ASSIGN, to_staff=999_999)

    def test_with_a_broken_history_is_not_repaired_over_it(self, desk: Desk) -> None:
        ticket_id = assigned(desk)
        row = dict(desk.ticket(ticket_id)) | {"event_count": 99}

        assert events.flaw_of(desk.connection, row) == "has 3 events, its row says 99"

        desk.connection.exec_driver_sql(f"UPDATE tickets SET event_count = 99 WHERE id = {ticket_id}")
        with pytest.raises(DomainError, match="its history is evidence now"):
            advance(desk, ticket_id, TicketStep.REPAIR)


class TestWhoeverLeaves:
    def test_hands_over_what_is_open_and_keeps_what_is_done(self, desk: Desk) -> None:
        working, done = assigned(desk), desk.bring_to(S.COMPLETED)
        person = desk.ticket(working)["assignee_id"]
        assert desk.ticket(done)["assignee_id"] == person

        def hand_over(ticket_id: int) -> bool:
            return interventions.hand_over(
                desk.connection, ticket_id, person, reason=REASON, to_staff=None, standard=desk.standard, now=desk.now
            )

        held = [ticket_id for ticket_id, _ in interventions.open_tickets_of(desk.connection, person)]
        assert {ticket_id: hand_over(ticket_id) for ticket_id in held} == {working: True, done: False}
        assert not hand_over(working)
        assert "ticket_transferred" in [kind for kind, _ in desk.told(working)]


class TestAMessage:
    def _newest(self, desk: Desk, ticket_id: int) -> int:
        query = select(Message.id).where(Message.ticket_id == ticket_id).order_by(Message.id.desc()).limit(1)
        return int(desk.connection.execute(query).scalar_one())

    def _decide(self, desk: Desk, message_id: int, step: MessageStep) -> None:
        interventions.decide_message(desk.connection, message_id, step, reason=REASON, now=desk.now)

    def test_that_waits_is_taken_back_and_may_be_sent_after_all(self, desk: Desk) -> None:
        ticket_id = assigned(desk)
        message_id = self._newest(desk, ticket_id)

        self._decide(desk, message_id, MessageStep.CANCEL)

        state = select(Message.state, Message.error_code).where(Message.id == message_id)
        assert tuple(desk.connection.execute(state).one()) == ("withheld", "cancelled")
        facts = {"did": "cancel", "reason": REASON, "message_id": message_id}
        assert last_event(desk, ticket_id)["facts"] == facts

        self._decide(desk, message_id, MessageStep.RESEND)

        assert tuple(desk.connection.execute(state).one()) == ("queued", None)

    def test_is_refused_what_does_not_fit_it(self, desk: Desk) -> None:
        ticket_id = assigned(desk)
        message_id = self._newest(desk, ticket_id)
        count = len(events.list_of(desk.connection, ticket_id))

        with pytest.raises(IllegalTransitionError, match="only what is over"):
            self._decide(desk, message_id, MessageStep.RESEND)

        assert len(events.list_of(desk.connection, ticket_id)) == count
