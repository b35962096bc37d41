"""The step at hand, its commands and its script (S-06)."""

from __future__ import annotations

import pytest

from domain.lifecycle import COMMANDS, STATES, CommandName, TicketState
from domain.next_step import COMMANDS_OF, NextStep, Script, next_step, scripts_of, scripts_of_call
from domain.satisfaction import CallbackKind

S = TicketState


def step(
    state: TicketState, *, was_objected: bool = False, is_agreed: bool = True, is_endangered: bool = False
) -> NextStep:
    return next_step(state, was_objected=was_objected, is_agreed=is_agreed, is_endangered=is_endangered)


@pytest.mark.parametrize("state", TicketState)
@pytest.mark.parametrize("was_objected", [True, False])
@pytest.mark.parametrize("is_endangered", [True, False])
def test_every_command_of_the_step_at_hand_is_possible_in_its_state(
    state: TicketState, was_objected: bool, is_endangered: bool
) -> None:
    commands = COMMANDS_OF[step(state, was_objected=was_objected, is_endangered=is_endangered)]

    assert bool(commands) is not STATES[state].is_over
    assert [name for name in commands if state not in COMMANDS[name].sources] == []


def test_after_an_objection_the_plan_is_made_again() -> None:
    assert step(S.DIAGNOSING) is NextStep.PLAN
    assert step(S.DIAGNOSING, was_objected=True) is NextStep.PLAN_AGAIN
    assert step(S.IN_WORK, was_objected=True) is NextStep.WORK


def test_what_came_back_without_an_agreed_plan_needs_one_before_the_work() -> None:
    assert step(S.IN_WORK, is_agreed=False) is NextStep.PLAN
    assert [name for name in COMMANDS_OF[NextStep.PLAN] if S.IN_WORK not in COMMANDS[name].sources] == []


def test_a_promise_in_danger_comes_before_the_work() -> None:
    assert step(S.IN_WORK, is_endangered=True) is NextStep.TELL_DELAY
    assert COMMANDS_OF[NextStep.TELL_DELAY][0] is CommandName.REPORT_DELAY
    assert step(S.COMPLETED, is_endangered=True) is NextStep.AWAIT_SIGN_OFF


@pytest.mark.parametrize("at_hand", NextStep)
def test_every_step_is_spoken_from_the_greeting_to_the_farewell(at_hand: NextStep) -> None:
    scripts = scripts_of(at_hand)

    assert (scripts[0], scripts[-1]) == (Script.GREETING, Script.FAREWELL)
    assert len(scripts) > 2


def test_every_script_is_said_somewhere() -> None:
    said = {script for at_hand in NextStep for script in scripts_of(at_hand)}
    said |= {script for kind in CallbackKind for script in scripts_of_call(kind)}

    assert said == set(Script)


def test_an_unhappy_customer_is_heard() -> None:
    assert Script.LOW_SCORE in scripts_of_call(CallbackKind.LOW_SCORE)
