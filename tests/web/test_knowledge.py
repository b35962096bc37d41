"""From a solved case to an article, and from an article to a report that was not needed (S-62)."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from db import articles
from db.session import transaction
from domain.lifecycle import TicketState
from domain.tickets import ticket_number
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench, make_bench  # noqa: F401
from tests.web.workbench.forms import Bench, text_of

NEW = "/workbench/knowledge"


def _published(bench: Bench, number: str = "") -> str:
    """The path of an article that was written at the workbench, from a ticket if one is given, and published."""
    page = bench.get(f"{NEW}/new?ticket={number}")
    form = bench.fill(page, NEW, title="空调不制冷怎么办", solution="清洗滤网，重启空调", audience="customers")
    assert bench.send(NEW, form | {"solution": ""}).status_code == 422
    kept = bench.send(NEW, form | ({} if number else {"problem": "空调不制冷", "language": "zh-CN"}))
    assert kept.status_code == 303, kept.text
    path = kept.headers["location"].partition("?")[0]
    publish = f"{path}/publish"
    assert bench.send(publish, bench.fill(bench.get(path), publish)).status_code == 303
    return path


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:  # noqa: F811
    return make_bench()


def test_a_solved_case_becomes_an_article_that_helps_with_the_next(bench: Bench, site: Site) -> None:
    with site.desk() as desk:
        solved = ticket_number(
            desk.bring_to(TicketState.CLOSED, ticket_id=desk.open("空调不制冷，我是Ann，13800138000"))
        )
        following = ticket_number(desk.open("客厅空调不制冷"))
    assert f"new?ticket={solved}" in bench.ticket(solved).text
    assert "13800138000" not in bench.get(f"{NEW}/new?ticket={solved}").text

    path = _published(bench, solved)

    helped = f"{path}/helped"
    page = bench.ticket(following)
    assert bench.send(helped, bench.fill(page, helped)).status_code == 303
    assert "已记录：有用" in text_of(bench.ticket(following))
    assert "空调不制冷怎么办" in bench.get(f"{NEW}?q=空调制冷").text
    assert bench.get(f"{NEW}?q=%00%3Cscript%3E'%ED%A0%BD").status_code == 200


def test_whoever_reports_is_offered_it_below_their_words_and_needs_no_ticket_when_it_helps(
    bench: Bench, site: Site
) -> None:
    _published(bench)
    client = TestClient(bench.client.app)
    before = site.everything()
    form = {"form_key": "0" * 32, "description": "我家空调不制冷了", "step": "help", "danger": "no"}

    offered = client.post("/report?lang=zh-CN", data=form)
    assert (offered.status_code, "清洗滤网" in offered.text, "我家空调不制冷了" in offered.text) == (200, True, True)
    assert "清洗滤网" not in client.post("/report?lang=zh-CN", data=form | {"danger": "yes"}).text
    assert client.post("/report?lang=zh-CN", data=form | {"description": ""}).status_code == 200

    with transaction(site.database) as connection:
        (article,) = articles.list_newest(connection, limit=1)
    for _ in range(2):
        assert client.post("/report?lang=en", data=form | {"step": f"helped-{article['id']}"}).status_code == 200
    assert client.post("/report?lang=en", data=form | {"step": "helped-999999"}).status_code == 404
    after = site.everything()
    assert (after["tickets"], len(after["article_helps"])) == (before["tickets"], 1)
