"""This file checks the life of a message: final states stay, and each outcome settles where it must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import FOLLOWS, Accepted, MessageState, NotSent, Outcome, Rejected, Unknown, state_after

M = MessageState
FINAL = {M.DELIVERED, M.FAILED}


class TestFollows:
    def test_every_state_says_what_may_follow(self) -> None:
        assert set(FOLLOWS) == set(MessageState)

    def test_delivered_and_failed_are_final_and_nothing_else_is(self) -> None:
        assert {state for state, following in FOLLOWS.items() if not following} == FINAL

    def test_a_queued_message_can_only_be_claimed(self) -> None:
        assert FOLLOWS[M.QUEUED] == {M.SENDING}

    def test_nothing_is_claimed_but_what_is_queued(self) -> None:
        assert [state for state, following in FOLLOWS.items() if M.SENDING in following] == [M.QUEUED]

    def test_an_accepted_message_is_never_queued_again(self) -> None:
        assert FOLLOWS[M.ACCEPTED] == {M.DELIVERED, M.FAILED}

    def test_an_unknown_fate_may_turn_out_any_way(self) -> None:
        assert FOLLOWS[M.UNKNOWN] == {M.QUEUED, M.ACCEPTED, M.DELIVERED, M.FAILED}

    def test_no_state_follows_itself(self) -> None:
        assert all(state not in following for state, following in FOLLOWS.items())

    @pytest.mark.parametrize("state", list(MessageState))
    def test_from_everywhere_a_final_state_can_be_reached(self, state: MessageState) -> None:
        seen, todo = {state}, [state]
        while todo:
            for following in FOLLOWS[todo.pop()] - seen:
                seen.add(following)
                todo.append(following)

        assert seen & FINAL


class TestOutcome:
    @pytest.mark.parametrize(
        ("outcome", "state"),
        [
            (Accepted("SM1"), M.ACCEPTED),
            (Accepted("SM1", delivered=True), M.DELIVERED),
            (Rejected("30006"), M.FAILED),
            (NotSent("connection refused"), M.QUEUED),
            (Unknown("read timeout"), M.UNKNOWN),
        ],
    )
    def test_an_outcome_settles_a_message_where_it_must(self, outcome: Outcome, state: MessageState) -> None:
        assert state_after(outcome) is state

    @given(
        outcome=st.one_of(
            st.builds(Accepted, st.text(), st.booleans()),
            st.builds(Rejected, st.text()),
            st.builds(NotSent, st.text()),
            st.builds(Unknown, st.text()),
        )
    )
    def test_every_outcome_can_settle_a_message_that_is_being_sent(self, outcome: Outcome) -> None:
        assert state_after(outcome) in FOLLOWS[M.SENDING]
