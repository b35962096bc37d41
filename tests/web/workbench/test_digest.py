"""The digest as a page, and how a manager chooses when it comes by mail (S-61)."""

from __future__ import annotations

import re

import pytest

from clock import utc_now
from db import digests
from domain.digest_schedule import DigestPeriod, DigestWish
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, forms_of, text_of

DIGEST = "/workbench/digest"
WISH = f"{DIGEST}/wish"


def test_the_running_week_is_told_with_its_charts_and_each_figure_leads_to_its_list(site: Site, bench: Bench) -> None:
    with site.desk() as desk:
        desk.now = utc_now()
        number = desk.ticket(desk.open(region="east"))["number"]
    week = f"{utc_now():%G-W%V}"

    page = bench.client.get(DIGEST, params={"week": week, "region": "east"})
    lists = [url.replace("&amp;", "&") for url in re.findall(r'"(/workbench/tickets\?[^"]+)"', page.text)]
    opened = next(url for url in lists if "happened=opened" in url)
    chart = bench.client.get(f"{DIGEST}/volume.png", params={"week": week, "region": "east"})

    assert page.status_code == 200
    assert week in text_of(page)
    assert len(page.content) < 50_000
    assert "region=east" in opened
    assert number in bench.client.get(opened).text
    assert chart.content.startswith(b"\x89PNG")
    assert f'src="{DIGEST}/volume.png?' in page.text
    assert f'src="{DIGEST}/dimensions.png?' not in page.text  # nobody has answered


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"week": "2099-W01"}, "week"),
        ({"week": "2026-W54"}, "week"),
        ({"week": "<script>"}, "week"),
        ({"month": "2099-01"}, "month"),
        ({"month": "2026-13"}, "month"),
        ({"region": "atlantis"}, "region"),
        ({"region": "\x00{{7*7}}"}, "region"),
    ],
)
def test_what_cannot_be_shown_is_said_beside_its_field(bench: Bench, query: dict[str, str], field: str) -> None:
    answer = bench.client.get(DIGEST, params=query)

    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text
    assert f'aria-describedby="{field}-fault"' in answer.text
    assert "<script>" not in answer.text
    assert bench.client.get(f"{DIGEST}/volume.png", params=query).status_code == 422
    assert bench.client.get(f"{DIGEST}/none.png").status_code == 404


def test_a_manager_chooses_when_and_of_what_and_may_choose_never(site: Site, make_bench: MakeBench) -> None:
    bench = make_bench("ma.chao")

    def chosen(**form: str) -> tuple[int, DigestWish | None]:
        answer = bench.send(WISH, bench.fill(bench.get(DIGEST), WISH, **form))
        with site.desk() as desk:
            return answer.status_code, digests.wish_of(desk.connection, bench.staff_id)

    monthly = DigestWish(DigestPeriod.MONTHLY, "east", 4, 17)
    assert chosen(period="monthly", region="east", weekday="4", hour="17") == (303, monthly)
    for fault in ({"period": "daily"}, {"region": "atlantis"}, {"weekday": "7"}, {"hour": "24"}, {"hour": "\x00"}):
        assert chosen(**{"period": "monthly", "region": "", "weekday": "0", "hour": "8"} | fault) == (422, monthly)
    assert chosen(period="never") == (303, None)


def test_a_supervisor_reads_it_and_gets_no_mail(bench: Bench) -> None:
    page = bench.get(DIGEST)

    assert WISH not in forms_of(page)
    assert bench.send(WISH, forms_of(page)["/workbench/sign-out"] | {"period": "never"}).status_code == 403
