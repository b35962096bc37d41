"""This file checks the SLA clocks against hand-made cases and against counting every minute a clock ran."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.business_hours import BusinessCalendar
from domain.lifecycle import COMMANDS, STATES, CommandName, TicketState
from domain.sla import (
    Clock,
    ClockKind,
    Pause,
    after_command,
    deadline,
    is_breached,
    moment_when_used,
    pause,
    reopen,
    resume,
    stop,
    used,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = BusinessCalendar("office", "Asia/Shanghai", (((time(9), time(18)),),) * 5 + ((), ()))
ALWAYS = BusinessCalendar("always", "Asia/Shanghai", (((time(0), time(0)),),) * 7)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of March 2026, Shanghai time; the 2nd is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI)


def clock(started_at: datetime, hours: float = 4, kind: ClockKind = ClockKind.RESOLUTION) -> Clock:
    return Clock(kind, started_at, timedelta(hours=hours))


class TestRunning:
    def test_a_clock_uses_working_time_only(self) -> None:
        assert used(clock(at(3, 16)), OFFICE, now=at(4, 10)) == 3 * HOUR

    def test_a_clock_has_used_nothing_before_it_started(self) -> None:
        assert used(clock(at(3, 16)), OFFICE, now=at(3, 10)) == timedelta(0)

    def test_the_deadline_is_the_target_in_working_time_after_the_start(self) -> None:
        assert deadline(clock(at(3, 16)), OFFICE) == at(4, 11)

    def test_the_deadline_of_a_round_the_clock_promise_ignores_the_night(self) -> None:
        assert deadline(clock(at(3, 23)), ALWAYS) == at(4, 3)

    def test_a_share_of_the_target_is_used_at_its_share_of_the_way(self) -> None:
        assert moment_when_used(clock(at(3, 10)), OFFICE, 0.8) == at(3, 13, 12)
        assert moment_when_used(clock(at(3, 10)), OFFICE, 1.25) == at(3, 15)

    def test_a_clock_is_not_breached_at_its_deadline(self) -> None:
        assert not is_breached(clock(at(3, 10)), OFFICE, now=at(3, 14))

    def test_a_clock_is_breached_the_instant_after_its_deadline(self) -> None:
        assert is_breached(clock(at(3, 10)), OFFICE, now=at(3, 14) + timedelta.resolution)

    def test_a_clock_that_ends_with_the_day_is_not_breached_overnight(self) -> None:
        evening = clock(at(3, 14))

        assert deadline(evening, OFFICE) == at(3, 18)
        assert not is_breached(evening, OFFICE, now=at(4, 9))
        assert is_breached(evening, OFFICE, now=at(4, 9, 1))


class TestPause:
    def test_the_clock_stops_while_the_plan_awaits_the_customer(self) -> None:
        paused = pause(clock(at(3, 10)), now=at(3, 11))

        assert paused.is_paused
        assert used(paused, OFFICE, now=at(5, 15)) == HOUR

    def test_a_paused_clock_has_no_deadline(self) -> None:
        assert deadline(pause(clock(at(3, 10)), now=at(3, 11)), OFFICE) is None

    def test_a_paused_clock_still_knows_when_an_earlier_share_was_used(self) -> None:
        paused = pause(clock(at(3, 10)), now=at(3, 13))

        assert moment_when_used(paused, OFFICE, 0.5) == at(3, 12)
        assert moment_when_used(paused, OFFICE, 0.75) == at(3, 13)
        assert moment_when_used(paused, OFFICE, 0.8) is None

    def test_a_clock_paused_after_its_deadline_keeps_it(self) -> None:
        late = pause(clock(at(3, 10)), now=at(3, 15))

        assert deadline(late, OFFICE) == at(3, 14)
        assert is_breached(late, OFFICE, now=at(9, 12))

    def test_the_deadline_moves_by_the_paused_time(self) -> None:
        resumed = resume(pause(clock(at(3, 10)), now=at(3, 11)), now=at(3, 12, 30))

        assert deadline(resumed, OFFICE) == at(3, 15, 30)

    def test_a_pause_overnight_moves_the_deadline_by_its_working_time_only(self) -> None:
        resumed = resume(pause(clock(at(3, 10)), now=at(3, 12)), now=at(4, 10))

        assert deadline(resumed, OFFICE) == at(4, 12)
        assert used(resumed, OFFICE, now=at(4, 11)) == 3 * HOUR

    def test_a_pause_while_closed_moves_nothing(self) -> None:
        resumed = resume(pause(clock(at(3, 16)), now=at(3, 20)), now=at(4, 7))

        assert deadline(resumed, OFFICE) == at(4, 11)

    def test_each_of_several_pauses_counts_once(self) -> None:
        twice = clock(at(3, 9))
        for start, end in ((10, 11), (12, 14)):
            twice = resume(pause(twice, now=at(3, start)), now=at(3, end))

        assert used(twice, OFFICE, now=at(3, 15)) == 3 * HOUR
        assert deadline(twice, OFFICE) == at(3, 16)

    def test_a_pause_seen_from_a_moment_within_it_counts_up_to_that_moment(self) -> None:
        resumed = resume(pause(clock(at(3, 10)), now=at(3, 11)), now=at(3, 16))

        assert used(resumed, OFFICE, now=at(3, 13)) == HOUR

    def test_a_pause_seen_from_a_moment_before_it_does_not_count(self) -> None:
        resumed = resume(pause(clock(at(3, 10)), now=at(3, 12)), now=at(3, 16))

        assert used(resumed, OFFICE, now=at(3, 11)) == HOUR

    def test_pausing_twice_keeps_the_first_moment(self) -> None:
        once = pause(clock(at(3, 10)), now=at(3, 11))

        assert pause(once, now=at(3, 12)) == once
        assert once.pauses == (Pause(at(3, 11)),)

    def test_resuming_a_running_clock_changes_nothing(self) -> None:
        running = clock(at(3, 10))

        assert resume(running, now=at(3, 12)) == running

    def test_a_resumed_clock_is_not_paused(self) -> None:
        resumed = resume(pause(clock(at(3, 10)), now=at(3, 11)), now=at(3, 12))

        assert not resumed.is_paused
        assert resumed.pauses == (Pause(at(3, 11), at(3, 12)),)


class TestStop:
    def test_a_stopped_clock_uses_nothing_more(self) -> None:
        assert used(stop(clock(at(3, 10)), now=at(3, 12)), OFFICE, now=at(5, 12)) == 2 * HOUR

    def test_a_clock_seen_from_before_it_stopped_shows_what_was_used_then(self) -> None:
        assert used(stop(clock(at(3, 10)), now=at(3, 13)), OFFICE, now=at(3, 11)) == HOUR

    def test_a_clock_stopped_in_time_is_never_breached(self) -> None:
        assert not is_breached(stop(clock(at(3, 10)), now=at(3, 14)), OFFICE, now=at(9, 12))

    def test_a_clock_stopped_too_late_stays_breached(self) -> None:
        assert is_breached(stop(clock(at(3, 10)), now=at(3, 15)), OFFICE, now=at(9, 12))

    def test_stopping_twice_keeps_the_first_moment(self) -> None:
        stopped = stop(clock(at(3, 10)), now=at(3, 12))

        assert stop(stopped, now=at(3, 13)) == stopped

    def test_a_stopped_clock_can_neither_be_paused_nor_resumed(self) -> None:
        stopped = stop(clock(at(3, 10)), now=at(3, 12))
        stopped_in_pause = stop(pause(clock(at(3, 10)), now=at(3, 11)), now=at(3, 12))

        assert pause(stopped, now=at(3, 13)) == stopped
        assert resume(stopped_in_pause, now=at(3, 13)) == stopped_in_pause

    def test_a_clock_stopped_in_a_pause_used_what_it_had_used_before_the_pause(self) -> None:
        stopped = stop(pause(clock(at(3, 10)), now=at(3, 11)), now=at(3, 15))

        assert used(stopped, OFFICE, now=at(4, 12)) == HOUR


class TestReopen:
    def test_the_time_since_it_stopped_does_not_count(self) -> None:
        reopened = reopen(stop(clock(at(3, 10)), now=at(3, 12)), now=at(5, 9))

        assert reopened.stopped_at is None
        assert used(reopened, OFFICE, now=at(5, 10)) == 3 * HOUR
        assert deadline(reopened, OFFICE) == at(5, 11)

    def test_reopening_a_clock_that_was_not_stopped_changes_nothing(self) -> None:
        paused = pause(clock(at(3, 10)), now=at(3, 11))

        assert reopen(paused, now=at(3, 12)) == paused

    def test_a_clock_stopped_in_a_pause_runs_when_it_is_reopened(self) -> None:
        reopened = reopen(stop(pause(clock(at(3, 10)), now=at(3, 11)), now=at(3, 12)), now=at(3, 14))

        assert not reopened.is_paused
        assert used(reopened, OFFICE, now=at(3, 15)) == 2 * HOUR
        assert deadline(reopened, OFFICE) == at(3, 17)


class TestAfterCommand:
    def test_the_first_contact_stops_the_response_clock(self) -> None:
        running = clock(at(3, 10), kind=ClockKind.RESPONSE)

        after = after_command(running, CommandName.FIRST_CONTACT, TicketState.DIAGNOSING, now=at(3, 11))

        assert after.stopped_at == at(3, 11)

    @pytest.mark.parametrize("state", [TicketState.WAITING_CUSTOMER, TicketState.PLAN_PROPOSED, TicketState.IN_WORK])
    def test_nothing_else_touches_a_running_response_clock(self, state: TicketState) -> None:
        running = clock(at(3, 10), kind=ClockKind.RESPONSE)

        assert after_command(running, CommandName.ADD_NOTE, state, now=at(3, 11)) == running

    def test_the_assignment_stops_the_assignment_clock(self) -> None:
        running = clock(at(3, 10), kind=ClockKind.ASSIGNMENT)

        after = after_command(running, CommandName.ASSIGN, TicketState.ASSIGNED, now=at(3, 10, 20))

        assert after.stopped_at == at(3, 10, 20)

    def test_the_acknowledgement_does_not_stop_the_assignment_clock(self) -> None:
        running = clock(at(3, 10), kind=ClockKind.ASSIGNMENT)

        after = after_command(running, CommandName.ACKNOWLEDGE, TicketState.ACKNOWLEDGED, now=at(3, 10, 1))

        assert after == running

    @pytest.mark.parametrize("state", [s for s in TicketState if STATES[s].clock_runs])
    def test_the_resolution_clock_runs_again_where_the_company_is_awaited(self, state: TicketState) -> None:
        paused = pause(clock(at(3, 10)), now=at(3, 11))

        after = after_command(paused, CommandName.RECORD_REPLY, state, now=at(3, 12))

        assert after.pauses == (Pause(at(3, 11), at(3, 12)),)

    @pytest.mark.parametrize("state", [TicketState.WAITING_CUSTOMER, TicketState.PLAN_PROPOSED])
    def test_the_resolution_clock_pauses_where_the_customer_is_awaited(self, state: TicketState) -> None:
        after = after_command(clock(at(3, 10)), CommandName.ASK_CUSTOMER, state, now=at(3, 12))

        assert after.is_paused
        assert used(after, OFFICE, now=at(3, 17)) == 2 * HOUR

    def test_completion_stops_the_resolution_clock_and_a_complaint_about_it_starts_it_again(self) -> None:
        done = after_command(clock(at(3, 10)), CommandName.COMPLETE, TicketState.COMPLETED, now=at(3, 12))

        back = after_command(done, CommandName.REPORT_NOT_FIXED, TicketState.IN_WORK, now=at(3, 16))

        assert done.stopped_at == at(3, 12)
        assert back.stopped_at is None
        assert used(back, OFFICE, now=at(3, 17)) == 3 * HOUR

    @pytest.mark.parametrize("kind", list(ClockKind))
    @pytest.mark.parametrize("state", [TicketState.CLOSED, TicketState.CANCELLED])
    def test_every_clock_stops_when_the_ticket_is_over(self, kind: ClockKind, state: TicketState) -> None:
        after = after_command(clock(at(3, 10), kind=kind), CommandName.CANCEL, state, now=at(3, 11))

        assert after.stopped_at == at(3, 11)

    @pytest.mark.parametrize("kind", list(ClockKind))
    @pytest.mark.parametrize("state", list(TicketState))
    def test_a_note_never_changes_a_clock_that_agrees_with_its_state(self, kind: ClockKind, state: TicketState) -> None:
        assert CommandName.ADD_NOTE in COMMANDS
        settled = after_command(clock(at(3, 10), kind=kind), CommandName.CHANGE_CATEGORY, state, now=at(3, 11))

        assert after_command(settled, CommandName.ADD_NOTE, state, now=at(3, 12)) == settled


# The oracle: a clerk with a stopwatch, minute by minute.

START = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)  # Thursday 08:00 in Shanghai, before a weekend
DAYS_WATCHED = 6
Action = Literal["pause", "resume", "stop", "reopen"]
ACTIONS = {"pause": pause, "resume": resume, "stop": stop, "reopen": reopen}


def is_office_minute(minute: int) -> bool:
    """Minutes count from Thursday 08:00; Shanghai knows no clock changes, so plain arithmetic will do."""
    day, of_day = divmod(minute + 8 * 60, 1440)
    return day not in (2, 3) and 9 * 60 <= of_day < 18 * 60


def minutes_run(history: list[tuple[int, Action]], started: int = 0) -> tuple[list[bool], str]:
    """For each watched minute, whether the clock ran in it; and the clock's condition after the last action."""
    condition, ran, todo = "running", [], list(history)
    for minute in range(DAYS_WATCHED * 1440):
        while todo and todo[0][0] == minute:
            condition = _after(condition, todo.pop(0)[1])
        ran.append(condition == "running" and minute >= started and is_office_minute(minute))
    return ran, condition


def _after(condition: str, action: Action) -> str:
    following = {
        ("running", "pause"): "paused",
        ("paused", "resume"): "running",
        ("running", "stop"): "stopped",
        ("paused", "stop"): "stopped",
        ("stopped", "reopen"): "running",
    }
    return following.get((condition, action), condition)


def played(history: list[tuple[int, Action]], target: timedelta = 4 * HOUR) -> Clock:
    acted = Clock(ClockKind.RESOLUTION, START, target)
    for minute, action in history:
        acted = ACTIONS[action](acted, now=START + minute * MINUTE)
    return acted


def histories(*actions: Action) -> st.SearchStrategy[list[tuple[int, Action]]]:
    moments = st.integers(0, 4 * 1440)
    return st.lists(st.tuples(moments, st.sampled_from(actions)), max_size=8).map(
        lambda history: sorted(history, key=lambda step: step[0])
    )


class TestAgainstTheStopwatch:
    @given(history=histories("pause", "resume", "stop", "reopen"), extra=st.integers(0, 1440))
    @settings(deadline=None)
    def test_used_is_the_number_of_minutes_that_ran(self, history: list[tuple[int, Action]], extra: int) -> None:
        now = (history[-1][0] if history else 0) + extra
        ran, _ = minutes_run(history)

        assert used(played(history), OFFICE, now=START + now * MINUTE) == sum(ran[:now]) * MINUTE

    @given(history=histories("pause", "resume", "stop", "reopen"), target=st.integers(1, 30 * 60))
    @settings(deadline=None)
    def test_the_deadline_ends_the_minute_in_which_the_target_was_used_up(
        self, history: list[tuple[int, Action]], target: int
    ) -> None:
        ran, condition = minutes_run(history)
        assume(condition != "stopped")
        run = [minute for minute, is_run in enumerate(ran) if is_run]

        promised = deadline(played(history, target * MINUTE), OFFICE)

        if target <= len(run):
            assert promised == START + (run[target - 1] + 1) * MINUTE
        elif condition == "paused":
            assert promised is None
        else:
            assert promised is not None
            assert promised > START + DAYS_WATCHED * 1440 * MINUTE

    @given(history=histories("pause", "resume", "stop", "reopen"), step=st.integers(1, 2000))
    @settings(deadline=None)
    def test_used_never_decreases(self, history: list[tuple[int, Action]], step: int) -> None:
        acted = played(history)

        values = [used(acted, OFFICE, now=START + minute * MINUTE) for minute in range(0, 6 * 1440, step)]

        assert values == sorted(values)

    @given(history=histories("pause", "resume"), later=st.timedeltas(timedelta(0), timedelta(days=30)))
    @settings(deadline=None)
    def test_a_paused_clock_does_not_move(self, history: list[tuple[int, Action]], later: timedelta) -> None:
        now = START + (history[-1][0] if history else 0) * MINUTE
        paused = pause(played(history), now=now)

        assert used(paused, OFFICE, now=now + later) == used(paused, OFFICE, now=now)

    @given(ran=st.integers(0, 239), lasted=st.integers(0, 4 * 1440))
    @settings(deadline=None)
    def test_the_deadline_shifts_by_exactly_the_paused_working_time(self, ran: int, lasted: int) -> None:
        running = Clock(ClockKind.RESOLUTION, START, 4 * HOUR)
        paused_at = START + (60 + ran) * MINUTE
        resumed_at = paused_at + lasted * MINUTE
        old = deadline(running, OFFICE)
        paused_minutes = sum(is_office_minute(60 + ran + minute) for minute in range(lasted))

        new = deadline(resume(pause(running, now=paused_at), now=resumed_at), OFFICE)

        assert old is not None
        assert new is not None
        assert OFFICE.between(old, new) == paused_minutes * MINUTE

    @given(history=histories("pause", "resume"), target=st.integers(1, 30 * 60))
    @settings(deadline=None)
    def test_exactly_the_target_is_used_at_the_deadline(self, history: list[tuple[int, Action]], target: int) -> None:
        acted = played(history, target * MINUTE)
        promised = deadline(acted, OFFICE)
        assume(promised is not None)

        assert promised is not None
        assert used(acted, OFFICE, now=promised) == acted.target
        assert used(acted, OFFICE, now=promised - timedelta.resolution) < acted.target
