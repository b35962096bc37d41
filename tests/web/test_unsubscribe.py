"""One click ends surveys or digests, looking does not (RFC 8058)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from db.models import Customer, Staff
from db.session import transaction
from domain.messages import LinkPurpose
from tests.web.conftest import Site

P = LinkPurpose.UNSUBSCRIBE
SURVEYS, DIGESTS = 0, 1


@pytest.fixture
def customer(site: Site) -> int:
    """A customer's id."""
    with site.desk() as desk:
        return int(desk.ticket(desk.open())["customer_id"])


def declined(site: Site) -> tuple[int, int]:
    """How many customers declined surveys and how many staff digests."""
    with transaction(site.database) as connection:
        surveys = connection.execute(select(Customer.id).where(Customer.declined_surveys_at.is_not(None))).all()
        digests = connection.execute(select(Staff.id).where(Staff.declined_digests_at.is_not(None))).all()
    return len(surveys), len(digests)


@pytest.mark.parametrize(("language", "words"), [("en", "Send me no more surveys"), ("zh-CN", "不再接收满意度调查")])
def test_a_scanner_that_follows_the_link_changes_nothing(site: Site, customer: int, language: str, words: str) -> None:
    before = site.everything()

    page = site.client.get(site.link(P, customer, SURVEYS), params={"lang": language})

    assert words in page.text
    assert site.everything() == before


def test_the_mail_programs_one_click_is_enough(site: Site, customer: int) -> None:
    link = site.link(P, customer, SURVEYS)

    answers = [site.client.post(link, data={"List-Unsubscribe": "One-Click"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert declined(site) == (1, 0)


def test_a_manager_declines_digests(site: Site, customer: int) -> None:
    page = site.client.post(site.link(P, 1, DIGESTS), params={"lang": "en"})

    assert "no more weekly digests" in page.text
    assert declined(site) == (0, 1)


def test_the_page_speaks_the_readers_language(site: Site) -> None:
    with site.desk() as desk:
        customer_id = int(desk.ticket(desk.open(language="en"))["customer_id"])
    link = site.link(P, customer_id, SURVEYS)

    pages = [site.client.get(link), site.client.post(link)]

    assert all('<html lang="en"' in page.text for page in pages)


@pytest.mark.parametrize("part", [2, 99, -1])
def test_a_link_about_nothing_is_refused(site: Site, customer: int, part: int) -> None:
    assert site.client.post(site.link(P, customer, part)).status_code == 410


def test_an_expired_or_foreign_link_is_refused(site: Site, customer: int) -> None:
    for link in (site.link(P, customer, SURVEYS, hours=-1), site.link(LinkPurpose.PROGRESS, customer)):
        token = link.rpartition("/")[2]

        assert site.client.post(f"/unsubscribe/{token}").status_code == 410
    assert declined(site) == (0, 0)
