"""What customers say, at the workbench (S-52)."""

from __future__ import annotations

import pytest

from db import surveys
from domain.lifecycle import TicketState
from domain.people import Role
from domain.satisfaction import SurveyAnswer
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench

FEEDBACK = "/workbench/feedback"


def _answer(site: Site, comment: str, **details: object) -> str:
    with site.desk() as desk:
        completed_at = desk.after(days=-3)
        ticket_id = desk.bring_to(
            TicketState.COMPLETED, ticket_id=desk.open(at=completed_at, **details), at=completed_at
        )
        surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
        answer = SurveyAnswer(efficiency=2, attitude=3, solution=2, overall=2, on_site=2, comment=comment)
        [survey] = desk.surveys(ticket_id)
        surveys.record_answer(desk.connection, survey["id"], answer, desk.clerk, standard=desk.standard, now=desk.now)
        return str(desk.ticket(ticket_id)["number"])


def test_who_leads_reads_themes_in_masked_words_that_lead_to_their_tickets(site: Site, bench: Bench) -> None:
    number = _answer(site, "等了三天，我是王小丽，电话13800138000 <script>", name="王小丽")
    hidden = _answer(site, "等了太久，{{7*7}}", name="李强", wants_anonymity=True)

    page = bench.client.get(FEEDBACK)

    assert page.status_code == 200
    assert "等了三天，我是***，电话*** &lt;script&gt;" in page.text
    assert "{{7*7}}" in page.text
    assert f'href="/workbench/tickets/{number}"' in page.text
    assert hidden not in page.text
    assert "只有2份，难下结论" in page.text
    assert len(page.content) < 50_000


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("?from=2020-01-01&until=2020-01-02", 200, "这段时间没有收到评价"),
        ("?from=x", 422, "请填写有效的开始日期"),
        ("?from=2026-11-02&until=2026-11-01", 422, "请填写不早于开始日期的日期"),
        ("?until=%00&from=2026-11-01", 422, "请填写不早于开始日期的日期"),
    ],
)
def test_days_without_answers_and_days_that_are_none_are_said(bench: Bench, query: str, status: int, said: str) -> None:
    page = bench.client.get(FEEDBACK + query)

    assert (page.status_code, said in page.text) == (status, True)


def test_engineers_do_not_read_it(make_bench: MakeBench) -> None:
    assert make_bench(role=Role.QUALITY_INSPECTOR).client.get(FEEDBACK).status_code == 200
    assert make_bench("zhang.wei").client.get(FEEDBACK).status_code == 403
