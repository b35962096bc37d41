"""What is recorded beside a command: who takes a ticket, who answers for a plan, when it was agreed, which parts."""

from __future__ import annotations

import pytest

from db import tickets
from domain.exceptions import InvalidInputError, NotPermittedError
from domain.lifecycle import CommandName, TicketState
from tests.conftest import Cast
from tests.desk import Desk, snapshot

C = CommandName
S = TicketState


class TestWhoGivesATicket:
    def test_an_engineer_takes_a_ticket_that_nobody_has(self, desk: Desk, cast: Cast) -> None:
        ticket_id = desk.bring_to(S.ACKNOWLEDGED)

        desk.give(ticket_id, C.ASSIGN, cast.engineer, assignee_id=cast.engineer.id, reason="I take it")

        assert desk.ticket(ticket_id)["assignee_id"] == cast.engineer.id

    def test_an_agent_hands_on_their_own_and_the_customer_is_told_who_takes_over(self, desk: Desk, cast: Cast) -> None:
        ticket_id = desk.bring_to(S.ACKNOWLEDGED)
        desk.give(ticket_id, C.ASSIGN, cast.agent, assignee_id=cast.agent.id, reason="mine")

        desk.give(ticket_id, C.ASSIGN, cast.agent, assignee_id=cast.engineer.id, reason="needs a visit")

        assert desk.ticket(ticket_id)["assignee_id"] == cast.engineer.id
        assert ("ticket_transferred", desk.customer_name(ticket_id)) in desk.told(ticket_id)

    def test_nobody_takes_a_colleagues_ticket_or_gives_a_free_one_away(self, desk: Desk, cast: Cast) -> None:
        held, free = desk.bring_to(S.ASSIGNED), desk.bring_to(S.ACKNOWLEDGED)
        holder = desk.ticket(held)["assignee_id"]
        other = cast.agent if holder != cast.agent.id else cast.engineer
        before = snapshot(desk.connection)

        for ticket_id, to in ((held, other.id), (free, cast.senior.id)):
            with pytest.raises(NotPermittedError, match="only a supervisor or manager"):
                desk.give(ticket_id, C.ASSIGN, other, assignee_id=to, reason="r")

        assert snapshot(desk.connection) == before


class TestThePlan:
    def test_somebody_else_may_answer_for_it(self, desk: Desk, cast: Cast) -> None:
        ticket_id = desk.bring_to(S.DIAGNOSING)
        values = {"kind": "repair", "steps": ["s"], "deadline_at": desk.after(days=2)}

        desk.give(ticket_id, C.PROPOSE_PLAN, cast.agent, **values, owner_id=cast.senior.id)
        desk.give(ticket_id, C.PROPOSE_PLAN, cast.agent, **values)

        owners = [plan["owner_id"] for plan in tickets.plans_of(desk.connection, ticket_id)]
        assert owners == [cast.senior.id, cast.agent.id]

    def test_nobody_unknown_answers_for_it(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.DIAGNOSING)
        before = snapshot(desk.connection)

        with pytest.raises(InvalidInputError) as refusal:
            desk.give(
                ticket_id, C.PROPOSE_PLAN, kind="repair", steps=["s"], deadline_at=desk.after(days=2), owner_id=99999
            )

        assert refusal.value.field == "owner_id"
        assert snapshot(desk.connection) == before

    def test_it_was_agreed_when_the_customer_said_so(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.PLAN_PROPOSED)
        then = desk.after(minutes=-20)

        desk.give(ticket_id, C.AGREE_PLAN, agreed_by_phone_with="Wang", agreed_at=then)

        assert tickets.plans_of(desk.connection, ticket_id)[0]["answered_at"] == then

    def test_nobody_agrees_in_time_to_come(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.PLAN_PROPOSED)

        with pytest.raises(InvalidInputError, match="agreed_at: lies ahead"):
            desk.give(ticket_id, C.AGREE_PLAN, agreed_by_phone_with="Wang", agreed_at=desk.after(minutes=1))


def test_a_part_is_not_expected_in_the_past(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)
    part = {"name": "fan motor", "use": "awaited", "expected_at": desk.after(hours=-1)}

    with pytest.raises(InvalidInputError) as refusal:
        desk.give(ticket_id, C.LOG_STEP, step="ordered", parts=[{"name": "screw"}, part])

    assert refusal.value.field == "parts.1.expected_at"
