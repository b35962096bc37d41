"""This file checks the life of a ticket: no dead ends, everybody's rights, and a record that can be replayed."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.exceptions import IllegalTransitionError, NotPermittedError
from domain.lifecycle import (
    COMMANDS,
    STATES,
    CommandName,
    TicketState,
    next_state,
    replay,
    require_permission,
)
from domain.messages import MESSAGES, Audience
from domain.people import SYSTEM, Actor, Role

S, C = TicketState, CommandName
OVER = {state for state, traits in STATES.items() if traits.is_over}
History = list[tuple[CommandName, TicketState]]


def possible(state: TicketState) -> set[CommandName]:
    return {command for command, traits in COMMANDS.items() if state in traits.sources}


def destinations(state: TicketState) -> set[TicketState]:
    """Every state that one command leads to; a reply may lead to either state from which one asks."""
    return {
        next_state(state, command, resume_state=resume)
        for command in possible(state)
        for resume in (S.DIAGNOSING, S.IN_WORK)
    }


def reachable(start: TicketState) -> set[TicketState]:
    seen, todo = {start}, [start]
    while todo:
        for state in destinations(todo.pop()) - seen:
            seen.add(state)
            todo.append(state)
    return seen


class TestTables:
    def test_every_state_has_traits(self) -> None:
        assert set(STATES) == set(TicketState)

    def test_every_command_has_traits(self) -> None:
        assert set(COMMANDS) == set(CommandName)

    def test_every_state_is_reached_from_new(self) -> None:
        assert reachable(S.NEW) == set(TicketState)

    @pytest.mark.parametrize("state", [s for s in TicketState if s not in OVER])
    def test_every_open_state_can_still_be_closed(self, state: TicketState) -> None:
        assert S.CLOSED in reachable(state)
        assert destinations(state) - {state}

    def test_a_ticket_is_over_when_closed_or_cancelled_only(self) -> None:
        assert {S.CLOSED, S.CANCELLED} == OVER

    def test_a_closed_ticket_takes_a_note_or_is_reopened(self) -> None:
        assert possible(S.CLOSED) == {C.ADD_NOTE, C.REOPEN}

    def test_a_cancelled_ticket_takes_a_note_only(self) -> None:
        assert possible(S.CANCELLED) == {C.ADD_NOTE}

    @pytest.mark.parametrize("command", list(CommandName))
    def test_every_command_is_possible_somewhere_and_permitted_to_somebody(self, command: CommandName) -> None:
        assert COMMANDS[command].sources
        assert COMMANDS[command].by

    @pytest.mark.parametrize("command", list(CommandName))
    def test_a_command_tells_the_customer_in_customers_words_and_staff_in_theirs(self, command: CommandName) -> None:
        traits = COMMANDS[command]

        assert traits.tells_customer is None or MESSAGES[traits.tells_customer].audience is Audience.CUSTOMER
        assert traits.tells_assignee is None or MESSAGES[traits.tells_assignee].audience is Audience.STAFF

    def test_the_clock_runs_while_the_company_is_awaited_and_only_then(self) -> None:
        running = {state for state, traits in STATES.items() if traits.clock_runs}

        assert running == {S.NEW, S.ACKNOWLEDGED, S.ASSIGNED, S.DIAGNOSING, S.IN_WORK}

    def test_nobody_has_a_ticket_before_it_is_assigned_or_after_it_is_cancelled(self) -> None:
        assert {state for state, traits in STATES.items() if not traits.has_assignee} == {
            S.NEW,
            S.ACKNOWLEDGED,
            S.CANCELLED,
        }


class TestNextState:
    @pytest.mark.parametrize(
        ("state", "command", "leads_to"),
        [
            (S.NEW, C.ACKNOWLEDGE, S.ACKNOWLEDGED),
            (S.ACKNOWLEDGED, C.ASSIGN, S.ASSIGNED),
            (S.ASSIGNED, C.ASSIGN, S.ASSIGNED),
            (S.DIAGNOSING, C.ASSIGN, S.DIAGNOSING),
            (S.WAITING_CUSTOMER, C.ASSIGN, S.WAITING_CUSTOMER),
            (S.IN_WORK, C.ESCALATE_TIER, S.IN_WORK),
            (S.ASSIGNED, C.FIRST_CONTACT, S.DIAGNOSING),
            (S.DIAGNOSING, C.ASK_CUSTOMER, S.WAITING_CUSTOMER),
            (S.IN_WORK, C.ASK_CUSTOMER, S.WAITING_CUSTOMER),
            (S.DIAGNOSING, C.PROPOSE_PLAN, S.PLAN_PROPOSED),
            (S.PLAN_PROPOSED, C.PROPOSE_PLAN, S.PLAN_PROPOSED),
            (S.IN_WORK, C.PROPOSE_PLAN, S.PLAN_PROPOSED),
            (S.PLAN_PROPOSED, C.AGREE_PLAN, S.IN_WORK),
            (S.PLAN_PROPOSED, C.OBJECT_TO_PLAN, S.DIAGNOSING),
            (S.IN_WORK, C.LOG_STEP, S.IN_WORK),
            (S.ASSIGNED, C.REPORT_DELAY, S.ASSIGNED),
            (S.IN_WORK, C.REQUEST_SUPPORT, S.IN_WORK),
            (S.IN_WORK, C.COMPLETE, S.COMPLETED),
            (S.DIAGNOSING, C.COMPLETE, S.COMPLETED),
            (S.COMPLETED, C.REPORT_NOT_FIXED, S.IN_WORK),
            (S.COMPLETED, C.CONFIRM_COMPLETION, S.CLOSED),
            (S.COMPLETED, C.CLOSE, S.CLOSED),
            (S.CLOSED, C.REOPEN, S.ASSIGNED),
            (S.NEW, C.CANCEL, S.CANCELLED),
            (S.IN_WORK, C.CANCEL, S.CANCELLED),
            (S.CLOSED, C.ADD_NOTE, S.CLOSED),
            (S.NEW, C.CHANGE_PRIORITY, S.NEW),
            (S.COMPLETED, C.REPORT_AGAIN, S.COMPLETED),
        ],
    )
    def test_a_command_leads_where_the_standard_says(
        self, state: TicketState, command: CommandName, leads_to: TicketState
    ) -> None:
        assert next_state(state, command) is leads_to

    @pytest.mark.parametrize(
        ("state", "command"),
        [
            (S.NEW, C.ASSIGN),
            (S.ACKNOWLEDGED, C.ACKNOWLEDGE),
            (S.ACKNOWLEDGED, C.FIRST_CONTACT),
            (S.ASSIGNED, C.COMPLETE),
            (S.ASSIGNED, C.PROPOSE_PLAN),
            (S.PLAN_PROPOSED, C.COMPLETE),
            (S.PLAN_PROPOSED, C.LOG_STEP),
            (S.WAITING_CUSTOMER, C.ASK_CUSTOMER),
            (S.IN_WORK, C.AGREE_PLAN),
            (S.IN_WORK, C.CLOSE),
            (S.COMPLETED, C.CANCEL),
            (S.COMPLETED, C.ASSIGN),
            (S.CLOSED, C.CHANGE_PRIORITY),
            (S.CANCELLED, C.REOPEN),
        ],
    )
    def test_a_command_out_of_its_place_is_refused(self, state: TicketState, command: CommandName) -> None:
        with pytest.raises(IllegalTransitionError):
            next_state(state, command)

    @pytest.mark.parametrize("before", [S.DIAGNOSING, S.IN_WORK])
    def test_a_reply_leads_back_to_the_state_before_the_question(self, before: TicketState) -> None:
        assert next_state(S.WAITING_CUSTOMER, C.RECORD_REPLY, resume_state=before) is before

    def test_a_reply_leads_to_diagnosis_when_nothing_else_is_known(self) -> None:
        assert next_state(S.WAITING_CUSTOMER, C.RECORD_REPLY) is S.DIAGNOSING

    @pytest.mark.parametrize("command", [c for c in CommandName if c is not C.RECORD_REPLY])
    def test_the_state_before_a_question_matters_to_no_other_command(self, command: CommandName) -> None:
        for state in COMMANDS[command].sources:
            assert next_state(state, command, resume_state=S.IN_WORK) is next_state(state, command)

    def test_the_refusal_names_the_command_the_state_and_what_is_possible(self) -> None:
        with pytest.raises(IllegalTransitionError) as refusal:
            next_state(S.CLOSED, C.COMPLETE)

        assert (
            str(refusal.value)
            == "'complete' is not possible while the ticket is 'closed'; possible now: add_note, reopen"
        )

    @given(state=st.sampled_from(TicketState), command=st.sampled_from(CommandName))
    def test_a_refusal_lists_exactly_the_commands_that_would_have_worked(
        self, state: TicketState, command: CommandName
    ) -> None:
        assume(command not in possible(state))

        with pytest.raises(IllegalTransitionError) as refusal:
            next_state(state, command)

        listed = str(refusal.value).partition("possible now: ")[2].split(", ")
        assert sorted(listed) == sorted(c.value for c in possible(state))


class TestPermission:
    @pytest.mark.parametrize(
        ("role", "command"),
        [
            (Role.CUSTOMER, C.AGREE_PLAN),
            (Role.CUSTOMER, C.OBJECT_TO_PLAN),
            (Role.CUSTOMER, C.CONFIRM_COMPLETION),
            (Role.CUSTOMER, C.REOPEN),
            (Role.CUSTOMER, C.CANCEL),
            (Role.AGENT, C.COMPLETE),
            (Role.ENGINEER, C.PROPOSE_PLAN),
            (Role.SUPERVISOR, C.ASSIGN),
            (Role.MANAGER, C.ESCALATE_TIER),
            (Role.QUALITY_INSPECTOR, C.ADD_NOTE),
            (Role.ADMINISTRATOR, C.ADD_NOTE),
        ],
    )
    def test_a_role_may_do_its_work(self, role: Role, command: CommandName) -> None:
        require_permission(Actor(role, 7), command)

    @pytest.mark.parametrize(
        ("role", "command"),
        [
            (Role.CUSTOMER, C.ASSIGN),
            (Role.CUSTOMER, C.COMPLETE),
            (Role.CUSTOMER, C.CHANGE_PRIORITY),
            (Role.CUSTOMER, C.PROPOSE_PLAN),
            (Role.AGENT, C.ESCALATE_TIER),
            (Role.ENGINEER, C.ESCALATE_TIER),
            (Role.MANAGER, C.CLOSE),
            (Role.QUALITY_INSPECTOR, C.COMPLETE),
            (Role.ADMINISTRATOR, C.CANCEL),
        ],
    )
    def test_a_role_may_not_do_the_work_of_others(self, role: Role, command: CommandName) -> None:
        with pytest.raises(NotPermittedError):
            require_permission(Actor(role, 7), command)

    def test_the_system_does_what_the_standard_asks_of_it_and_nothing_else(self) -> None:
        permitted = {command for command, traits in COMMANDS.items() if Role.SYSTEM in traits.by}

        assert permitted == {C.ACKNOWLEDGE, C.ASSIGN, C.ESCALATE_TIER, C.CHANGE_PRIORITY, C.CLOSE, C.ADD_NOTE}

    def test_inspectors_and_administrators_only_take_notes(self) -> None:
        for role in (Role.QUALITY_INSPECTOR, Role.ADMINISTRATOR):
            assert {command for command, traits in COMMANDS.items() if role in traits.by} == {C.ADD_NOTE}

    def test_the_system_itself_may_close(self) -> None:
        require_permission(SYSTEM, C.CLOSE)

    def test_the_refusal_names_the_command_the_role_and_the_roles_that_may(self) -> None:
        with pytest.raises(NotPermittedError) as refusal:
            require_permission(Actor(Role.AGENT, 7), C.ESCALATE_TIER)

        assert (
            str(refusal.value) == "'escalate_tier' is not for the role 'agent'; it is for: manager, supervisor, system"
        )


@st.composite
def walks(draw: st.DrawFn) -> History:
    """A legal life: each step one of the possible commands, a reply leading back to where the question was asked."""
    state, before_waiting, history = S.NEW, S.DIAGNOSING, []
    for _ in range(draw(st.integers(0, 25))):
        command = draw(st.sampled_from(sorted(possible(state))))
        following = before_waiting if command is C.RECORD_REPLY else next_state(state, command)
        if command is C.ASK_CUSTOMER:
            before_waiting = state
        history.append((command, following))
        state = following
    return history


WORKING = [
    (C.ACKNOWLEDGE, S.ACKNOWLEDGED),
    (C.ASSIGN, S.ASSIGNED),
    (C.FIRST_CONTACT, S.DIAGNOSING),
    (C.PROPOSE_PLAN, S.PLAN_PROPOSED),
    (C.AGREE_PLAN, S.IN_WORK),
]


class TestReplay:
    def test_a_ticket_without_a_history_is_new(self) -> None:
        assert replay([]) is S.NEW

    def test_a_whole_life_ends_closed(self) -> None:
        life = [*WORKING, (C.LOG_STEP, S.IN_WORK), (C.COMPLETE, S.COMPLETED), (C.CONFIRM_COMPLETION, S.CLOSED)]

        assert replay(life) is S.CLOSED

    def test_a_question_during_work_is_followed_by_work(self) -> None:
        asked = [*WORKING, (C.ASK_CUSTOMER, S.WAITING_CUSTOMER), (C.RECORD_REPLY, S.IN_WORK)]

        assert replay(asked) is S.IN_WORK

    def test_a_reply_that_claims_another_state_than_before_the_question_is_refused(self) -> None:
        asked = [*WORKING, (C.ASK_CUSTOMER, S.WAITING_CUSTOMER), (C.RECORD_REPLY, S.DIAGNOSING)]

        with pytest.raises(IllegalTransitionError, match="'record_reply' leads from 'waiting_customer' to 'in_work'"):
            replay(asked)

    def test_a_later_question_is_answered_in_its_own_place(self) -> None:
        first = [*WORKING[:3], (C.ASK_CUSTOMER, S.WAITING_CUSTOMER), (C.RECORD_REPLY, S.DIAGNOSING), *WORKING[3:]]

        assert replay([*first, (C.ASK_CUSTOMER, S.WAITING_CUSTOMER), (C.RECORD_REPLY, S.IN_WORK)]) is S.IN_WORK

    def test_a_missing_event_is_noticed(self) -> None:
        with pytest.raises(IllegalTransitionError, match="'first_contact' is not possible"):
            replay([WORKING[0], *WORKING[2:]])

    def test_a_forged_record_is_named(self) -> None:
        with pytest.raises(IllegalTransitionError) as refusal:
            replay([(C.ACKNOWLEDGE, S.CLOSED)])

        assert str(refusal.value) == "'acknowledge' leads from 'new' to 'acknowledged', the record says 'closed'"

    @given(history=walks())
    def test_every_legal_life_ends_where_its_last_event_says(self, history: History) -> None:
        assert replay(history) is (history[-1][1] if history else S.NEW)

    @given(history=walks().filter(bool), data=st.data())
    def test_one_changed_state_is_always_noticed(self, history: History, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(history) - 1))
        command, true_state = history[at]
        forged = data.draw(st.sampled_from([state for state in TicketState if state is not true_state]))

        with pytest.raises(IllegalTransitionError):
            replay([*history[:at], (command, forged), *history[at + 1 :]])

    @given(history=walks(), data=st.data())
    def test_one_inserted_impossible_command_is_always_noticed(self, history: History, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(history)))
        state = history[at - 1][1] if at else S.NEW
        forged = data.draw(st.sampled_from(sorted(set(CommandName) - possible(state))))

        with pytest.raises(IllegalTransitionError):
            replay([*history[:at], (forged, state), *history[at:]])
