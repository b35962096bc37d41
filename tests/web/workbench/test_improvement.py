"""From unhappy customers to a root cause, an action, and its end, in the browser (S-53, S-54)."""

from __future__ import annotations

import re
from datetime import timedelta

from clock import utc_now
from domain.people import Role
from domain.tickets import ticket_number
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import text_of

NEW = "/workbench/improvement/causes/new"
CAUSES = "/workbench/improvement/causes"


def test_a_root_cause_leads_to_an_action_that_whoever_is_responsible_ends(make_bench: MakeBench, site: Site) -> None:
    with site.desk() as desk:
        number = ticket_number(desk.open())
    bench, engineer = make_bench(), make_bench("zhang.wei")
    said = {
        "tickets": f"{number}, 7777777",
        "problem": "<b>迟到</b>",
        "whys": "堵车\n一天九单",
        "cause": "派单不看路程",
    }

    empty = bench.send(CAUSES, bench.fill(bench.get(NEW), CAUSES, tickets="TK-x", whys="1\n2\n3\n4\n5\n6"))
    assert empty.status_code == 422
    assert empty.text.count("-fault") >= 4
    assert "不存在的工单号" in text_of(bench.send(CAUSES, bench.fill(bench.get(NEW), CAUSES, **said)))
    kept = bench.send(CAUSES, bench.fill(bench.get(f"{NEW}?tickets={number}"), CAUSES, **{**said, "tickets": number}))
    assert kept.status_code == 303, kept.text
    page = bench.get(kept.headers["location"])
    assert "&lt;b&gt;迟到" in page.text

    decide = f"{page.request.url.path}/actions"
    action = {"measure": "按路程派单", "responsible_id": engineer.staff_id, "expected_effect": "少迟到"}
    past = bench.send(decide, bench.fill(page, decide, **action, department="service", due_on="2001-01-01"))
    assert (past.status_code, "最多一年之内" in past.text) == (422, True)
    decided = bench.send(
        decide,
        bench.fill(page, decide, **action, department="service", due_on=str(utc_now().date() + timedelta(days=5))),
    )
    assert decided.status_code == 303, decided.text

    (path,) = set(re.findall(r"/workbench/improvement/actions/\d+", bench.get("/workbench/improvement").text))
    done = f"{path}/done"
    own = engineer.get(path)
    assert own.status_code == 200
    assert engineer.send(done, engineer.fill(own, done)).status_code == 422
    assert engineer.send(done, engineer.fill(own, done, note="已上线")).status_code == 303
    late = engineer.send(done, engineer.fill(own, done, note="再来一次"))
    assert (late.status_code, "再来一次" in late.text) == (409, True)
    effect = text_of(bench.get(path))
    assert "答复太少，无法判断" in effect
    assert "回归均值" in effect


def test_agents_neither_look_for_causes_nor_see_other_peoples_actions(make_bench: MakeBench) -> None:
    agent = make_bench("liu.fang", role=Role.AGENT)

    assert agent.get("/workbench/improvement").status_code == 403
    assert agent.get(NEW).status_code == 403
    assert agent.get("/workbench/improvement/actions/99999999").status_code == 404
