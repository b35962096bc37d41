"""The watch list at the workbench: who reads it, whom it names, and two who care at once (S-58)."""

from __future__ import annotations

from datetime import timedelta

from db import surveys
from domain.lifecycle import TicketState
from domain.satisfaction import SurveyAnswer
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import forms_of


def test_care_is_recorded_once_and_names_nobody_who_wants_no_name(site: Site, make_bench: MakeBench) -> None:
    with site.desk() as desk:
        for _ in range(2):
            then = desk.after(hours=-40)
            details = {"name": "王丽", "email": "wang@example.com", "wants_anonymity": True}
            ticket_id = desk.bring_to(TicketState.CLOSED, ticket_id=desk.open("空调故障", at=then, **details), at=then)
            surveys.dispatch_due(desk.connection, standard=desk.standard, now=then + timedelta(hours=25))
            answer = SurveyAnswer(efficiency=1, attitude=1, solution=1, overall=1)
            survey_id, customer = desk.surveys(ticket_id)[-1]["id"], desk.customer_of(ticket_id)
            surveys.record_answer(
                desk.connection, survey_id, answer, customer, standard=desk.standard, now=desk.after(minutes=-5)
            )
    lead = make_bench()
    page = lead.get("/workbench/churn")
    (action,) = (path for path in forms_of(page) if path.startswith("/workbench/churn/"))
    assert "王丽" not in page.text
    assert "***" in page.text
    form = lead.fill(page, action, note="<script>alert(1)</script> 已致歉")
    assert form["action"] == ["call"]

    for wrong in ({"note": " "}, {"note": "x" * 1001}, {"action": "bribe"}, {"note": "a\0b"}):
        refused = lead.send(action, form | wrong)
        assert (refused.status_code, refused.text.count('aria-invalid="true"')) == (422, 1)
    assert lead.send(action, form).status_code == 303
    late = lead.send(action, form)

    assert late.status_code == 409
    assert late.text.count("&lt;script&gt;alert(1)") == 2  # kept once, and what was not kept is given back
    assert lead.send("/workbench/churn/999999", form).status_code == 409
    assert make_bench("zhang.wei").get("/workbench/churn").status_code == 403
