"""This file checks the ladder of alarms: each rung once, stale warnings dropped, a breach never."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.business_hours import BusinessCalendar
from domain.escalation import Alarm, AlarmKind, Listener, Rung, next_alarm_at, reached_alarms, rungs_reached
from domain.sla import Clock, ClockKind, pause, resume, stop

ALWAYS = BusinessCalendar("always", "Asia/Shanghai", (((time(0), time(0)),),) * 7)
OFFICE = BusinessCalendar("office", "Asia/Shanghai", (((time(9), time(18)),),) * 5 + ((), ()))
HOUR = timedelta(hours=1)
START = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # Tuesday 10:00 in Shanghai
LADDER = (
    Rung(0.5, (Listener.ASSIGNEE,)),
    Rung(0.8, (Listener.ASSIGNEE, Listener.SUPERVISOR)),
    Rung(1.0, (Listener.ASSIGNEE, Listener.SUPERVISOR), climbs_tier=True),
    Rung(1.25, (Listener.MANAGER,)),
)
CLOCK = Clock(ClockKind.RESOLUTION, START, 4 * HOUR)


def raised(clock: Clock, hours: float, *, rungs_raised: int = 0, calendar: BusinessCalendar = ALWAYS) -> list[Alarm]:
    return reached_alarms(clock, calendar, LADDER, rungs_raised=rungs_raised, now=START + timedelta(hours=hours))


class TestKinds:
    @pytest.mark.parametrize(
        ("share", "kind"),
        [
            (0.01, AlarmKind.WARNING),
            (0.999, AlarmKind.WARNING),
            (1.0, AlarmKind.BREACH),
            (1.001, AlarmKind.ESCALATION),
            (5.0, AlarmKind.ESCALATION),
        ],
    )
    def test_a_rung_warns_before_breaches_at_and_escalates_after_the_deadline(
        self, share: float, kind: AlarmKind
    ) -> None:
        assert Rung(share, (Listener.ASSIGNEE,)).kind is kind


class TestReachedAlarms:
    def test_nothing_is_raised_before_the_first_rung(self) -> None:
        assert raised(CLOCK, 1.99) == []

    def test_a_rung_is_raised_at_the_very_moment_it_is_reached(self) -> None:
        assert raised(CLOCK, 2) == [Alarm(0, AlarmKind.WARNING, (Listener.ASSIGNEE,), False, START + 2 * HOUR)]

    def test_a_rung_that_was_raised_is_not_raised_again(self) -> None:
        assert raised(CLOCK, 3, rungs_raised=1) == []

    def test_the_next_rung_is_raised_alone(self) -> None:
        assert [alarm.rung for alarm in raised(CLOCK, 3.2, rungs_raised=1)] == [1]

    def test_a_lower_warning_is_dropped_when_a_higher_one_is_reached_too(self) -> None:
        assert [alarm.rung for alarm in raised(CLOCK, 3.5)] == [1]

    def test_the_warnings_are_dropped_when_the_breach_is_reached_too(self) -> None:
        assert [alarm.kind for alarm in raised(CLOCK, 4)] == [AlarmKind.BREACH]

    def test_the_breach_is_not_dropped_when_an_escalation_is_reached_too(self) -> None:
        assert [alarm.kind for alarm in raised(CLOCK, 100)] == [AlarmKind.BREACH, AlarmKind.ESCALATION]

    def test_a_late_sweep_names_the_exact_moments(self) -> None:
        assert [alarm.reached_at for alarm in raised(CLOCK, 100)] == [START + 4 * HOUR, START + 5 * HOUR]

    def test_an_alarm_tells_the_listeners_of_its_rung(self) -> None:
        assert [alarm.tells for alarm in raised(CLOCK, 100)] == [
            (Listener.ASSIGNEE, Listener.SUPERVISOR),
            (Listener.MANAGER,),
        ]

    def test_the_breach_climbs_a_tier_and_the_escalation_does_not(self) -> None:
        assert [alarm.climbs_tier for alarm in raised(CLOCK, 100)] == [True, False]

    @pytest.mark.parametrize(
        ("kind", "climbs"), [(ClockKind.ASSIGNMENT, False), (ClockKind.RESPONSE, True), (ClockKind.RESOLUTION, True)]
    )
    def test_an_unassigned_ticket_has_no_tier_to_climb_from(self, kind: ClockKind, climbs: bool) -> None:
        assert raised(Clock(kind, START, 4 * HOUR), 4)[0].climbs_tier is climbs

    def test_working_time_decides_when_a_rung_is_reached(self) -> None:
        nine_hours = Clock(ClockKind.RESOLUTION, START, 9 * HOUR)  # eight of them on the first day

        assert raised(nine_hours, 23.99, rungs_raised=2, calendar=OFFICE) == []
        assert raised(nine_hours, 24, rungs_raised=2, calendar=OFFICE)[0].reached_at == START + 24 * HOUR

    def test_a_paused_clock_reaches_no_new_rung(self) -> None:
        assert raised(pause(CLOCK, now=START + HOUR), 100) == []

    def test_a_clock_paused_after_a_rung_still_owes_it(self) -> None:
        assert [alarm.rung for alarm in raised(pause(CLOCK, now=START + 2.5 * HOUR), 100)] == [0]

    def test_a_stopped_clock_reaches_no_rung_after_it_stopped(self) -> None:
        assert [alarm.rung for alarm in raised(stop(CLOCK, now=START + 3 * HOUR), 100, rungs_raised=1)] == []

    def test_a_breach_before_the_clock_stopped_is_still_owed(self) -> None:
        alarms = raised(stop(CLOCK, now=START + 4.5 * HOUR), 100)

        assert [alarm.kind for alarm in alarms] == [AlarmKind.BREACH]

    def test_a_finished_ladder_is_silent(self) -> None:
        assert raised(CLOCK, 100, rungs_raised=4) == []


class TestNextAlarm:
    @pytest.mark.parametrize(("rungs_raised", "hours"), [(0, 2), (1, 3.2), (2, 4), (3, 5)])
    def test_the_next_alarm_is_that_of_the_first_rung_not_raised(self, rungs_raised: int, hours: float) -> None:
        found = next_alarm_at(CLOCK, ALWAYS, LADDER, rungs_raised=rungs_raised)

        assert found == START + timedelta(hours=hours)

    def test_a_pause_moves_the_next_alarm(self) -> None:
        resumed = resume(pause(CLOCK, now=START + HOUR), now=START + 4 * HOUR)

        assert next_alarm_at(resumed, ALWAYS, LADDER, rungs_raised=0) == START + 5 * HOUR

    def test_a_paused_clock_has_no_next_alarm(self) -> None:
        assert next_alarm_at(pause(CLOCK, now=START + HOUR), ALWAYS, LADDER, rungs_raised=0) is None

    def test_a_stopped_clock_has_no_next_alarm(self) -> None:
        assert next_alarm_at(stop(CLOCK, now=START + HOUR), ALWAYS, LADDER, rungs_raised=0) is None

    def test_there_is_no_alarm_past_the_last_rung(self) -> None:
        assert next_alarm_at(CLOCK, ALWAYS, LADDER, rungs_raised=4) is None


class TestSweeps:
    def test_without_alarms_the_count_of_rungs_stays(self) -> None:
        assert rungs_reached([], 2) == 2

    def test_a_dropped_warning_counts_as_raised(self) -> None:
        assert rungs_reached(raised(CLOCK, 4), 0) == 3

    @given(sweeps=st.lists(st.integers(0, 8 * 60), max_size=12).map(sorted))
    @settings(deadline=None)
    def test_however_the_sweeps_fall_breach_and_escalation_are_raised_once_and_no_warning_twice(
        self, sweeps: list[int]
    ) -> None:
        count, heard = 0, []
        for minute in [*sweeps, 9 * 60]:
            alarms = raised(CLOCK, minute / 60, rungs_raised=count)
            heard += [(alarm.rung, minute) for alarm in alarms]
            count = rungs_reached(alarms, count)

        rungs = [rung for rung, _ in heard]
        assert rungs == sorted(set(rungs))
        assert rungs[-2:] == [2, 3]
        assert count == 4
        # What a sweep hears is what came due since the sweep before it.
        due = {0: 120, 1: 192, 2: 240, 3: 300}
        assert all(minute == min(m for m in [*sweeps, 9 * 60] if m >= due[rung]) for rung, minute in heard)

    @given(minute=st.integers(0, 8 * 60), count=st.integers(0, 3))
    @settings(deadline=None)
    def test_alarms_are_due_exactly_when_the_next_alarm_says_so(self, minute: int, count: int) -> None:
        now = START + timedelta(minutes=minute)
        due_at = next_alarm_at(CLOCK, ALWAYS, LADDER, rungs_raised=count)

        assert due_at is not None
        assert bool(reached_alarms(CLOCK, ALWAYS, LADDER, rungs_raised=count, now=now)) == (due_at <= now)
