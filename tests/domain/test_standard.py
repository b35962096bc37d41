"""This file checks that default figures load, an operator's figures win, and a bad file is refused in a sentence."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.escalation import Listener, Rung
from domain.exceptions import StandardError
from domain.figures import parse_duration
from domain.people import CustomerTier
from domain.sla import ClockKind
from domain.standard import Standard, load_standard
from domain.tickets import Category, Channel, Priority

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
FIGURES: dict[str, Any] = tomllib.loads(resources.files("domain").joinpath("standard.toml").read_text("utf-8"))


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    return tmp_path / "own.toml"


def overlaid(own_file: Path, text: str) -> Standard:
    own_file.write_text(text, encoding="utf-8")
    return load_standard(own_file)


def refusal(own_file: Path, text: str) -> str:
    """The sentence of the refusal, without the name of the file with which it must begin."""
    with pytest.raises(StandardError) as caught:
        overlaid(own_file, text)
    message = str(caught.value)
    assert message.startswith(f"{own_file}: ")
    assert "\n" not in message
    return message.removeprefix(f"{own_file}: ")


class TestDefaults:
    @pytest.mark.parametrize(
        ("priority", "response", "resolution"),
        [(Priority.P1, 2, 24), (Priority.P2, 4, 48), (Priority.P3, 8, 72)],
    )
    def test_the_priorities_promise_what_the_standard_says(
        self, priority: Priority, response: int, resolution: int
    ) -> None:
        standard = load_standard()

        assert standard.target(ClockKind.RESPONSE, priority) == response * HOUR
        assert standard.target(ClockKind.RESOLUTION, priority) == resolution * HOUR
        assert standard.target(ClockKind.ASSIGNMENT, priority) == timedelta(minutes=30)

    @pytest.mark.parametrize("channel", list(Channel))
    def test_an_urgent_ticket_runs_day_and_night_whatever_the_channel(self, channel: Channel) -> None:
        assert load_standard().calendar_for(Priority.P1, channel) == "always"

    @pytest.mark.parametrize(
        ("channel", "calendar"),
        [(Channel.HOTLINE, "always"), (Channel.CHAT, "office"), (Channel.WEB, "always"), (Channel.EMAIL, "office")],
    )
    def test_other_tickets_run_by_the_hours_of_their_channel(self, channel: Channel, calendar: str) -> None:
        assert load_standard().calendar_for(Priority.P3, channel) == calendar

    def test_the_office_has_nine_hours_on_a_chinese_working_day(self) -> None:
        office = load_standard().calendar("office")

        # 30 September, 8, 9 and the make-up Saturday 10 October 2026.
        assert office.between(
            datetime(2026, 9, 30, tzinfo=SHANGHAI), datetime(2026, 10, 12, tzinfo=SHANGHAI)
        ) == 36 * HOUR  # fmt: skip

    def test_the_calendar_called_always_is(self) -> None:
        assert load_standard().calendar("always").always_open

    def test_an_unknown_calendar_is_named(self) -> None:
        with pytest.raises(StandardError, match="has no calendar 'moon'"):
            load_standard().calendar("moon")

    def test_response_and_resolution_have_four_rungs(self) -> None:
        ladder = (
            Rung(0.5, (Listener.ASSIGNEE,)),
            Rung(0.8, (Listener.ASSIGNEE, Listener.SUPERVISOR)),
            Rung(1.0, (Listener.ASSIGNEE, Listener.SUPERVISOR), climbs_tier=True),
            Rung(1.25, (Listener.MANAGER,)),
        )

        assert load_standard().ladder_for(ClockKind.RESPONSE) == ladder
        assert load_standard().ladder_for(ClockKind.RESOLUTION) == ladder

    def test_a_ticket_that_nobody_took_is_the_supervisors(self) -> None:
        assert load_standard().ladder_for(ClockKind.ASSIGNMENT) == (Rung(1.0, (Listener.SUPERVISOR,)),)

    def test_survey_and_callback_are_timed_as_the_standard_says(self) -> None:
        standard = load_standard()

        assert standard.survey.after == 24 * HOUR
        assert standard.callback.within == HOUR
        assert standard.callback.low_score == 3
        assert standard.survey.by_phone_for_categories == {Category.COMPLAINT}
        assert standard.survey.by_phone_for_tiers == {CustomerTier.VALUED}

    def test_the_published_benchmarks_are_known(self) -> None:
        benchmarks = load_standard().benchmarks

        assert (benchmarks.answered_within, benchmarks.answered_share) == (24 * HOUR, 0.70)
        assert (benchmarks.informed_within_working_days, benchmarks.informed_share) == (3, 0.85)


class TestOverlay:
    def test_one_figure_changes_and_all_others_stay(self, own_file: Path) -> None:
        changed = overlaid(own_file, '[priorities.P2]\nresponse = "3h"\n').model_dump()

        expected = load_standard().model_dump()
        expected["priorities"][Priority.P2]["response"] = 3 * HOUR
        assert changed == expected

    def test_an_empty_file_changes_nothing(self, own_file: Path) -> None:
        assert overlaid(own_file, "") == load_standard()

    def test_a_week_is_replaced_whole(self, own_file: Path) -> None:
        standard = overlaid(own_file, '[calendars.office]\nweekly = { sat = ["10:00-12:00"] }\n')

        assert standard.calendars["office"].weekly == {"sat": ["10:00-12:00"]}
        assert standard.calendars["office"].holidays == "CN"

    def test_the_ladder_is_replaced_whole(self, own_file: Path) -> None:
        standard = overlaid(own_file, '[[escalation]]\nat = 1\ntells = ["manager"]\n')

        assert standard.ladder == (Rung(1.0, (Listener.MANAGER,)),)

    def test_a_calendar_of_ones_own_can_be_used_by_a_channel(self, own_file: Path) -> None:
        text = (
            '[calendars.berlin]\ntime_zone = "Europe/Berlin"\nholidays = "DE"\nclosed_on = [2026-12-24]\n'
            'weekly = { thu = ["08:00-16:00"] }\n[channels]\nchat = "berlin"\n'
        )

        standard = overlaid(own_file, text)

        assert standard.calendar_for(Priority.P2, Channel.CHAT) == "berlin"
        berlin = standard.calendar("berlin")
        assert berlin.is_open(datetime(2026, 12, 17, 8, tzinfo=ZoneInfo("Europe/Berlin")))
        assert not berlin.is_open(datetime(2026, 12, 24, 8, tzinfo=ZoneInfo("Europe/Berlin")))

    def test_an_open_day_of_ones_own_is_open(self, own_file: Path) -> None:
        office = overlaid(own_file, "[calendars.office]\nopen_on = [2026-10-01]\n").calendar("office")

        assert office.is_open(datetime(2026, 10, 1, 12, tzinfo=SHANGHAI))

    def test_the_organisations_name_in_one_language_leaves_the_other(self, own_file: Path) -> None:
        standard = overlaid(own_file, '[organisation.name]\nen = "Fridge & Sons"\n')

        assert standard.organisation.name == {"zh-CN": "安心售后", "en": "Fridge & Sons"}

    def test_figures_from_under_lie_over_the_default_and_beneath_the_operators(self, own_file: Path) -> None:
        own_file.write_text('[assignment]\nwithin = "10m"\n', encoding="utf-8")

        standard = load_standard(own_file, under={"assignment": {"within": "20m"}, "callback": {"within": "2h"}})

        assert standard.assignment.within == timedelta(minutes=10)
        assert standard.callback.within == 2 * HOUR
        assert standard.callback.low_score == 3

    def test_figures_from_under_need_no_file(self) -> None:
        assert load_standard(under={"assignment": {"within": "20m"}}).assignment.within == timedelta(minutes=20)


class TestBadFile:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("colour = 1", "colour: no such figure; see domain/standard.toml for the names"),
            ('[priorities.P1]\nresponce = "1h"', "priorities.P1.responce: no such figure; see domain/standard.toml"),
            ("priorities = 5", "priorities: Input should be a valid dictionary"),
            ("[priorities]\nP1 = 2", "priorities.P1: Input should be a valid dictionary"),
            ('[priorities.P4]\nresponse="1h"\nresolution="2h"', "priorities.P4: Input should be 'P1', 'P2' or 'P3'"),
            ("[assignment]\nwithin = 30", "assignment.within: 30 is no duration; write it like 30m, 2h, 1h30m or 7d"),
            ("[assignment]\nwithin = true", "assignment.within: True is no duration"),
            ('[assignment]\nwithin = "soon"', "assignment.within: 'soon' is no duration"),
            ('[assignment]\nwithin = "-5m"', "assignment.within: '-5m' is no duration"),
            ('[assignment]\nwithin = "1.5h"', "assignment.within: '1.5h' is no duration"),
            ('[assignment]\nwithin = "0m"', "assignment.within: '0m' must be longer than nothing and at most 366 days"),
            ('[assignment]\nwithin = "367d"', "assignment.within: '367d' must be longer than nothing and at most"),
            ('[assignment]\nwithin = "99999999999999999999d"', "assignment.within: '99999999999999999999d' must be"),
            ('[priorities.P1]\nresponse = "25h"', "priorities.P1: the response time is longer than the resolution"),
            ('[priorities.P1]\nresponse = "5h"', "priorities: P1 promises a slower response than P2"),
            ('[priorities.P2]\nresponse = "9h"', "priorities: P2 promises a slower response than P3"),
            ('[priorities.P2]\ncalendar = "moon"', "P2: no calendar 'moon'; known are always, office"),
            ('[channels]\nchat = "moon"', "chat: no calendar 'moon'; known are always, office"),
            ('[callback]\ncalendar = "moon"', "callback: no calendar 'moon'; known are always, office"),
            ('[channels]\nfax = "office"', "channels.fax: Input should be 'hotline', 'chat',"),
            ('[organisation]\ntime_zone = "Mars/Base"', "organisation.time_zone: 'Mars/Base' is no time zone; write"),
            ("[organisation]\ntime_zone = 8", "organisation.time_zone: 8 is no time zone; write it like Asia/Shanghai"),
            ('[organisation]\ntime_zone = ""', "organisation.time_zone: '' is no time zone"),
            ('[organisation]\ntime_zone = "../etc"', "organisation.time_zone: '../etc' is no time zone"),
            ('[organisation]\ndefault_phone_region = "86"', "organisation.default_phone_region: "),
            ('[calendars.office]\ntime_zone = "Asia"', "calendars.office.time_zone: 'Asia' is no time zone"),
            ('[calendars.office]\nholidays = "cn"', "calendars.office.holidays: no public holidays are known for 'cn'"),
            ('[calendars.office]\nweekly = { mon = ["9-18"] }', "calendars.office.weekly: mon: '9-18' is no period"),
            ('[calendars.office]\nweekly = { lun = [] }', "calendars.office.weekly: 'lun' is no weekday"),
            ("[calendars.office]\nweekly = {}", "calendars.office.weekly: opens on no weekday"),
            ('[calendars.x]\nweekly = { mon = ["09:00-18:00"] }', "calendars.x.time_zone: is missing"),
            ('[calendars.office]\nclosed_on = ["2026-13-01"]', "calendars.office.closed_on.0: "),
            ("escalation = []", "escalation: the rung at 1.0, the breach, is missing"),
            ('[[escalation]]\nat = 0.5\ntells = ["assignee"]', "escalation: the rung at 1.0, the breach, is missing"),
            (
                '[[escalation]]\nat = 1.0\ntells = ["assignee"]\n[[escalation]]\nat = 0.5\ntells = ["assignee"]',
                "escalation: the rungs must rise, each once",
            ),
            (
                '[[escalation]]\nat = 1.0\ntells = ["assignee"]\n[[escalation]]\nat = 1.0\ntells = ["manager"]',
                "escalation: the rungs must rise, each once",
            ),
            ('[[escalation]]\nat = 0\ntells = ["assignee"]', "escalation.0.at: "),
            ('[[escalation]]\nat = nan\ntells = ["assignee"]', "escalation.0.at: "),
            ('[[escalation]]\nat = 10.1\ntells = ["assignee"]', "escalation.0.at: "),
            ("[benchmarks]\ninformed_within_working_days = 0", "benchmarks.informed_within_working_days: "),
            ("[benchmarks]\ninformed_within_working_days = 31", "benchmarks.informed_within_working_days: "),
            ('[[escalation]]\nat = 1.0\ntells = []', "escalation.0.tells: "),
            ('[[escalation]]\nat = 1.0\ntells = ["boss"]', "escalation.0.tells.0: Input should be 'assignee'"),
            ('[survey]\nremind_after = "168h"', "survey: the reminder would come after the survey has expired"),
            ('[survey]\nby_phone_for_tiers = ["vip"]', "survey.by_phone_for_tiers.0: Input should be 'standard' or"),
            ("[callback]\nlow_score = 5", "callback.low_score: "),
            ("[callback]\nlow_score = 0", "callback.low_score: "),
            ("[benchmarks]\nanswered_share = 70", "benchmarks.answered_share: "),
            ('[organisation]\ndefault_language = "fr"', "organisation.name: has no name in the default language 'fr'"),
            ('[links]\nsurvey = "6d"', "links.survey: the link would expire before what it is for"),
            ('[links]\nsign_off = "71h"', "links.sign_off: the link would expire before what it is for"),
            ("[courtesy]\nquiet_from = 25", "courtesy.quiet_from: "),
            ("[courtesy]\nsms_segments = 0", "courtesy.sms_segments: "),
            ("[delivery]\nlook_up_after = [\"1m\"]", "delivery.look_up_after: "),
            ("[delivery.per_second]\nsms = 0", "delivery.per_second.sms: "),
            ('[follow_up_visit]\nannounced_before = "9d"', "follow_up_visit: the visit would be announced before"),
            ("response = ", "not readable as TOML: "),
            ("[calendars.office]\nclosed_on = [2026-02-30]", "not readable as TOML: "),
        ],
    )  # fmt: skip
    def test_a_bad_figure_is_refused_in_one_sentence_that_names_file_and_figure(
        self, own_file: Path, text: str, sentence: str
    ) -> None:
        assert refusal(own_file, text).startswith(sentence)

    def test_every_bad_figure_has_a_line_of_its_own(self, own_file: Path) -> None:
        with pytest.raises(StandardError) as caught:
            overlaid(own_file, '[assignment]\nwithin = "0m"\n[survey]\nafter = 3\n')

        lines = str(caught.value).splitlines()
        assert [line.removeprefix(f"{own_file}: ").partition(":")[0] for line in lines] == [
            "assignment.within",
            "survey.after",
        ]

    def test_a_file_that_is_missing_is_named_with_the_setting_to_mend(self, own_file: Path) -> None:
        with pytest.raises(StandardError) as caught:
            load_standard(own_file)

        assert str(caught.value) == f"{own_file}: no such file; mend AFTERCARE_STANDARD or --standard"

    def test_a_folder_in_place_of_the_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StandardError, match="not readable: "):
            load_standard(tmp_path)

    def test_a_file_that_is_no_utf8_is_refused(self, own_file: Path) -> None:
        own_file.write_bytes("# caf\xe9".encode("latin-1"))

        with pytest.raises(StandardError, match="not readable as TOML: "):
            load_standard(own_file)

    @pytest.mark.parametrize("priority", list(Priority))
    def test_a_standard_without_a_priority_is_refused(self, priority: Priority) -> None:
        rest = {name: promise for name, promise in FIGURES["priorities"].items() if name != priority.value}

        with pytest.raises(ValueError, match=f"priorities: {priority.value} is missing"):
            Standard.model_validate({**FIGURES, "priorities": rest})

    @pytest.mark.parametrize("channel", list(Channel))
    def test_a_standard_without_a_channel_is_refused(self, channel: Channel) -> None:
        rest = {name: calendar for name, calendar in FIGURES["channels"].items() if name != channel.value}

        with pytest.raises(ValueError, match=f"channels: {channel.value} is missing"):
            Standard.model_validate({**FIGURES, "channels": rest})

    @pytest.mark.parametrize("section", list(FIGURES))
    def test_a_standard_without_a_section_is_refused(self, section: str) -> None:
        with pytest.raises(ValueError, match=section):
            Standard.model_validate({name: part for name, part in FIGURES.items() if name != section})

    def test_the_limits_themselves_are_accepted(self, own_file: Path) -> None:
        text = (
            '[assignment]\nwithin = "366d"\n[priorities.P1]\nresponse = "4h"\n'
            '[priorities.P3]\nresponse = "72h"\n[callback]\nlow_score = 4\n'
            '[benchmarks]\ninformed_within_working_days = 1\n[[escalation]]\nat = 1\ntells = ["manager"]\n'
            '[[escalation]]\nat = 10\ntells = ["manager"]\n'
        )

        assert overlaid(own_file, text).target(ClockKind.RESPONSE, Priority.P1) == 4 * HOUR


class TestDuration:
    @pytest.mark.parametrize(
        ("text", "duration"),
        [
            ("30m", timedelta(minutes=30)),
            ("2h", timedelta(hours=2)),
            ("1h30m", timedelta(minutes=90)),
            ("7d", timedelta(days=7)),
            ("45s", timedelta(seconds=45)),
            ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
            ("0h5m", timedelta(minutes=5)),
            ("366d", timedelta(days=366)),
        ],
    )
    def test_a_duration_is_the_sum_of_its_parts(self, text: str, duration: timedelta) -> None:
        assert parse_duration(text) == duration

    def test_a_duration_that_is_one_already_stays(self) -> None:
        assert parse_duration(timedelta(hours=3)) == timedelta(hours=3)

    @pytest.mark.parametrize("text", ["", "h", "30", "30 m", "1H", "2w", "30m ", "m30", "1h-5m", "30m\n"])
    def test_anything_else_is_refused_by_name(self, text: str) -> None:
        with pytest.raises(ValueError, match="is no duration; write it like") as fault:
            parse_duration(text)

        assert repr(text) in str(fault.value)

    @given(days=st.integers(0, 300), hours=st.integers(0, 99), minutes=st.integers(0, 99), seconds=st.integers(1, 99))
    def test_every_written_duration_is_read_back(self, days: int, hours: int, minutes: int, seconds: int) -> None:
        whole = parse_duration(f"{days}d{hours}h{minutes}m{seconds}s")

        assert whole.total_seconds() == days * 86400 + hours * 3600 + minutes * 60 + seconds
