"""This file checks how moments, durations, shares and changes are written, and that every value has a word."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

import pytest

from domain.appraisal import Measure
from domain.breaches import BreachCause
from domain.churn import CareAction, Sign
from domain.commands import PlanKind
from domain.delivery import MessageState
from domain.escalation import AlarmKind
from domain.headline import HeadlineKind
from domain.lifecycle import COMMANDS, CommandName, TicketState
from domain.messages import Medium, MessageKind
from domain.people import CustomerTier, Department, Role, Tier
from domain.quality import GROUPS, Criterion, Grade
from domain.reviews import ReviewReason
from domain.satisfaction import DIMENSIONS, CallbackKind, CallbackState, SurveyMethod, SurveyState
from domain.sla import ClockKind
from domain.tickets import Category, Channel, Impact, Priority
from templates.environment import environment
from templates.languages import LabelMissingError, labels, languages, word

ENUMS: dict[str, type[Enum]] = {
    "alarm": AlarmKind,
    "breach_cause": BreachCause,
    "callback_kind": CallbackKind,
    "callback_state": CallbackState,
    "care_action": CareAction,
    "category": Category,
    "channel": Channel,
    "churn_sign": Sign,
    "clock": ClockKind,
    "command": CommandName,
    "criterion": Criterion,
    "customer_tier": CustomerTier,
    "department": Department,
    "headline": HeadlineKind,
    "grade": Grade,
    "impact": Impact,
    "measure": Measure,
    "medium": Medium,
    "message": MessageKind,
    "message_state": MessageState,
    "plan_kind": PlanKind,
    "priority": Priority,
    "review_reason": ReviewReason,
    "role": Role,
    "state": TicketState,
    "survey_method": SurveyMethod,
    "survey_state": SurveyState,
    "tier": Tier,
}
ANSWERS = {name.value for name, t in COMMANDS.items() if t.tells_assignee is MessageKind.STAFF_CUSTOMER_ANSWERED}
SECTIONS = {section: {str(member.value) for member in enum} for section, enum in ENUMS.items()} | {
    "answer": ANSWERS,
    "criterion_group": set(GROUPS),
    "dimension": set(DIMENSIONS),
}


def written(text: str, language: str = "en", time_zone: str = "Asia/Shanghai", **values: Any) -> str:
    template = environment(autoescape=False).from_string("{{ " + text + " }}")
    return template.render(language=language, time_zone=time_zone, **values)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("section", SECTIONS)
def test_every_value_has_a_word_in_every_language(section: str, language: str) -> None:
    assert set(labels(language)[section]) == SECTIONS[section]
    assert all(labels(language)[section].values())


def test_every_language_has_the_same_sections_and_keys() -> None:
    keys = [{name: set(section) for name, section in labels(language).items()} for language in languages()]

    assert all(found == keys[0] for found in keys)


def test_a_missing_word_names_the_file_and_the_section() -> None:
    with pytest.raises(LabelMissingError, match=r"templates/en/labels\.toml has no 'P9' in \[priority\]"):
        word("en", "priority", "P9")


def test_a_member_its_value_and_a_number_have_the_same_word() -> None:
    assert written("v|label('state')", v=TicketState.IN_WORK) == written("v|label('state')", v="in_work")
    assert written("v|label('tier')", "zh-CN", v=Tier.REGIONAL_CENTRE) == written("v|label('tier')", "zh-CN", v=2)


@pytest.mark.parametrize(
    ("language", "zone", "value", "expected"),
    [
        ("zh-CN", "Asia/Shanghai", "2026-11-24T06:30:00+00:00", "11月24日（周二）14:30"),
        ("en", "Asia/Shanghai", "2026-11-24T06:30:00Z", "Tue 24 Nov, 14:30"),
        ("en", "Asia/Shanghai", datetime(2026, 11, 24, 16, 5, tzinfo=UTC), "Wed 25 Nov, 00:05"),
        # One UTC hour on either side of the change from summer time in Berlin.
        ("en", "Europe/Berlin", "2026-10-25T00:30:00+00:00", "Sun 25 Oct, 02:30"),
        ("en", "Europe/Berlin", "2026-10-25T01:30:00+00:00", "Sun 25 Oct, 02:30"),
        ("en", "Europe/Berlin", "2026-10-25T02:30:00+00:00", "Sun 25 Oct, 03:30"),
        ("en", "America/New_York", "2026-11-24T03:00:00+08:00", "Mon 23 Nov, 14:00"),
        ("en", "UTC", None, "—"),
    ],
)
def test_a_moment_is_said_in_the_readers_zone(language: str, zone: str, value: Any, expected: str) -> None:
    assert written("v|moment", language, zone, v=value) == expected


def test_on_the_same_local_day_only_the_time_is_said_again() -> None:
    evening, midnight = "2026-11-24T15:30:00Z", "2026-11-24T16:30:00Z"

    assert written("v|moment(after=a)", "en", "UTC", v=midnight, a=evening) == "16:30"
    assert written("v|moment(after=a)", "en", "Asia/Shanghai", v=midnight, a=evening) == "Wed 25 Nov, 00:30"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="names no time zone"):
        written("v|moment", v="2026-11-24T06:30:00")
    with pytest.raises(ValueError, match="the context has no 'time_zone'"):
        environment(autoescape=False).from_string("{{ v|moment }}").render(language="en", v="2026-11-24T06:30:00Z")


def test_a_day_is_a_local_day_and_an_exclusive_end_belongs_to_the_day_before() -> None:
    assert written("v|day", "zh-CN", v="2026-11-22T16:00:00Z") == "11月23日（周一）"
    assert written("v|last_day", "en", v="2026-11-23T00:00:00+08:00") == "Sun 22 Nov"
    assert written("v|day", v=date(2026, 11, 24)) == "Tue 24 Nov"


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (9000, "2 h 30 min", "2小时30分钟"),
        (timedelta(days=3), "3 d", "3天"),
        (timedelta(hours=25, minutes=1, seconds=59), "1 d 1 h 1 min", "1天1小时1分钟"),
        (-3600, "-1 h", "-1小时"),
        (59, "less than a minute", "不到1分钟"),
        (None, "—", "—"),
    ],
)
def test_a_duration_is_said_in_days_hours_and_minutes(value: Any, english: str, chinese: str) -> None:
    assert written("v|duration", "en", v=value) == english
    assert written("v|duration", "zh-CN", v=value) == chinese


def test_shares_and_scores_are_rounded_half_up_and_nothing_is_a_dash() -> None:
    assert written("v|percent", v=0.934) == "93%"
    assert written("v|percent", v=0.125) == "13%"
    assert written("v|percent", v=None) == "—"
    assert written("v|score", v=4.25) == "4.3"
    assert written("v|score", v=4) == "4.0"
    assert written("v|score", v=None) == "—"


@pytest.mark.parametrize(
    ("now", "before", "unit", "said"),
    [
        (86, 79, "count", "▲ 7 more"),
        (3, 5, "count", "▼ 2 fewer"),
        (4, 4, "count", "unchanged"),
        (0.934, 0.9, "share", "▲ up 3 points"),
        (0.934, 0.931, "share", "unchanged"),  # both are shown as 93%
        (4.21, 4.35, "score", "▼ down 0.2"),
        (None, 4.35, "score", "no comparison"),
    ],
)
def test_a_change_is_said_in_words_that_agree_with_the_figures(now: Any, before: Any, unit: str, said: str) -> None:
    assert written(f"(v|change('{unit}')).words", v={"now": now, "before": before}) == said


def test_a_promise_is_ahead_until_its_moment_has_come() -> None:
    moment = "2026-11-24T06:30:00Z"
    at = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)

    assert written("v is ahead", v=moment, now=at - timedelta(seconds=1)) == "True"
    assert written("v is ahead", v=moment, now=at) == "False"
    assert written("v is ahead", v=moment) == "True"
    assert written("v is ahead", v=None) == "False"


def test_text_is_cut_to_one_short_line() -> None:
    assert written("v|brief(9)", v="ab\r\ncd. ") == "ab cd"
    assert written("v|brief(5)", v="abcdefgh") == "abcd…"


def test_text_in_a_markdown_table_cannot_leave_its_cell() -> None:
    assert written("v|cell", v="a|b\n<i>[x](y)") == r"a\|b \<i\>\[x\](y)"


@pytest.mark.parametrize(
    ("reason", "english", "chinese"),
    [
        (
            "on_duty; region=Shanghai; skill=KFR-35; open=3",
            "on duty, serves Shanghai, knows KFR-35, 3 other open tickets",
            "当班，负责Shanghai区域，熟悉KFR-35，手上另有3张工单",
        ),
        ("next_on_duty; open=1", "next on duty, 1 other open ticket", "最先当班，手上另有1张工单"),
        (
            "any_tier; on_duty; open=0",
            "nobody on that tier, on duty, no other open tickets",
            "该层级没有人员，当班，手上没有其他工单",
        ),
        ("knows the house {0}", "knows the house {0}", "knows the house {0}"),
    ],
)
def test_why_somebody_was_chosen_is_said_in_the_readers_language(reason: str, english: str, chinese: str) -> None:
    assert written("v|grounds", "en", v=reason) == english
    assert written("v|grounds", "zh-CN", v=reason) == chinese


def link(url: str) -> str:
    return f'<a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("查看进度：http://127.0.0.1:8/p/a.b_c-d", "查看进度：" + link("http://127.0.0.1:8/p/a.b_c-d")),
        ("请点https://x.cn/a，谢谢", "请点" + link("https://x.cn/a") + "，谢谢"),
        ("See (https://x.cn/a).", "See (" + link("https://x.cn/a") + ")."),
        ("https://x.cn/?a=1&b=2", link("https://x.cn/?a=1&amp;b=2")),
        ("javascript:alert(1) <b>", "javascript:alert(1) &lt;b&gt;"),
        ('https://x.cn/"onclick="a', link("https://x.cn/") + "&#34;onclick=&#34;a"),
        ("http://<script>", "http://&lt;script&gt;"),
    ],
)
def test_addresses_in_a_text_are_links_and_the_rest_is_text(text: str, said: str) -> None:
    assert written("v|linked", v=text) == said
