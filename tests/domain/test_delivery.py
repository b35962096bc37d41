"""This file checks the life of a message: final states stay, refusals and failures lead where they must."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import (
    FOLLOWS,
    LATER_DELAYS,
    RETRY_DELAYS,
    Accepted,
    Fail,
    MessageState,
    Rejected,
    Remedy,
    Retry,
    SwitchMedium,
    after_rejection,
    message_mark,
    read_mark,
    retry_delay,
    state_after,
)

M = MessageState
FINAL = {M.DELIVERED, M.FAILED, M.MERGED, M.WITHHELD}


class TestFollows:
    def test_every_state_says_what_may_follow(self) -> None:
        assert set(FOLLOWS) == set(MessageState)

    def test_only_what_is_over_is_final(self) -> None:
        assert {state for state, following in FOLLOWS.items() if not following} == FINAL

    def test_nothing_is_claimed_but_what_is_queued(self) -> None:
        assert [state for state, following in FOLLOWS.items() if M.SENDING in following] == [M.QUEUED]

    def test_an_accepted_message_is_never_in_doubt_again(self) -> None:
        assert FOLLOWS[M.ACCEPTED] == {M.DELIVERED, M.FAILED, M.QUEUED}

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

    @pytest.mark.parametrize(
        ("said", "state"),
        [
            (Accepted("SM1"), M.ACCEPTED),
            (Accepted("SM1", delivered=True), M.DELIVERED),
            (Rejected("30006", Remedy.BAD_ADDRESS), M.FAILED),
        ],
    )
    def test_a_vendors_word_settles_a_message_where_it_must(self, said: Accepted | Rejected, state: M) -> None:
        assert state_after(said) is state
        assert state in FOLLOWS[M.SENDING] & FOLLOWS[M.UNKNOWN]


class TestARefusal:
    @pytest.mark.parametrize("remedy", [Remedy.BAD_ADDRESS, Remedy.OPTED_OUT, Remedy.COMPLAINED, Remedy.OTHER_MEDIUM])
    def test_of_an_address_leads_to_the_other_medium_or_fails(self, remedy: Remedy) -> None:
        assert after_rejection(remedy, out_of_reach=0, can_switch=True) == SwitchMedium()
        assert after_rejection(remedy, out_of_reach=0, can_switch=False) == Fail()

    def test_by_a_phone_out_of_reach_is_tried_twice_more_over_hours(self) -> None:
        steps = [after_rejection(Remedy.TRY_LATER, out_of_reach=n, can_switch=True) for n in (0, 1, 2)]

        assert steps == [*(Retry(timedelta(seconds=wait)) for wait in LATER_DELAYS), SwitchMedium()]
        assert after_rejection(Remedy.TRY_LATER, out_of_reach=2, can_switch=False) == Fail()

    def test_that_nobody_understands_is_never_tried_again(self) -> None:
        assert after_rejection(Rejected("99999").remedy, out_of_reach=0, can_switch=True) == Fail()


class TestAMessageThatDidNotLeave:
    def test_waits_ever_longer_and_is_given_up(self) -> None:
        day = timedelta(days=1)
        waits = [retry_delay(times, jitter=0, give_up_after=day) for times in range(1, 40)]

        seconds = [wait.total_seconds() for wait in waits if wait is not None]
        assert seconds[:7] == [*RETRY_DELAYS, RETRY_DELAYS[-1], RETRY_DELAYS[-1]]
        assert day - timedelta(hours=1) < timedelta(seconds=sum(seconds)) <= day
        assert waits[len(seconds) :] == [None] * (len(waits) - len(seconds))

    @given(st.integers(1, 20), st.floats(0, 1), st.integers(0, 7200))
    def test_never_comes_back_sooner_than_the_vendor_asked(self, times: int, jitter: float, asked: int) -> None:
        wait = retry_delay(times, jitter=jitter, asked=timedelta(seconds=asked), give_up_after=timedelta(days=2))

        assert wait is not None
        assert (
            timedelta(seconds=asked)
            <= wait
            <= max(timedelta(seconds=asked), timedelta(seconds=RETRY_DELAYS[-1] * 1.25))
        )


class TestTheMark:
    @given(st.integers(1, 10**18 - 1), st.integers(1, 99))
    def test_is_read_as_it_was_written(self, message_id: int, attempt: int) -> None:
        assert read_mark(message_mark(message_id, attempt)) == (message_id, attempt)

    @given(st.text(max_size=40))
    def test_of_anybody_else_is_none_or_two_numbers(self, text: str) -> None:
        found = read_mark(text)

        assert found is None or message_mark(*found).replace("0", "") == text.replace("0", "")

    @pytest.mark.parametrize("text", ["", "-", "1-", "-1", "1", "a-b", "1-2-3", "１-２", "9" * 40 + "-1", "1e3-2"])
    def test_that_is_none_is_refused(self, text: str) -> None:
        assert read_mark(text) is None
