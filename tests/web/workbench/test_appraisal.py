"""The appraisal at the workbench: who reads whose, and days that are none (S-57)."""

from __future__ import annotations

from datetime import timedelta

from clock import utc_now
from db import seed, staff
from domain.lifecycle import CommandName
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import text_of

C = CommandName


def test_a_supervisor_reads_their_team_and_a_manager_everybody(site: Site, make_bench: MakeBench) -> None:
    with site.desk() as desk:
        for name in ("zhang.wei", "tom.baker"):
            ticket_id = desk.open()
            desk.give(ticket_id, C.ACKNOWLEDGE)
            someone = staff.actor(desk.connection, seed.address(name))
            desk.give(ticket_id, C.ASSIGN, assignee_id=someone.id, reason="r")
            desk.give(ticket_id, C.FIRST_CONTACT, summary="s")
            desk.give(ticket_id, C.COMPLETE, summary="s", guidance_only=True)
    around = utc_now() - timedelta(days=1), utc_now() + timedelta(days=1)
    today = "first={:%Y-%m-%d}&last={:%Y-%m-%d}".format(*around)
    path = "/workbench/appraisal"
    supervisor, manager, engineer = make_bench("sun.jing"), make_bench("ma.chao"), make_bench("zhang.wei")

    own, everybody = (text_of(one.get(f"{path}?{today}")) for one in (supervisor, manager))

    assert ("张伟" in own, "Tom Baker" in own) == (True, False)
    assert ("张伟" in everybody, "Tom Baker" in everybody) == (True, True)
    assert "数量太少，不排名" in own
    assert engineer.get(path).status_code == 403
    assert manager.get(path).status_code == 200
    assert "Tom Baker" not in manager.get(f"{path}?first=2020-01-01&last=2020-01-31").text

    for query in ("first=x", "last=2026-02-30", "first=2026-01-01&last=2025-01-01", "first=0001-01-01"):
        page = manager.get(f"{path}?{query}")
        assert (page.status_code, page.text.count('aria-invalid="true"')) == (422, 1)
