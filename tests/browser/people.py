"""The customer and the staff of the journey: what each does in their own browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator

from domain.links import PATHS
from domain.messages import LinkPurpose
from tests.browser.browsing import Reader
from tests.pictures import picture

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(moment: datetime) -> str:
    """As a browser sends a date and time that was picked in Shanghai."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def fill(form: Locator, typed: dict[str, Any]) -> None:
    """Type, pick, tick or attach what each field wants; folded groups are opened first."""
    for name, value in typed.items():
        place = form.locator(f'[name="{name}"]')
        group = form.locator("details:not([open])").filter(has=form.page.locator(f'[name="{name}"]'))
        if group.count():
            group.locator("> summary").click()
        match place.first.get_attribute("type") or place.first.evaluate("e => e.tagName"):
            case "radio" | "checkbox":
                form.locator(f'[name="{name}"][value="{value}"]').check()
            case "file":
                place.set_input_files([{"name": f"{value}.jpg", "mimeType": "image/jpeg", "buffer": picture()}])
            case "SELECT":
                place.select_option(value)
            case _:
                place.fill(value)


@dataclass
class Customer:
    """Reports, reads what arrives, and answers on the pages behind its links."""

    reader: Reader
    mailbox: str

    def report(self, **typed: Any) -> str:
        """Fill the public form; returns the ticket's number from the receipt."""
        self.reader.open(f"/report?lang={self.reader.language}")
        form = self.reader.page.locator("form#report")
        fill(form, {"email": self.mailbox, **typed})
        form.locator("button").last.click()
        self.reader.page.wait_for_url("**/report/sent/**")
        found = re.search(r"TK-\d+", self.reader.page.inner_text("main"))
        assert found is not None
        return found[0]

    def follow(self, purpose: LinkPurpose) -> None:
        """Open the newest message's link for this purpose."""
        self.reader.open(f"/mailbox/of/{self.mailbox}?lang={self.reader.language}")
        path = re.compile(rf'"({re.escape(self.reader.address)}/{PATHS[purpose]}/[^"?]+)"')
        for frame in self.reader.page.locator("iframe").all():
            shown = self.reader.page.request.get(f"{self.reader.address}{frame.get_attribute('src')}").text()
            if found := path.search(shown):
                self.reader.open(found[1])
                return
        raise AssertionError(f"no message has a link to {PATHS[purpose]}")

    def press(self, answer: str, **typed: Any) -> None:
        """Fill the fields of the form with this button and press it."""
        button = self.reader.page.locator(f'button[value="{answer}"]')
        fill(self.reader.page.locator("form").filter(has=button), typed)
        button.click()
        self.reader.page.wait_for_load_state()

    def draw(self) -> None:
        """Sign with a finger."""
        box = self.reader.page.locator("[data-signature]").bounding_box()
        assert box is not None
        mouse, left, middle = self.reader.page.mouse, box["x"] + 20, box["y"] + box["height"] / 2
        mouse.move(left, middle)
        mouse.down()
        for step in range(1, 12):
            mouse.move(left + 25 * step, middle + (25 if step % 2 else -25))
        mouse.up()


@dataclass
class Worker:
    """A member of staff who is signed in at the workbench."""

    reader: Reader

    def act(self, number: str, action: str, *, button: str | None = None, **typed: Any) -> None:
        """Use one form of the ticket's page; it is taken, and the page says so."""
        address = f"/workbench/tickets/{number}"
        self.reader.open(address)
        form = self.reader.page.locator(f'form[action="{address}/{action}"]')
        folded = self.reader.page.locator(f"details#open-{action}:not([open])")
        if folded.count():
            folded.locator("> summary").click()
        fill(form, typed)
        (form.locator(f'button[value="{button}"]') if button else form.locator("button").last).click()
        self.reader.page.wait_for_url(f"**{address}?done={action}")

    def call_back(self, customer: str, **typed: str) -> None:
        """Take the customer's call from the queue and write down what it brought."""
        self.reader.open("/workbench/callbacks")
        self.reader.shoot("journey-work-callbacks")
        self.reader.page.get_by_role("link", name=customer).first.click()
        self.reader.page.wait_for_url("**/workbench/callbacks/*")
        self.reader.shoot("journey-work-call")
        form = self.reader.page.locator('form[action$="/result"]')
        fill(form, typed)
        form.locator("button").last.click()
        self.reader.page.wait_for_url("**/workbench/callbacks?*")
