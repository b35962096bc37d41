"""One whole story in a real browser: plan, objection, new plan, work, sign-off, a poor survey, the call, and the page
that tells it all; messages come from the real flows and their links from the mailbox.

On a phone in Chinese with script off, on a wide screen in English with script on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from clock import utc_now
from db import callbacks
from domain.commands import CommandName
from domain.lifecycle import TicketState
from domain.links import PATHS
from domain.messages import LinkPurpose
from domain.tickets import Channel
from settings import get_settings
from templates.languages import word
from tests.browser.browsing import NARROW, WIDE, Reader, reading
from tests.browser.conftest import Site, serving
from tests.browser.times import settle

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(300)]
C = CommandName
P = LinkPurpose
STEPS = ["更换压缩机电容 / replace the capacitor", "试运行一小时 / test for an hour"]
OPTIONS = [
    {"title": "Repair", "pros": "tomorrow", "cons": "an older part"},
    {"title": "Exchange", "pros": "a new unit"},
]


@dataclass
class Customer:
    """The customer at their browser: reads what arrives and answers on the pages."""

    reader: Reader
    mailbox: str

    def follow(self, purpose: LinkPurpose) -> None:
        """Open the newest message's link for this purpose."""
        self.reader.open(f"/mailbox/of/{self.mailbox}?lang={self.reader.language}")
        path = re.compile(rf'"({re.escape(self.reader.address)}/{PATHS[purpose]}/[^"?]+)"')
        for frame in self.reader.page.query_selector_all("iframe"):
            shown = self.reader.page.request.get(f"{self.reader.address}{frame.get_attribute('src')}").text()
            if found := path.search(shown):
                self.reader.open(found[1])
                return
        raise AssertionError(f"no message has a link to {PATHS[purpose]}")

    def press(self, answer: str, **typed: str) -> None:
        """Fill the fields of the form with this button and press it."""
        button = self.reader.page.locator(f'button[value="{answer}"]')
        form = self.reader.page.locator("form").filter(has=button)
        for name, value in typed.items():
            form.locator(f'[name="{name}"]').fill(value)
        button.click()
        self.reader.page.wait_for_load_state()


@pytest.fixture
def site(product: str, browser: Browser, tmp_path: object) -> Iterator[Site]:
    """The web process beside the flows, on one database."""
    with serving(product, get_settings().home) as site:
        yield site


@pytest.mark.parametrize(
    ("language", "width", "script"), [("zh-CN", NARROW, False), ("en", WIDE, True)], ids=["phone-zh", "desk-en"]
)
def test_a_ticket_s_whole_life_in_the_browser(
    browser: Browser, site: Site, language: str, width: int, script: bool
) -> None:
    mailbox = "reader@example.com"
    with site.desk(hours_ago=0) as desk:
        ticket_id = desk.open(channel=Channel.WEB, email=mailbox, language=language, name="王丽")
    settle(utc_now())
    _tell(site, ticket_id, C.FIRST_CONTACT, summary="电容坏了 / the capacitor is broken")
    _propose(site, ticket_id)

    with reading(browser, site.address, language=language, width=width, script=script) as reader:
        customer = Customer(reader, mailbox)
        customer.follow(P.PLAN)
        reader.shoot("journey-1-plan")
        customer.press("object", reason="周五之前不行 / not before Friday")
        assert _state(site, ticket_id) == TicketState.DIAGNOSING

        _propose(site, ticket_id, options=OPTIONS)
        customer.follow(P.PLAN)
        reader.page.locator('input[name="option"][value="2"]').check()
        customer.press("agree")
        assert _state(site, ticket_id) == TicketState.IN_WORK
        expect(reader.page.locator("body")).to_contain_text("Exchange")

        _tell(site, ticket_id, C.LOG_STEP, step="电容已更换 / the capacitor is replaced")
        _tell(site, ticket_id, C.COMPLETE, summary="已修好 / it cools again", tested=True, usage_advice="清洁滤网")
        customer.follow(P.SIGN_OFF)
        reader.shoot("journey-2-sign-off")
        customer.press("works", signed_by="王丽")
        assert _state(site, ticket_id) == TicketState.CLOSED

        settle(utc_now() + timedelta(hours=25))
        customer.follow(P.SURVEY)
        for dimension in ("efficiency", "attitude", "solution", "overall"):
            reader.page.locator(f'input[name="{dimension}"][value="2"]').check()
        reader.page.locator('[name="comment"]').fill("等了三天 / waited three days")
        reader.shoot("journey-3-survey")
        reader.page.locator("main form button:not([name])").click()

        settle(utc_now() + timedelta(hours=25))
        customer.follow(P.PROGRESS)
        reader.shoot("journey-4-callback-promised")
        _call_back(site, ticket_id)
        reader.page.reload()
        reader.shoot("journey-5-all-of-it")
        for event in (
            "opened",
            "first_contact",
            "propose_plan",
            "object_to_plan",
            "agree_plan",
            "log_step",
            "complete",
        ):
            assert reader.sees(word(language, "history", event)), event
        for event in ("confirm_completion", "callback_done"):
            assert reader.sees(word(language, "history", event)), event
        assert reader.sees("电容已更换")


def _tell(site: Site, ticket_id: int, command: CommandName, **values: object) -> None:
    """A command of whoever has the ticket, and what follows from it."""
    with site.desk(hours_ago=0) as desk:
        desk.give(ticket_id, command, **values)
    settle(utc_now())


def _propose(site: Site, ticket_id: int, **more: object) -> None:
    now = utc_now()
    times = {"deadline_at": now + timedelta(days=3), "appointment_at": now + timedelta(days=2)}
    _tell(site, ticket_id, C.PROPOSE_PLAN, kind="repair", steps=STEPS, **times, **more)


def _state(site: Site, ticket_id: int) -> str:
    with site.desk() as desk:
        return str(desk.ticket(ticket_id)["state"])


def _call_back(site: Site, ticket_id: int) -> None:
    with site.desk(hours_ago=0) as desk:
        (call,) = (call for call in desk.callbacks(ticket_id) if call["kind"] == "low_score")
        callbacks.complete(
            desk.connection,
            call["id"],
            desk.clerk,
            reason="等太久 / waited",
            suggestion="早点通知 / say at once",
            now=desk.now,
        )
