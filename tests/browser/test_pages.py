"""Every page in a real browser: readable on a phone and a desk, in both languages, light and dark, and by ear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from db import surveys
from domain.commands import CommandName
from domain.lifecycle import TicketState
from domain.messages import LinkPurpose
from tests.browser.browsing import NARROW, WIDE, reading
from tests.browser.conftest import Site, serving
from tests.conftest import create_database
from tests.desk import Desk

P = LinkPurpose
S = TicketState
PLAN = {
    "kind": "repair",
    "steps": ["更换压缩机电容", "试运行一小时 / test for an hour"],
    "options": [
        {"title": "Repair", "pros": "tomorrow", "cons": "an older part"},
        {"title": "Exchange", "pros": "a new unit", "cons": "in a week"},
    ],
}


@dataclass(frozen=True)
class Shown:
    """Where a page is, and the status it answers with."""

    path: Callable[[Site], str]
    status: int = 200


def _of(purpose: LinkPurpose, make: Callable[[Desk], int], part: int = 0) -> Callable[[Site], str]:
    def path(site: Site) -> str:
        with site.desk() as desk:
            subject_id = make(desk)
        return site.link(purpose, subject_id, part)

    return path


def _proposed(desk: Desk) -> int:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    times = {"deadline_at": desk.after(days=3), "appointment_at": desk.after(days=2)}
    desk.give(ticket_id, CommandName.PROPOSE_PLAN, **PLAN, **times)
    return ticket_id


def _late(desk: Desk) -> int:
    ticket_id = desk.bring_to(S.IN_WORK)
    told = {"reason": "缺件", "expected_at": desk.after(days=2), "contingency": "先送备用机"}
    desk.give(ticket_id, CommandName.REPORT_DELAY, **told)
    return ticket_id


def _survey(desk: Desk) -> int:
    ticket_id = desk.bring_to(S.COMPLETED, at=desk.after(hours=-25))
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
    return int(desk.surveys(ticket_id)[0]["id"])


PAGES: dict[str, Shown] = {
    "progress": Shown(_of(P.PROGRESS, _late)),
    "progress-question": Shown(_of(P.PROGRESS, lambda desk: desk.bring_to(S.WAITING_CUSTOMER))),
    "progress-closed": Shown(_of(P.PROGRESS, lambda desk: desk.bring_to(S.CLOSED))),
    "plan": Shown(_of(P.PLAN, _proposed, 1)),
    "plan-answered": Shown(_of(P.PLAN, lambda desk: desk.bring_to(S.IN_WORK), 1)),
    "sign-off": Shown(_of(P.SIGN_OFF, lambda desk: desk.bring_to(S.COMPLETED), 1)),
    "sign-off-answered": Shown(_of(P.SIGN_OFF, lambda desk: desk.bring_to(S.CLOSED), 1)),
    "survey": Shown(_of(P.SURVEY, _survey)),
    "unsubscribe": Shown(_of(P.UNSUBSCRIBE, lambda desk: int(desk.customer_of(desk.open()).id or 0))),
    "mailbox": Shown(lambda _: "/mailbox"),
    "not-found": Shown(lambda _: "/nowhere", 404),
    "link-expired": Shown(lambda _: "/plan/altered", 410),
}


@pytest.fixture(scope="module")
def furnished(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One web process for all pages; each looks at tickets of its own."""
    template = template_database.rpartition("/")[2].partition("?")[0]
    database = create_database(postgres, "browser_pages", template=template)
    with serving(database, tmp_path_factory.mktemp("browser")) as site:
        yield site


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_readable_and_open_to_everybody(
    browser: Browser, furnished: Site, name: str, language: str
) -> None:
    shown = PAGES[name]
    path = f"{shown.path(furnished)}?lang={language}"

    with reading(browser, furnished.address, language=language) as reader:
        reader.open(path, status=shown.status)

        assert reader.page.get_attribute("html", "lang") == language
        reader.require_accessible()
        for width in (NARROW, WIDE):
            reader.page.set_viewport_size({"width": width, "height": 800})
            assert not reader.overflows(), f"{name} must be pushed sideways at {width} px"
            reader.shoot(name)
