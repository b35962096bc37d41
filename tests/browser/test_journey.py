"""One whole story in real browsers: report with a photo, plan, objection, new plan, work, sign-off, a poor survey, the
call, and the page that tells it all. Messages come from the real flows, and their links from the mailbox.

In Chinese the customer holds a phone (360 px) with script off; in English they sit at a desk (1280 px) with script on,
propose another time instead of objecting, and draw their signature. Staff work the other way round: desk, then phone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser

from clock import utc_now
from domain.lifecycle import TicketState
from domain.messages import LinkPurpose
from domain.tickets import ticket_id
from settings import get_settings
from templates.languages import word
from tests.browser.browsing import NARROW, WIDE, reading
from tests.browser.conftest import SUPERVISORS, Site, serving
from tests.browser.people import Customer, Worker, fill, local
from tests.browser.times import settle

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(300)]
P = LinkPurpose
S = TicketState


@dataclass(frozen=True)
class Story:
    """Who it happens to, and what they say."""

    language: str
    width: int
    script: bool
    region: str
    engineer: str
    name: str
    report: dict[str, str]
    said: dict[str, str]


STORIES = (
    Story(
        "zh-CN",
        NARROW,
        False,
        "east",
        "li.jianguo",
        "王丽",
        {"description": "客厅空调不制冷，昨天下午开始的，显示E4。", "product_model": "KFR-35GW"},
        {
            "contact": "电话联系过客户：风扇转动但不制冷，怀疑压缩机电容损坏。",
            "steps": "更换压缩机电容\n试运行一小时",
            "first": "维修",
            "first_pros": "明天就能修好",
            "first_cons": "机器已用了六年",
            "second": "换一台新机",
            "second_pros": "全新，三年保修",
            "second_cons": "要等一周",
            "objection": "周五之前家里没人，请换个时间。",
            "step": "旧电容鼓包，已更换",
            "summary": "更换压缩机电容，试机一小时，出风18度。",
            "advice": "滤网每月清洗一次。",
            "comment": "等了三天才有人来。",
            "reason": "配件调拨等了三天",
            "suggestion": "缺件时马上告诉客户",
        },
    ),
    Story(
        "en",
        WIDE,
        True,
        "west",
        "tom.baker",
        "Ann Smith",
        {"description": "The fridge does not cool. It began yesterday.", "product_model": "FR-200"},
        {
            "contact": "Called: the fan turns but it does not cool; probably the start capacitor.",
            "steps": "Replace the start capacitor\nTest for an hour",
            "first": "Repair",
            "first_pros": "Tomorrow",
            "first_cons": "The compressor is six years old",
            "second": "Exchange",
            "second_pros": "A new unit with a new guarantee",
            "second_cons": "In a week",
            "objection": "After six in the evening, please.",
            "step": "The old capacitor had burst; it is replaced",
            "summary": "Start capacitor replaced; cools to 4 °C.",
            "advice": "Leave a hand's width behind the unit.",
            "comment": "I waited three days.",
            "reason": "Waited three days for the part",
            "suggestion": "Say at once when a part is missing",
        },
    ),
)


# Of the history, what the customer must read at the end.
EVENTS = (
    *("opened", "first_contact", "propose_plan", "object_to_plan", "agree_plan", "log_step", "complete"),
    *("confirm_completion", "callback_done"),
)


@pytest.fixture
def site(product: str) -> Iterator[Site]:
    """The web process beside the flows, on one database."""
    with serving(product, get_settings().home) as site:
        yield site


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.language)
def test_a_ticket_s_whole_life_in_the_browser(browser: Browser, site: Site, story: Story) -> None:
    said, mailbox = story.said, "reader@example.com"
    beside = WIDE if story.width == NARROW else NARROW
    with ExitStack() as stack:
        open_ = lambda **how: stack.enter_context(reading(browser, site.address, language=story.language, **how))  # noqa: E731
        customer = Customer(open_(width=story.width, script=story.script), mailbox)
        engineer, supervisor = Worker(open_(width=beside)), Worker(open_(width=beside))
        site.sign_in(engineer.reader, story.engineer)
        site.sign_in(supervisor.reader, SUPERVISORS[story.language])

        asked = {"impact": "core_use_lost", "danger": "no", "photo": "nameplate"}
        asked |= {"name": story.name, "language": story.language, "region": story.region}
        number = customer.report(**story.report, **asked)
        customer.reader.shoot("journey-receipt")
        engineer.reader.open("/workbench")
        assert engineer.reader.sees(number)
        engineer.act(number, "acknowledge")
        engineer.act(number, "take")
        settle(utc_now())
        engineer.act(number, "first_contact", summary=said["contact"])
        engineer.act(number, "propose_plan", **_plan(story))
        settle(utc_now())

        customer.follow(P.PLAN)
        customer.reader.shoot("journey-plan")
        if story.script:
            at = local(utc_now() + timedelta(days=4))
            customer.press("another_time", proposed_at=at, words=said["objection"])
        else:
            customer.press("object", reason=said["objection"])
        assert _state(site, number) == S.DIAGNOSING
        engineer.reader.open(f"/workbench/tickets/{number}")
        assert engineer.reader.sees(said["objection"])
        engineer.reader.shoot("journey-work-objection")
        engineer.act(number, "propose_plan", **_plan(story, days=4))
        settle(utc_now())
        customer.follow(P.PLAN)
        customer.press("agree", option="2")
        assert _state(site, number) == S.IN_WORK
        assert customer.reader.sees(said["second"])

        engineer.act(number, "log_step", button="inspected")
        engineer.act(number, "log_step", step=said["step"], photo="capacitor")
        done = {"summary": said["summary"], "how": "tested", "usage_advice": said["advice"]}
        engineer.act(number, "complete", **done)
        engineer.reader.shoot("journey-work-completed")
        settle(utc_now())
        customer.follow(P.SIGN_OFF)
        assert customer.reader.sees(said["advice"])
        if story.script:
            customer.draw()
        customer.reader.shoot("journey-sign-off")
        customer.press("works", signed_by=story.name)
        assert _state(site, number) == S.CLOSED
        customer.reader.shoot("journey-signed")
        assert customer.reader.page.locator("img.signature").count() == int(story.script)

        settle(utc_now() + timedelta(hours=25))
        customer.follow(P.SURVEY)
        scores = dict.fromkeys(("efficiency", "attitude", "solution", "overall"), "2")
        form = customer.reader.page.locator("main form")
        fill(form, {**scores, "comment": said["comment"]})
        customer.reader.shoot("journey-survey")
        form.locator("button:not([name])").click()
        settle(utc_now())
        customer.follow(P.PROGRESS)
        customer.reader.shoot("journey-call-promised")
        supervisor.call_back(story.name, reason=said["reason"], suggestion=said["suggestion"])
        supervisor.reader.open(f"/workbench/tickets/{number}")
        assert supervisor.reader.sees(said["reason"])
        supervisor.reader.shoot("journey-work-all")

        customer.reader.page.reload()
        customer.reader.shoot("journey-all")
        for event in EVENTS:
            assert customer.reader.sees(word(story.language, "history", event)), event
        for words in ("objection", "step", "summary", "second", "suggestion"):
            assert customer.reader.sees(said[words]), words
        photos = customer.reader.page.locator("main img")
        assert photos.count() >= 2
        assert all(photo.evaluate("e => e.complete && e.naturalWidth > 0") for photo in photos.all() if story.script)


def _plan(story: Story, *, days: int = 2) -> dict[str, Any]:
    said, now = story.said, utc_now()
    return {
        "kind": "repair",
        "steps": said["steps"],
        "deadline_at": local(now + timedelta(days=days + 1)),
        "appointment_at": local(now + timedelta(days=days)),
        "option_title_1": said["first"],
        "option_pros_1": said["first_pros"],
        "option_cons_1": said["first_cons"],
        "option_title_2": said["second"],
        "option_pros_2": said["second_pros"],
        "option_cons_2": said["second_cons"],
    }


def _state(site: Site, number: str) -> str:
    with site.desk() as desk:
        return str(desk.ticket(ticket_id(number))["state"])
