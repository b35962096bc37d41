"""This file checks working time against hand-made cases and against counting it minute by minute."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.business_hours import WEEKDAYS, BusinessCalendar, parse_weekly_hours
from domain.exceptions import CalendarNeverOpensError

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
WORKDAYS = {day: ["09:00-18:00"] for day in WEEKDAYS[:5]}
EVERY_DAY = {day: ["00:00-24:00"] for day in WEEKDAYS}


def calendar(
    weekly: dict[str, list[str]],
    zone: str = "Asia/Shanghai",
    *,
    holidays: str | None = None,
    closed_on: set[date] = frozenset(),
    open_on: set[date] = frozenset(),
) -> BusinessCalendar:
    return BusinessCalendar(
        "test", zone, parse_weekly_hours(weekly), holidays, frozenset(closed_on), frozenset(open_on)
    )


def sh(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)


OFFICE = calendar(WORKDAYS)
CHINA = calendar(WORKDAYS, holidays="CN")


class TestIsOpen:
    def test_the_opening_moment_is_open(self) -> None:
        assert OFFICE.is_open(sh(2026, 3, 3, 9))

    def test_the_moment_before_opening_is_closed(self) -> None:
        assert not OFFICE.is_open(sh(2026, 3, 3, 9) - timedelta(microseconds=1))

    def test_the_moment_before_closing_is_open(self) -> None:
        assert OFFICE.is_open(sh(2026, 3, 3, 18) - timedelta(microseconds=1))

    def test_the_closing_moment_is_closed(self) -> None:
        assert not OFFICE.is_open(sh(2026, 3, 3, 18))

    def test_a_weekend_is_closed(self) -> None:
        assert not OFFICE.is_open(sh(2026, 3, 7, 12))

    def test_the_zone_of_the_question_does_not_matter(self) -> None:
        assert OFFICE.is_open(datetime(2026, 3, 3, 1, 0, tzinfo=UTC))
        assert not OFFICE.is_open(datetime(2026, 3, 3, 10, 0, tzinfo=UTC))

    def test_the_lunch_break_is_closed(self) -> None:
        split = calendar({"tue": ["09:00-12:00", "13:00-18:00"]})

        assert [split.is_open(sh(2026, 3, 3, hour)) for hour in (11, 12, 13)] == [True, False, True]


class TestAdd:
    def test_time_within_one_day_is_plain_arithmetic(self) -> None:
        assert OFFICE.add(sh(2026, 3, 3, 10), 3 * HOUR) == sh(2026, 3, 3, 13)

    def test_the_rest_of_the_time_goes_on_the_next_morning(self) -> None:
        assert OFFICE.add(sh(2026, 3, 3, 17), 2 * HOUR) == sh(2026, 3, 4, 10)

    def test_a_weekend_is_skipped(self) -> None:
        assert OFFICE.add(sh(2026, 3, 6, 17, 30), HOUR) == sh(2026, 3, 9, 9, 30)

    def test_time_that_ends_with_the_day_ends_that_evening_not_the_next_morning(self) -> None:
        assert OFFICE.add(sh(2026, 3, 6, 9), 9 * HOUR) == sh(2026, 3, 6, 18)

    def test_a_clock_started_at_night_runs_from_the_morning(self) -> None:
        assert OFFICE.add(sh(2026, 3, 3, 2), HOUR) == sh(2026, 3, 3, 10)

    def test_no_working_time_is_the_moment_itself_even_when_closed(self) -> None:
        assert OFFICE.add(sh(2026, 3, 7, 2), timedelta(0)) == sh(2026, 3, 7, 2)

    def test_the_answer_is_in_utc(self) -> None:
        assert OFFICE.add(sh(2026, 3, 3, 10), HOUR).tzinfo is UTC
        assert calendar(EVERY_DAY).add(sh(2026, 3, 3, 10), HOUR).tzinfo is UTC

    def test_around_the_clock_is_plain_arithmetic(self) -> None:
        assert calendar(EVERY_DAY).add(sh(2026, 3, 7, 23), 25 * HOUR) == sh(2026, 3, 9, 0)

    def test_a_calendar_that_never_opens_says_so_with_its_name(self) -> None:
        never = BusinessCalendar("museum", "Asia/Shanghai", ((),) * 7)

        with pytest.raises(CalendarNeverOpensError, match="'museum' does not open"):
            never.add(sh(2026, 3, 3, 10), MINUTE)

    def test_a_calendar_that_opens_on_one_named_day_only_gives_up_after_it(self) -> None:
        once = BusinessCalendar(
            "fair", "Asia/Shanghai", (((time(9), time(12)),), *((),) * 6), closed_on=frozenset(_mondays(2026, 2037))
        )

        with pytest.raises(CalendarNeverOpensError):
            once.add(sh(2026, 3, 3), MINUTE)


def _mondays(first_year: int, last_year: int) -> list[date]:
    monday = date(first_year, 1, 1) + timedelta(days=-date(first_year, 1, 1).weekday() % 7)
    days = []
    while monday.year <= last_year:
        days.append(monday)
        monday += timedelta(days=7)
    return days


class TestBetween:
    def test_a_working_week_has_five_days_of_nine_hours(self) -> None:
        assert OFFICE.between(sh(2026, 3, 2), sh(2026, 3, 9)) == 45 * HOUR

    def test_closed_time_counts_nothing(self) -> None:
        assert OFFICE.between(sh(2026, 3, 6, 18), sh(2026, 3, 9, 9)) == timedelta(0)

    def test_parts_of_two_days_add_up(self) -> None:
        assert OFFICE.between(sh(2026, 3, 3, 16, 30), sh(2026, 3, 4, 10, 15)) == timedelta(hours=2, minutes=45)

    def test_an_end_before_the_start_counts_nothing(self) -> None:
        assert OFFICE.between(sh(2026, 3, 4, 12), sh(2026, 3, 3, 12)) == timedelta(0)
        assert calendar(EVERY_DAY).between(sh(2026, 3, 4), sh(2026, 3, 3)) == timedelta(0)

    def test_a_year_around_the_clock_is_a_year(self) -> None:
        assert calendar(EVERY_DAY).between(sh(2026, 1, 1), sh(2027, 1, 1)) == timedelta(days=365)

    def test_a_calendar_that_never_opens_measures_nothing(self) -> None:
        never = BusinessCalendar("museum", "Asia/Shanghai", ((),) * 7)

        assert never.between(sh(2026, 1, 1), sh(2027, 1, 1)) == timedelta(0)


class TestMidnight:
    EVENING = calendar({"fri": ["18:00-24:00"], "sat": ["00:00-02:00"]})

    def test_an_evening_until_midnight_joins_the_early_morning_after(self) -> None:
        assert self.EVENING.between(sh(2026, 3, 6, 17), sh(2026, 3, 7, 3)) == 8 * HOUR

    def test_midnight_itself_is_open_when_the_next_day_begins_with_it(self) -> None:
        assert self.EVENING.is_open(sh(2026, 3, 7, 0))

    def test_midnight_itself_is_closed_when_the_next_day_does_not_begin_with_it(self) -> None:
        assert not calendar({"fri": ["18:00-24:00"]}).is_open(sh(2026, 3, 7, 0))

    def test_adding_runs_through_midnight(self) -> None:
        assert self.EVENING.add(sh(2026, 3, 6, 23), 2 * HOUR) == sh(2026, 3, 7, 1)

    def test_a_leap_day_is_a_day_like_any_other(self) -> None:
        assert OFFICE.between(sh(2028, 2, 28), sh(2028, 3, 1)) == 18 * HOUR
        assert OFFICE.add(sh(2028, 2, 28, 17), 10 * HOUR) == sh(2028, 2, 29, 18)
        assert OFFICE.add(sh(2028, 2, 28, 17), 10 * HOUR + MINUTE) == sh(2028, 3, 1, 9, 1)


class TestHolidays:
    def test_national_day_is_closed_and_its_make_up_saturday_is_open(self) -> None:
        # 30 September, then 8, 9 and Saturday 10 October; 1 to 7 October are off.
        assert CHINA.between(sh(2026, 9, 30), sh(2026, 10, 12)) == 36 * HOUR

    def test_a_clock_sleeps_through_national_day(self) -> None:
        assert CHINA.add(sh(2026, 9, 30, 17), 2 * HOUR) == sh(2026, 10, 8, 10)

    @pytest.mark.parametrize("day", [date(2026, 2, 14), date(2026, 9, 20), date(2026, 10, 10)])
    def test_a_make_up_day_is_open_although_it_is_a_weekend(self, day: date) -> None:
        noon = datetime.combine(day, time(12), SHANGHAI)

        assert day.weekday() >= 5
        assert CHINA.is_open(noon)
        assert not OFFICE.is_open(noon)

    def test_a_make_up_day_has_the_hours_of_a_monday(self) -> None:
        short_monday = calendar({**WORKDAYS, "mon": ["10:00-16:00"], "sat": ["09:00-10:00"]}, holidays="CN")

        assert short_monday.between(sh(2026, 2, 14), sh(2026, 2, 15)) == 6 * HOUR

    def test_a_make_up_day_is_known_to_a_country_that_nobody_asked_about_before(self) -> None:
        # 7 December 2024 was a working Saturday in Hungary.
        hungary = calendar(WORKDAYS, "Europe/Budapest", holidays="HU")

        assert hungary.is_open(datetime(2024, 12, 7, 12, tzinfo=ZoneInfo("Europe/Budapest")))

    def test_a_year_without_known_make_up_days_keeps_its_weekends_and_holidays_closed(self) -> None:
        assert not CHINA.is_open(sh(2027, 10, 1, 12))
        assert not CHINA.is_open(sh(2027, 10, 9, 12))
        assert CHINA.between(sh(2027, 10, 11), sh(2027, 10, 18)) == 45 * HOUR

    def test_a_holiday_closes_a_calendar_that_is_otherwise_always_open(self) -> None:
        always = calendar(EVERY_DAY, holidays="CN")

        assert not always.always_open
        assert always.between(sh(2026, 9, 30), sh(2026, 10, 4)) == 24 * HOUR

    def test_a_closed_day_closes_a_calendar_that_is_otherwise_always_open(self) -> None:
        always = calendar(EVERY_DAY, closed_on={date(2026, 3, 4)})

        assert not always.always_open
        assert always.between(sh(2026, 3, 3), sh(2026, 3, 6)) == 48 * HOUR

    def test_around_the_clock_without_holidays_is_always_open(self) -> None:
        assert calendar(EVERY_DAY).always_open
        assert not OFFICE.always_open

    def test_another_country_has_its_own_holidays(self) -> None:
        germany = calendar(WORKDAYS, "Europe/Berlin", holidays="DE")
        noon = datetime(2026, 10, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))

        assert germany.is_open(noon)
        assert not germany.is_open(datetime(2026, 12, 25, 12, tzinfo=ZoneInfo("Europe/Berlin")))

    @pytest.mark.parametrize("country", ["AT", "BE", "DK", "ES", "FI", "FR", "IT", "NL", "NO", "PL", "PT", "SE"])
    def test_threads_that_ask_at_once_all_find_the_holiday_closed(self, country: str) -> None:
        shop = calendar(EVERY_DAY, "Europe/Paris", holidays=country)
        christmas, barrier = datetime(2030, 12, 25, 12, tzinfo=ZoneInfo("Europe/Paris")), Barrier(8)

        def ask(_: int) -> bool:
            barrier.wait()
            return shop.is_open(christmas)

        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(ask, range(8)))
        finally:
            sys.setswitchinterval(before)

        assert answers == [False] * 8


class TestNamedDays:
    def test_a_closed_day_wins_over_the_week(self) -> None:
        assert calendar(WORKDAYS, closed_on={date(2026, 3, 3)}).add(sh(2026, 3, 2, 17), 2 * HOUR) == sh(2026, 3, 4, 10)

    def test_a_closed_day_wins_over_a_make_up_day(self) -> None:
        assert not calendar(WORKDAYS, holidays="CN", closed_on={date(2026, 2, 14)}).is_open(sh(2026, 2, 14, 12))

    def test_an_open_day_wins_over_a_holiday_with_the_hours_of_its_weekday(self) -> None:
        weekly = {**WORKDAYS, "thu": ["09:00-11:00"]}

        assert calendar(weekly, holidays="CN", open_on={date(2026, 10, 1)}).between(
            sh(2026, 10, 1), sh(2026, 10, 2)
        ) == timedelta(hours=2)

    def test_an_open_day_without_hours_of_its_own_has_those_of_a_monday(self) -> None:
        weekly = {**WORKDAYS, "mon": ["09:00-13:00"]}

        assert calendar(weekly, open_on={date(2026, 3, 8)}).between(sh(2026, 3, 8), sh(2026, 3, 9)) == 4 * HOUR

    def test_closed_wins_when_a_day_is_named_as_both(self) -> None:
        day = {date(2026, 3, 3)}

        assert not calendar(WORKDAYS, closed_on=day, open_on=day).is_open(sh(2026, 3, 3, 12))


class TestDaylightSaving:
    def test_the_day_the_clock_jumps_ahead_has_23_hours(self) -> None:
        sundays = calendar({"sun": ["00:00-24:00"]}, "America/New_York")

        assert sundays.between(_ny(3, 7), _ny(3, 10)) == 23 * HOUR

    def test_the_day_the_clock_falls_back_has_25_hours(self) -> None:
        sundays = calendar({"sun": ["00:00-24:00"]}, "America/New_York")

        assert sundays.between(_ny(10, 31), _ny(11, 3)) == 25 * HOUR

    def test_lord_howe_moves_by_half_an_hour(self) -> None:
        sundays = calendar({"sun": ["00:00-24:00"]}, "Australia/Lord_Howe")
        autumn, spring = datetime(2026, 4, 5, tzinfo=LORD_HOWE), datetime(2026, 10, 4, tzinfo=LORD_HOWE)

        assert sundays.between(autumn, autumn + timedelta(days=1)) == timedelta(hours=24, minutes=30)
        assert sundays.between(spring, spring + timedelta(days=1)) == timedelta(hours=23, minutes=30)

    def test_office_hours_stay_at_their_local_time_across_the_change(self) -> None:
        office = calendar(WORKDAYS, "America/New_York")

        assert office.add(_ny(3, 6, 17), 2 * HOUR) == datetime(2026, 3, 9, 14, tzinfo=UTC)
        assert office.add(_ny(3, 5, 17), 2 * HOUR) == datetime(2026, 3, 6, 15, tzinfo=UTC)

    def test_an_opening_time_that_is_skipped_is_the_moment_of_the_jump(self) -> None:
        early = calendar({"sun": ["02:30-18:00"]}, "America/New_York")

        assert early.add(_ny(3, 8), HOUR) == datetime(2026, 3, 8, 8, tzinfo=UTC)  # jump at 07:00 UTC

    def test_a_closing_time_that_is_skipped_is_the_moment_of_the_jump(self) -> None:
        late = calendar({"sun": ["01:00-02:30"]}, "America/New_York")

        assert late.between(_ny(3, 8), _ny(3, 9)) == HOUR

    def test_a_period_that_is_skipped_whole_is_left_out(self) -> None:
        gone = calendar({"sun": ["02:00-02:45"]}, "America/New_York")

        assert gone.between(_ny(3, 8), _ny(3, 9)) == timedelta(0)

    def test_no_minute_counts_twice_when_a_period_is_skipped_before_another(self) -> None:
        two = calendar({"sun": ["02:00-02:30", "03:00-03:30"]}, "America/New_York")

        assert two.between(_ny(3, 8), _ny(3, 9)) == timedelta(minutes=30)

    def test_a_day_that_a_country_skips_is_left_out(self) -> None:
        # Samoa went from 29 to 31 December 2011.
        samoa, zone = calendar({day: ["09:00-18:00"] for day in WEEKDAYS}, "Pacific/Apia"), ZoneInfo("Pacific/Apia")

        assert samoa.between(datetime(2011, 12, 29, tzinfo=zone), datetime(2012, 1, 1, tzinfo=zone)) == 18 * HOUR


def _ny(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=NEW_YORK)


class TestParsing:
    def test_hours_become_one_entry_per_weekday_from_monday(self) -> None:
        week = parse_weekly_hours({"tue": ["09:00-12:00", "13:30-24:00"], "sun": [" 00:00-24:00 "]})

        assert week == (
            (),
            ((time(9), time(12)), (time(13, 30), time(0))),
            (),
            (),
            (),
            (),
            ((time(0), time(0)),),
        )

    def test_periods_may_touch(self) -> None:
        assert parse_weekly_hours({"mon": ["09:00-12:00", "12:00-13:00"]})[0] == (
            (time(9), time(12)),
            (time(12), time(13)),
        )

    @pytest.mark.parametrize(
        "text",
        ["9-18", "9:00-18:00", "09:00", "09:00-25:00", "24:00-09:00", "09:60-10:00", "09.00-18.00", "", "closed"],
    )
    def test_a_text_that_is_no_period_is_named_with_its_weekday(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"wed: .* is no period; write it like 09:00-18:00") as fault:
            parse_weekly_hours({"mon": ["09:00-18:00"], "wed": [text]})

        assert repr(text) in str(fault.value)

    @pytest.mark.parametrize("text", ["18:00-09:00", "09:00-09:00"])
    def test_a_period_that_closes_before_it_opens_is_named_with_its_weekday(self, text: str) -> None:
        with pytest.raises(ValueError, match=f"fri: '{text}' closes before it opens"):
            parse_weekly_hours({"fri": [text]})

    @pytest.mark.parametrize("second", ["11:59-13:00", "08:00-09:00", "09:00-10:00"])
    def test_overlapping_or_unordered_periods_are_named_with_their_weekday(self, second: str) -> None:
        with pytest.raises(ValueError, match=f"sat: '{second}' overlaps the period before it"):
            parse_weekly_hours({"sat": ["09:00-12:00", second]})

    def test_nothing_may_follow_a_period_until_midnight(self) -> None:
        with pytest.raises(ValueError, match="sat: '23:00-23:30' overlaps"):
            parse_weekly_hours({"sat": ["18:00-24:00", "23:00-23:30"]})

    def test_an_unknown_weekday_is_named_with_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match="'monday' is no weekday; use mon, tue, wed, thu, fri, sat, sun"):
            parse_weekly_hours({"monday": ["09:00-18:00"]})

    @pytest.mark.parametrize("weekly", [{}, {"mon": []}])
    def test_a_week_that_never_opens_is_refused(self, weekly: dict[str, list[str]]) -> None:
        with pytest.raises(ValueError, match="opens on no weekday"):
            parse_weekly_hours(weekly)


# The oracle: what a clerk finds who watches the wall clock minute by minute.

DAYS_WATCHED = 5
SCENES = [  # zone, local day in the middle of what is watched
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Santiago", date(2026, 4, 4)),  # the hour before midnight comes twice
    ("America/Santiago", date(2026, 9, 6)),  # midnight is skipped
    ("America/Havana", date(2026, 11, 1)),  # the hour after midnight comes twice
    ("Asia/Shanghai", date(2028, 2, 29)),
]


@lru_cache
def furthest_shown(zone: str, middle: date) -> tuple[datetime, list[datetime]]:
    """The first minute watched (UTC) and, for each minute, the furthest local time the wall clock has shown so far.

    Reading the furthest time says what a clock change does to service hours: a skipped opening time is reached by
    the jump, a repeated hour reaches nothing new.
    """
    first = datetime.combine(middle, time(0), UTC) - timedelta(days=2)
    local = ZoneInfo(zone)
    begin = first - timedelta(days=1)
    furthest, shown = begin.astimezone(local).replace(tzinfo=None), []
    for minute in range((DAYS_WATCHED + 1) * 1440):
        furthest = max(furthest, (begin + minute * MINUTE).astimezone(local).replace(tzinfo=None))
        shown.append(furthest)
    return first, shown[1440:]


def minutes_open(zone: str, middle: date, week: list[list[tuple[int, int]]]) -> list[bool]:
    def is_open(local: datetime) -> bool:
        minute = local.hour * 60 + local.minute
        return any(opens <= minute < closes for opens, closes in week[local.weekday()])

    return [is_open(local) for local in furthest_shown(zone, middle)[1]]


def hhmm(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@st.composite
def days(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Non-overlapping periods in minutes of the day, on a grid fine enough to hit inside a clock change."""
    marks = sorted(draw(st.sets(st.integers(0, 96).map(lambda quarter: quarter * 15), max_size=6)))
    return [(a, b) for a, b in zip(marks[::2], marks[1::2], strict=False)]


weeks = st.lists(days(), min_size=7, max_size=7).filter(any)
scenes = st.sampled_from(SCENES)
minutes = st.integers(0, DAYS_WATCHED * 1440 - 1)


def build(zone: str, week: list[list[tuple[int, int]]]) -> BusinessCalendar:
    return calendar(
        {name: [f"{hhmm(a)}-{hhmm(b)}" for a, b in day] for name, day in zip(WEEKDAYS, week, strict=True)}, zone
    )


class TestAgainstCountingMinutes:
    @given(scene=scenes, week=weeks, one=minutes, other=minutes)
    @settings(deadline=None, max_examples=200)
    def test_between_counts_the_open_minutes(
        self, scene: tuple[str, date], week: list[list[tuple[int, int]]], one: int, other: int
    ) -> None:
        start, end = sorted((one, other))
        first, _ = furthest_shown(*scene)
        opened = minutes_open(*scene, week)

        measured = build(scene[0], week).between(first + start * MINUTE, first + end * MINUTE)

        assert measured == sum(opened[start:end]) * MINUTE

    @given(scene=scenes, week=weeks)
    @settings(deadline=None, max_examples=40)
    def test_is_open_agrees_in_every_minute(self, scene: tuple[str, date], week: list[list[tuple[int, int]]]) -> None:
        first, _ = furthest_shown(*scene)
        calendar_ = build(scene[0], week)

        found = [calendar_.is_open(first + minute * MINUTE) for minute in range(0, DAYS_WATCHED * 1440, 5)]

        assert found == minutes_open(*scene, week)[::5]

    @given(scene=scenes, week=weeks, start=minutes, wanted=st.integers(1, 3 * 1440))
    @settings(deadline=None, max_examples=200)
    def test_add_ends_with_the_minute_that_completes_the_time(
        self, scene: tuple[str, date], week: list[list[tuple[int, int]]], start: int, wanted: int
    ) -> None:
        first, _ = furthest_shown(*scene)
        open_minutes = [m for m, is_open in enumerate(minutes_open(*scene, week)) if is_open and m >= start]
        last_watched = first + DAYS_WATCHED * 1440 * MINUTE

        ended = build(scene[0], week).add(first + start * MINUTE, wanted * MINUTE)

        if wanted <= len(open_minutes):
            assert ended == first + (open_minutes[wanted - 1] + 1) * MINUTE
        else:
            assert ended > last_watched


moments = st.timedeltas(timedelta(0), timedelta(days=850)).map(lambda later: datetime(2025, 12, 1, tzinfo=UTC) + later)
working_times = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(hours=12))
calendars = st.one_of(
    st.builds(build, scenes.map(lambda scene: scene[0]), weeks),
    st.sampled_from([CHINA, OFFICE, calendar(EVERY_DAY), calendar(WORKDAYS, "Europe/Berlin", holidays="DE")]),
)


class TestLaws:
    @given(calendar_=calendars, moment=moments, working_time=working_times)
    @settings(deadline=None)
    def test_between_measures_what_add_added(
        self, calendar_: BusinessCalendar, moment: datetime, working_time: timedelta
    ) -> None:
        assert calendar_.between(moment, calendar_.add(moment, working_time)) == working_time

    @given(calendar_=calendars, moment=moments, working_time=working_times)
    @settings(deadline=None)
    def test_add_gives_the_earliest_such_moment(
        self, calendar_: BusinessCalendar, moment: datetime, working_time: timedelta
    ) -> None:
        just_before = calendar_.add(moment, working_time) - timedelta.resolution

        assert calendar_.between(moment, just_before) == working_time - timedelta.resolution

    @given(calendar_=calendars, moment=moments, later=working_times, working_time=working_times)
    @settings(deadline=None)
    def test_a_later_start_never_ends_earlier(
        self, calendar_: BusinessCalendar, moment: datetime, later: timedelta, working_time: timedelta
    ) -> None:
        assert calendar_.add(moment, working_time) <= calendar_.add(moment + later, working_time)

    @given(calendar_=calendars, moment=moments, one=working_times, more=working_times)
    @settings(deadline=None)
    def test_more_working_time_always_ends_later(
        self, calendar_: BusinessCalendar, moment: datetime, one: timedelta, more: timedelta
    ) -> None:
        assert calendar_.add(moment, one) < calendar_.add(moment, one + more)

    @given(calendar_=calendars, moment=moments, one=working_times, more=working_times)
    @settings(deadline=None)
    def test_adding_in_two_steps_is_adding_at_once(
        self, calendar_: BusinessCalendar, moment: datetime, one: timedelta, more: timedelta
    ) -> None:
        assert calendar_.add(calendar_.add(moment, one), more) == calendar_.add(moment, one + more)

    @given(calendar_=calendars, three=st.lists(moments, min_size=3, max_size=3).map(sorted))
    @settings(deadline=None)
    def test_two_stretches_measure_as_much_as_the_whole(
        self, calendar_: BusinessCalendar, three: list[datetime]
    ) -> None:
        start, middle, end = three

        assert calendar_.between(start, middle) + calendar_.between(middle, end) == calendar_.between(start, end)

    @given(calendar_=calendars, moment=moments)
    @settings(deadline=None)
    def test_a_moment_is_open_exactly_when_the_instant_after_it_counts(
        self, calendar_: BusinessCalendar, moment: datetime
    ) -> None:
        instant = timedelta.resolution

        assert calendar_.is_open(moment) == (calendar_.between(moment, moment + instant) == instant)
