"""Spans of reports: five periods that touch, with their borders at midnight where the organisation is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.exceptions import InvalidInputError
from domain.spans import days_between, last_full_month, last_full_week, month_named, month_of, week_named, week_of

SHANGHAI = "Asia/Shanghai"


def test_a_span_is_five_periods_that_touch_at_midnight() -> None:
    for span, labels in (
        (week_of(date(2027, 1, 6), SHANGHAI), ["2026-W50", "2026-W51", "2026-W52", "2026-W53", "2027-W01"]),
        (month_of(date(2027, 2, 28), SHANGHAI), ["2026-10", "2026-11", "2026-12", "2027-01", "2027-02"]),
        (
            days_between(date(2026, 11, 9), date(2026, 11, 10), SHANGHAI),
            [f"2026-11-0{day}/2026-11-{day + 1:02d}" for day in (1, 3, 5, 7)] + ["2026-11-09/2026-11-10"],
        ),
    ):
        assert list(span.labels) == labels
        assert span.label == labels[-1]
        assert len(span.borders) == 6
        assert list(span.borders) == sorted(span.borders)
        assert {(moment.hour, moment.minute) for moment in span.borders} == {(0, 0)}
        assert (span.before, span.since, span.until) == span.borders[-3:]
        assert (span.region, span.within("east").region) == (None, "east")


def test_a_week_in_which_the_clocks_change_has_an_hour_more_or_less() -> None:
    def hours(day: date) -> float:
        span = week_of(day, "America/New_York")
        return (span.until.astimezone(UTC) - span.since.astimezone(UTC)) / timedelta(hours=1)

    assert [hours(date(2026, 11, 1)), hours(date(2026, 11, 8)), hours(date(2026, 3, 8))] == [169, 168, 167]


@pytest.mark.parametrize("second", [0, -1])
def test_the_last_full_span_is_the_one_before_this_where_the_organisation_is(second: int) -> None:
    monday = datetime(2026, 11, 29, 16, 0, tzinfo=UTC) + timedelta(seconds=second)  # Monday 00:00 in Shanghai
    first = datetime(2026, 11, 30, 16, 0, tzinfo=UTC) + timedelta(seconds=second)  # 1 December 00:00

    assert last_full_week(monday, SHANGHAI).label == ("2026-W47" if second else "2026-W48")
    assert last_full_month(first, SHANGHAI).label == ("2026-10" if second else "2026-11")
    assert week_of(date(2026, 11, 24), SHANGHAI).since == datetime(2026, 11, 23, tzinfo=ZoneInfo(SHANGHAI))


@pytest.mark.parametrize("label", ["2026-W54", "2026-W00", "2026-W1", "1999-W01", "２０２６-W01", "2026-W01\n", ""])
def test_what_is_no_week_is_refused(label: str) -> None:
    with pytest.raises(InvalidInputError, match="is no week"):
        week_named(label, SHANGHAI)


@pytest.mark.parametrize("label", ["2026-13", "2026-00", "2026-1", "1999-01", "2026-0１", "2026-01\n", "2026-11-01"])
def test_what_is_no_month_is_refused(label: str) -> None:
    with pytest.raises(InvalidInputError, match="is no month"):
        month_named(label, SHANGHAI)


def test_names_are_read_back_and_too_many_days_refused() -> None:
    assert week_named("2026-W53", SHANGHAI).label == "2026-W53"
    assert month_named("2026-02", SHANGHAI).label == "2026-02"
    with pytest.raises(InvalidInputError, match="91 after it"):
        days_between(date(2026, 1, 1), date(2026, 4, 3), SHANGHAI)
    with pytest.raises(InvalidInputError, match="century"):
        days_between(date(1999, 1, 1), date(1999, 1, 1), SHANGHAI)
