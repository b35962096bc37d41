"""What operators draft is taken whole or refused with the place and what to mend."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest

from domain.exceptions import StandardError
from domain.standard import load_version
from domain.standard_change import read_draft
from domain.tickets import Channel, Priority

NIGHT = {"night": {"time_zone": "Asia/Shanghai", "weekly": {"mon": ["20:00-24:00"]}, "closed_on": ["2026-10-01"]}}


def test_both_drafts_are_one_version() -> None:
    draft = {"priorities": {"P3": {"response": "10h"}}, "courtesy": {"quiet_from": "22:00"}}
    draft |= {"channels": {"hotline": "night"}}

    standard = load_version(None, 3, read_draft(draft, NIGHT))

    assert standard.version == 3
    assert standard.priorities[Priority.P3].response == timedelta(hours=10)
    assert standard.courtesy.quiet_from == time(22)
    assert standard.calendar_for(Priority.P3, Channel.HOTLINE) == "night"


def test_empty_drafts_are_the_files_alone() -> None:
    assert read_draft({}, {}) == {}


@pytest.mark.parametrize(
    ("standard", "calendars", "sentence"),
    [
        ({"colour": 1}, {}, "aftercare_standard: colour: no such figure; see domain/standard.toml for the names"),
        (
            {"priorities": {"P2": {"response": "6 hours"}}},
            {},
            "aftercare_standard: priorities.P2.response: '6 hours' is no duration; write it like 30m, 2h, 1h30m or 7d",
        ),
        ({"priorities": {"P2": "fast"}}, {}, "aftercare_standard: priorities.P2: Input should be a valid dictionary"),
        ({"courtesy": {"quiet_from": "9 pm"}}, {}, "aftercare_standard: courtesy.quiet_from: '9 pm' is no time of day"),
        ({"channels": {"chat": "moon"}}, {}, "aftercare_standard: chat: no calendar 'moon'; known are always, office"),
        ({}, {"night": {"weekly": {"mon": []}}}, "aftercare_calendars: calendars.night.time_zone: is missing"),
        ({}, {"night": 5}, "aftercare_calendars: calendars.night: Input should be a valid dictionary"),
        ("priorities", {}, "aftercare_standard: is str, not a table"),
        ({}, [1], "aftercare_calendars: is list, not a table"),
        ({}, None, "aftercare_calendars: is NoneType, not a table"),
        ({"calendars": NIGHT}, {}, "aftercare_standard: calendars: belong in aftercare_calendars"),
        ({"organisation": {"name": {"en": "a\x00"}}}, {}, "aftercare_standard: holds a NUL character"),
        ({"organisation": {"name": {"en": "\ud800"}}}, {}, "aftercare_standard: holds what is neither text nor number"),
        ({"targets": {"overall_mean": float("inf")}}, {}, "aftercare_standard: holds what is neither text nor number"),
    ],
)
def test_nonsense_is_refused_with_its_place(standard: Any, calendars: Any, sentence: str) -> None:
    with pytest.raises(StandardError) as refused:
        load_version(None, 1, read_draft(standard, calendars))

    assert str(refused.value).startswith(sentence)
