"""What a ticket refuses, what a repeated command does, and that a failed one leaves nothing behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest

from db import commands, intake
from db.session import engine, transaction
from domain.commands import build_command
from domain.exceptions import (
    DomainError,
    IdempotencyKeyReusedError,
    IllegalTransitionError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
)
from domain.intake import CustomerDetails, Report
from domain.lifecycle import COMMANDS, CommandName, TicketState
from domain.people import SYSTEM, Actor, Role
from domain.standard import Standard
from domain.tickets import Channel
from tests.conftest import read_cast
from tests.desk import Desk, snapshot

C = CommandName
S = TicketState


VALUES: dict[CommandName, dict[str, object]] = {
    C.ACKNOWLEDGE: {},
    C.ASSIGN: {"assignee_id": 1, "reason": "r"},
    C.ESCALATE_TIER: {"assignee_id": 1, "reason": "r"},
    C.FIRST_CONTACT: {"summary": "s"},
    C.CHANGE_CATEGORY: {"category": "complaint", "reason": "r"},
    C.CHANGE_PRIORITY: {"impact": "minor", "reason": "r"},
    C.ASK_CUSTOMER: {"question": "q"},
    C.RECORD_REPLY: {"reply": "r"},
    C.PROPOSE_PLAN: {"kind": "repair", "steps": ["s"], "deadline_at": "2030-01-01T00:00:00Z"},
    C.AGREE_PLAN: {"agreed_by_phone_with": "w"},
    C.OBJECT_TO_PLAN: {"reason": "r"},
    C.LOG_STEP: {"step": "s"},
    C.REPORT_DELAY: {"reason": "r", "expected_at": "2030-01-01T00:00:00Z", "contingency": "c"},
    C.REQUEST_SUPPORT: {"department": "parts_supply", "request": "r"},
    C.ADD_NOTE: {"note": "n"},
    C.REPORT_AGAIN: {"description": "d"},
    C.COMPLETE: {"summary": "s", "tested": True},
    C.REPORT_NOT_FIXED: {"reason": "r"},
    C.CONFIRM_COMPLETION: {"signed_by": "s"},
    C.CLOSE: {},
    C.REOPEN: {"reason": "r"},
    C.CANCEL: {"reason": "r"},
}


@pytest.mark.parametrize("state", TicketState)
def test_a_state_refuses_every_command_that_its_table_does_not_list_and_nothing_is_written(
    desk: Desk, state: TicketState
) -> None:
    ticket_id = desk.bring_to(state)
    before = snapshot(desk.connection)

    for name, traits in COMMANDS.items():
        if state in traits.sources:
            continue
        actor = next(a for a in (desk.clerk, SYSTEM) if a.role in traits.by)
        with pytest.raises(IllegalTransitionError, match=f"'{name.value}' is not possible while the ticket is"):
            desk.give(ticket_id, name, actor, **VALUES[name])

    assert snapshot(desk.connection) == before


def test_every_command_is_refused_to_the_roles_that_may_not_give_it(desk: Desk) -> None:
    for name, traits in COMMANDS.items():
        ticket_id = desk.bring_to(min(traits.sources))
        before = snapshot(desk.connection)

        for role in set(Role) - traits.by:
            with pytest.raises(NotPermittedError, match="it is for: "):
                desk.give(ticket_id, name, Actor(role, 1), **VALUES[name])

        assert snapshot(desk.connection) == before


def test_an_unknown_ticket_is_said_by_its_number(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="TK-99999999"):
        desk.give(99_999_999, C.ADD_NOTE, note="n")


class TestIdempotency:
    def test_a_repeated_command_acts_once_and_answers_the_same(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.IN_WORK)
        first = desk.give(ticket_id, C.COMPLETE, summary="s", tested=True, key="done-1")
        before = snapshot(desk.connection)

        again = desk.give(ticket_id, C.COMPLETE, summary="s", tested=True, key="done-1", at=desk.after(hours=1))

        assert again.was_repeated
        assert (again.event_id, again.state, again.facts) == (first.event_id, S.COMPLETED, {"completion_no": 1})
        assert snapshot(desk.connection) == before

    def test_the_repetition_answers_the_state_of_that_time_though_the_ticket_moved_on(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.IN_WORK)
        desk.give(ticket_id, C.COMPLETE, summary="s", tested=True, key="done-2")
        desk.give(ticket_id, C.CONFIRM_COMPLETION, signed_by="w")

        again = desk.give(ticket_id, C.COMPLETE, summary="s", tested=True, key="done-2")

        assert (again.was_repeated, again.state) == (True, S.COMPLETED)

    @pytest.mark.parametrize(
        ("name", "values"),
        [(C.ADD_NOTE, {"note": "another"}), (C.LOG_STEP, {"step": "one"})],
    )
    def test_a_key_is_not_used_for_another_command(self, desk: Desk, name: CommandName, values: dict[str, str]) -> None:
        ticket_id = desk.bring_to(S.IN_WORK)
        desk.give(ticket_id, C.ADD_NOTE, note="one", key="note-1")

        with pytest.raises(IdempotencyKeyReusedError, match="note-1"):
            desk.give(ticket_id, name, key="note-1", **values)

    def test_a_key_is_not_used_for_another_ticket(self, desk: Desk) -> None:
        desk.give(desk.open(), C.ADD_NOTE, note="one", key="note-2")

        with pytest.raises(IdempotencyKeyReusedError):
            desk.give(desk.open(), C.ADD_NOTE, note="one", key="note-2")

    def test_ten_at_once_with_one_key_act_once(self, database: str, standard: Standard, now: datetime) -> None:
        ticket_id = _opened(database, standard, now)
        ready = Barrier(10)

        def note(_: int) -> bool:
            ready.wait()
            with transaction(database) as connection:
                command = build_command(C.ADD_NOTE, {"note": "once"})
                return commands.apply_command(
                    connection, ticket_id, command, SYSTEM, standard=standard, now=now, idempotency_key="same"
                ).was_repeated

        with ThreadPoolExecutor(10) as threads:
            repeated = list(threads.map(note, range(10)))

        assert sorted(repeated) == [False] + [True] * 9


class TestAFailedCommand:
    FAILING = (
        (S.PLAN_PROPOSED, C.AGREE_PLAN, {}, InvalidInputError),
        (S.PLAN_PROPOSED, C.AGREE_PLAN, {"agreed_by_phone_with": "w", "option": 3}, InvalidInputError),
        (S.DIAGNOSING, C.COMPLETE, {"summary": "s", "tested": True}, IllegalTransitionError),
        (
            S.DIAGNOSING,
            C.PROPOSE_PLAN,
            VALUES[C.PROPOSE_PLAN] | {"deadline_at": "2020-01-01T00:00Z"},
            InvalidInputError,
        ),
        (S.IN_WORK, C.REPORT_DELAY, VALUES[C.REPORT_DELAY] | {"expected_at": "2020-01-01T00:00Z"}, InvalidInputError),
        (S.ASSIGNED, C.ASSIGN, {"assignee_id": 987654, "reason": "r"}, NotFoundError),
        (S.ASSIGNED, C.ESCALATE_TIER, {"assignee_id": 987654, "reason": "r"}, NotFoundError),
    )

    @pytest.mark.parametrize(("state", "name", "values", "error"), FAILING)
    def test_leaves_nothing_half_written_even_when_the_caller_commits(
        self, desk: Desk, state: TicketState, name: CommandName, values: dict[str, object], error: type[DomainError]
    ) -> None:
        ticket_id = desk.bring_to(state)
        before = snapshot(desk.connection)

        with pytest.raises(error):
            desk.give(ticket_id, name, **values)

        assert snapshot(desk.connection) == before

    def test_leaves_nothing_when_the_process_fails_after_it(
        self, database: str, standard: Standard, now: datetime
    ) -> None:
        ticket_id = _opened(database, standard, now)
        with engine(database).connect() as connection:
            before = snapshot(connection)

        def change_and_fail() -> None:
            with transaction(database) as connection:
                clerk = read_cast(connection).agent
                command = build_command(C.CHANGE_PRIORITY, {"impact": "core_use_lost", "reason": "r"})
                commands.apply_command(connection, ticket_id, command, clerk, standard=standard, now=now)
                raise RuntimeError("killed before the commit")

        with pytest.raises(RuntimeError):
            change_and_fail()

        with engine(database).connect() as connection:
            assert snapshot(connection) == before


def test_two_answers_to_one_plan_at_once_are_taken_once(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        cast = read_cast(connection)
        desk = Desk(connection, standard, now, cast.supervisor)
        ticket_id = desk.bring_to(S.PLAN_PROPOSED)
        customer = desk.customer_of(ticket_id)
    ready = Barrier(2)

    def answer(name: CommandName) -> str:
        ready.wait()
        try:
            with transaction(database) as connection:
                values = {"reason": "no"} if name is C.OBJECT_TO_PLAN else {}
                command = build_command(name, values)
                commands.apply_command(connection, ticket_id, command, customer, standard=standard, now=now)
        except IllegalTransitionError:
            return "refused"
        return "taken"

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(answer, (C.AGREE_PLAN, C.OBJECT_TO_PLAN)))

    assert sorted(answers) == ["refused", "taken"]


def _opened(database: str, standard: Standard, now: datetime) -> int:
    with transaction(database) as connection:
        details = CustomerDetails(name="王丽", phone="13800138000")
        customer_id = intake.find_or_add_customer(connection, details, standard=standard, now=now)
        report = Report(channel=Channel.HOTLINE, description="空调不制冷")
        return intake.open_ticket(connection, customer_id, report, SYSTEM, standard=standard, now=now).ticket_id
