"""What the pages show once a customer's data are erased: a kind word, and nothing of them (S-71)."""

from __future__ import annotations

import pytest

from db import erasure
from domain.lifecycle import CommandName, TicketState
from domain.messages import LinkPurpose
from tests.web.conftest import Api, Site
from tests.web.workbench.forms import Bench

SECRET = "her kitchen floor"
KIND = {"en": "What we kept of you here is erased", "zh-CN": "这里的信息已经删除"}


def _erased(site: Site) -> int:
    with site.desk() as desk:
        ticket_id = desk.open(name="Secretly Named")
        desk.bring_to(TicketState.IN_WORK, ticket_id=ticket_id)
        desk.give(
            ticket_id, CommandName.REPORT_DELAY, reason=SECRET, expected_at=desk.after(days=2), contingency=SECRET
        )
        desk.give(ticket_id, CommandName.LOG_STEP, step=SECRET)
        desk.give(ticket_id, CommandName.COMPLETE, summary=SECRET, tested=True)
        desk.give(ticket_id, CommandName.CONFIRM_COMPLETION, signed_by=SECRET, actor=desk.customer_of(ticket_id))
        customer = desk.ticket(ticket_id)["customer_id"]
        erasure.erase_customer(
            desk.connection, customer, desk.clerk, "asked", standard=desk.standard, now=desk.after(hours=1)
        )
        return ticket_id


@pytest.mark.parametrize("language", KIND)
@pytest.mark.parametrize(
    ("purpose", "part"), [(LinkPurpose.PROGRESS, 0), (LinkPurpose.PLAN, 1), (LinkPurpose.SIGN_OFF, 1)]
)
def test_a_link_of_an_erased_customer_says_so_kindly(
    site: Site, purpose: LinkPurpose, part: int, language: str
) -> None:
    ticket_id = _erased(site)

    page = site.client.get(f"{site.link(purpose, ticket_id, part)}?lang={language}")

    assert page.status_code == 410
    assert KIND[language] in page.text
    assert SECRET not in page.text


def test_a_link_to_unsubscribe_of_an_erased_customer_says_so_too(site: Site) -> None:
    ticket_id = _erased(site)
    with site.desk() as desk:
        link = site.link(LinkPurpose.UNSUBSCRIBE, desk.ticket(ticket_id)["customer_id"])

    for page in (site.client.get(link), site.client.post(link)):
        assert (page.status_code, KIND["en"] in page.text or KIND["zh-CN"] in page.text) == (410, True)


def test_a_survey_link_of_an_erased_customer_says_so_too_and_takes_no_answer(site: Site) -> None:
    ticket_id = _erased(site)
    with site.desk() as desk:
        (survey,) = desk.surveys(ticket_id)
    link = site.link(LinkPurpose.SURVEY, survey["id"])
    scores = dict.fromkeys(("efficiency", "attitude", "solution", "overall"), "5")

    for page in (site.client.get(link), site.client.post(link, data=scores | {"comment": SECRET})):
        assert page.status_code == 410
    assert SECRET not in str(site.everything())


def test_staff_still_see_that_there_was_a_ticket(site: Site, bench: Bench, api: Api) -> None:
    ticket_id = _erased(site)
    number = f"TK-{ticket_id:08d}"

    page = bench.get(f"/workbench/tickets/{number}")

    assert page.status_code == 200
    assert "—" in page.text
    for answer in (page, api.get(f"/tickets/{number}"), api.get(f"/tickets/{number}/events")):
        assert answer.status_code == 200
        assert SECRET not in answer.text
        assert "Secretly" not in answer.text
