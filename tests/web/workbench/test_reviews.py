"""Reviews at the workbench: proposed by rule, kept once, read on the ticket's page, erased with it (S-44)."""

from __future__ import annotations

from datetime import timedelta

from clock import utc_now
from db import erasure
from domain.lifecycle import CommandName, TicketState
from domain.people import Role
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import forms_of, text_of

C = CommandName
FOUND = {"participants": "孙静、张伟", "what_happened": "修了三次", "conclusions": "<b>先测再换</b>", "follow_ups": ""}


def test_a_case_is_proposed_reviewed_once_and_told(site: Site, make_bench: MakeBench) -> None:
    with site.desk() as desk:
        at = desk.after(days=-3)
        case = desk.bring_to(TicketState.COMPLETED, at=at)
        for hours in (1, 3):
            desk.give(case, C.REPORT_NOT_FIXED, at=at + timedelta(hours=hours), reason="r")
            desk.give(case, C.COMPLETE, at=at + timedelta(hours=hours + 1), summary="s", tested=True)
        desk.give(case, C.CONFIRM_COMPLETION, at=at + timedelta(hours=5), signed_by="s")
        ordinary, number = desk.bring_to(TicketState.CLOSED, at=at), str(desk.ticket(case)["number"])
    lead, inspector = make_bench(), make_bench("he.miao", role=Role.QUALITY_INSPECTOR)
    path = f"/workbench/reviews/{number}"
    listed = inspector.get("/workbench/reviews").text
    assert (path in listed, f"TK-{ordinary:08}" in listed, "返修两次及以上" in listed) == (True, False, True)

    form = inspector.fill(inspector.get(path), path, **FOUND)
    tomorrow = f"{utc_now() + timedelta(days=2):%Y-%m-%d}"
    for wrong in ({"held_on": ""}, {"held_on": tomorrow}, {"held_on": "2026-02-30"}):
        refused = inspector.send(path, form | wrong)
        assert (refused.status_code, refused.text.count('aria-invalid="true"')) == (422, 1)
    assert forms_of(refused)[path]["what_happened"] == ["修了三次"]
    form["held_on"] = f"{utc_now() - timedelta(days=1):%Y-%m-%d}"
    assert [inspector.send(path, form).status_code for _ in range(2)] == [303, 303]

    assert lead.get("/workbench/reviews").text.count("修了三次") == 1
    told = lead.ticket(number)
    assert "&lt;b&gt;先测再换&lt;/b&gt;" in told.text
    assert "已复盘" in text_of(told)
    assert make_bench("zhang.wei").get(path).status_code == 403
    assert lead.get("/workbench/reviews/TK-99999999").status_code == 404
    with site.desk() as desk:
        customer = desk.customer_of(case).id or 0
        erasure.erase_customer(
            desk.connection, customer, desk.clerk, "asked", standard=desk.standard, now=desk.after(hours=1)
        )
    assert "先测再换" not in lead.get("/workbench/reviews").text
