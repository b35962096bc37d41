"""The callback queue: due first, the script, the result, and two people at one call (S-42, S-43)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from clock import utc_now
from db import callbacks, surveys
from domain.lifecycle import TicketState
from domain.people import CustomerTier, Role
from domain.satisfaction import SurveyAnswer
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, forms_of, text_of

S = TicketState
RESULT = {"reason": "等了三天配件", "suggestion": "缺货要马上说"}


def unhappy(site: Site, *, hours_ago: float = 0.5, comment: str = "太慢", **details: Any) -> int:
    """A customer who scored 2 that long ago; the id of the call that they are owed."""
    with site.desk() as desk:
        then = utc_now() - timedelta(hours=hours_ago)
        ticket_id = desk.open(at=then - timedelta(hours=27), phone="+8613800138000", **details)
        desk.bring_to(S.COMPLETED, ticket_id=ticket_id, at=then - timedelta(hours=25))
        surveys.dispatch_due(desk.connection, standard=desk.standard, now=then)
        survey = desk.surveys(ticket_id)[0]
        answer = SurveyAnswer(efficiency=1, attitude=4, solution=2, overall=2, comment=comment)
        surveys.record_answer(
            desk.connection, survey["id"], answer, desk.customer_of(ticket_id), standard=desk.standard, now=then
        )
        callbacks.escalate_due(desk.connection, standard=desk.standard, now=then)
        return int(next(call["id"] for call in desk.callbacks(ticket_id) if call["kind"] == "low_score"))


def to_be_surveyed(site: Site) -> tuple[int, int]:
    """A valued customer who is asked by phone; ticket and call."""
    with site.desk() as desk:
        ticket_id = desk.bring_to(
            S.COMPLETED,
            ticket_id=desk.open(tier=CustomerTier.VALUED, at=desk.after(hours=-30)),
            at=desk.after(hours=-26),
        )
        surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
        return ticket_id, next(int(c["id"]) for c in desk.callbacks(ticket_id) if c["kind"] == "phone_survey")


def call(site: Site, callback_id: int) -> dict[str, Any]:
    with site.desk() as desk:
        return callbacks.get(desk.connection, callback_id)


def send(bench: Bench, callback_id: int, name: str, **values: Any) -> Any:
    action = f"/workbench/callbacks/{callback_id}/{name}"
    return bench.send(action, bench.fill(bench.get(f"/workbench/callbacks/{callback_id}"), action, **values))


class TestTheQueue:
    def test_what_is_due_first_comes_first_and_what_is_late_is_clear(self, site: Site, bench: Bench) -> None:
        late = unhappy(site, hours_ago=3, comment="等了三天")
        soon = unhappy(site, hours_ago=0.2, comment="态度不好")

        page = bench.get("/workbench/callbacks")

        assert page.text.index(f'"/workbench/callbacks/{late}"') < page.text.index(f'"/workbench/callbacks/{soon}"')
        assert page.text.count("card late") == 1
        assert "等了三天" in page.text

    def test_the_number_is_masked_until_the_call_is_opened_and_then_the_look_is_recorded(
        self, site: Site, bench: Bench
    ) -> None:
        callback_id = unhappy(site)
        number = "+8613800138000"

        assert number not in bench.get("/workbench/callbacks").text
        page = bench.get(f"/workbench/callbacks/{callback_id}")
        assert number not in page.text
        assert "+86138****8000" in page.text

        shown = send(bench, callback_id, "contact")

        assert f'href="tel:{number}"' in shown.text
        send(bench, callback_id, "contact")
        assert len(site.everything()["contact_views"]) == 1

    def test_roles_that_need_no_number_see_it_masked_and_record_nothing(
        self, site: Site, make_bench: MakeBench
    ) -> None:
        callback_id = unhappy(site)
        inspector = make_bench(role=Role.QUALITY_INSPECTOR)

        page = inspector.get(f"/workbench/callbacks/{callback_id}")

        assert "+86138****8000" in page.text
        assert not [action for action in forms_of(page) if action.startswith("/workbench/callbacks/")]

    def test_the_script_speaks_the_customers_language_and_can_be_switched(self, site: Site, bench: Bench) -> None:
        callback_id = unhappy(site, language="en", comment="far too slow")

        page = bench.get(f"/workbench/callbacks/{callback_id}")

        assert "2 out of 5" in text_of(page)
        assert "far too slow" in text_of(page)
        assert "打了2分" in text_of(bench.get(f"/workbench/callbacks/{callback_id}?script=zh-CN"))


class TestTheResult:
    def test_reason_and_suggestion_are_kept_and_the_call_leaves_the_queue(self, site: Site, bench: Bench) -> None:
        callback_id = unhappy(site)

        answer = send(bench, callback_id, "result", **RESULT)

        assert answer.status_code == 303
        done = call(site, callback_id)
        assert (done["state"], done["reason"], done["suggestion"]) == ("done", *RESULT.values())
        assert done["done_by"] == bench.staff_id
        assert f'"/workbench/callbacks/{callback_id}"' not in bench.get("/workbench/callbacks").text
        assert "缺货要马上说" in bench.get(f"/workbench/callbacks/{callback_id}").text

    @pytest.mark.parametrize(
        ("values", "field"),
        [({"reason": " "}, "reason"), ({"reason": "a\x00"}, "reason"), ({"suggestion": "长" * 2001}, "suggestion")],
        ids=["missing", "nul", "long"],
    )
    def test_what_is_wrong_is_said_beside_the_field_and_the_rest_stays(
        self, site: Site, bench: Bench, values: dict[str, str], field: str
    ) -> None:
        callback_id = unhappy(site)

        answer = send(bench, callback_id, "result", **(RESULT | values))

        assert answer.status_code == 422
        assert f'id="result-{field}-fault"' in answer.text
        other = "suggestion" if field == "reason" else "reason"
        assert RESULT[other] in answer.text
        assert call(site, callback_id)["state"] == "open"

    def test_a_double_tap_records_it_once(self, site: Site, bench: Bench) -> None:
        callback_id = unhappy(site)
        action = f"/workbench/callbacks/{callback_id}/result"
        form = bench.fill(bench.get(f"/workbench/callbacks/{callback_id}"), action, **RESULT)

        assert [bench.send(action, form).status_code for _ in range(2)] == [303, 303]

    def test_of_two_at_once_one_wins_and_the_other_is_told_and_keeps_what_was_typed(
        self, site: Site, make_bench: MakeBench
    ) -> None:
        callback_id = unhappy(site)
        benches = [make_bench("sun.jing"), make_bench("carol.king"), make_bench("ma.chao")]
        action = f"/workbench/callbacks/{callback_id}/result"
        forms = [
            b.fill(b.get(f"/workbench/callbacks/{callback_id}"), action, reason=f"原因{b.staff_id}号") for b in benches
        ]

        with ThreadPoolExecutor(3) as threads:
            answers = list(threads.map(lambda pair: pair[0].send(action, pair[1]), zip(benches, forms, strict=True)))

        assert sorted(answer.status_code for answer in answers) == [303, 409, 409]
        winner = next(b for b, answer in zip(benches, answers, strict=True) if answer.status_code == 303)
        assert call(site, callback_id)["reason"] == f"原因{winner.staff_id}号"
        for b, answer in zip(benches, answers, strict=True):
            if b is not winner:
                assert f"原因{b.staff_id}号" in answer.text
                assert "这次回访已由别人登记" in answer.text or "Somebody else" in answer.text

    @pytest.mark.parametrize("who", ["zhang.wei", "liu.fang"])
    def test_a_low_score_is_not_called_by_those_it_is_about(self, site: Site, make_bench: MakeBench, who: str) -> None:
        callback_id = unhappy(site)
        bench = make_bench(who)
        page = bench.get(f"/workbench/callbacks/{callback_id}")

        assert f"/workbench/callbacks/{callback_id}/result" not in forms_of(page)
        form = forms_of(page)[f"/workbench/callbacks/{callback_id}/contact"] | RESULT
        assert bench.send(f"/workbench/callbacks/{callback_id}/result", form).status_code == 403
        assert call(site, callback_id)["state"] == "open"


class TestTheSurveyByPhone:
    def test_the_scores_answer_the_survey_and_finish_the_call(self, site: Site, bench: Bench) -> None:
        ticket_id, callback_id = to_be_surveyed(site)
        scores = {"efficiency": "5", "attitude": "5", "solution": "4", "overall": "5", "comment": "很好"}

        answer = send(bench, callback_id, "answer", **scores)

        assert answer.status_code == 303, text_of(answer)
        with site.desk() as desk:
            survey = desk.surveys(ticket_id)[0]
        assert (survey["state"], survey["overall"], survey["comment"]) == ("answered", 5, "很好")
        assert call(site, callback_id)["state"] == "done"

    def test_a_score_that_is_missing_is_asked_for_and_the_others_stay(self, site: Site, bench: Bench) -> None:
        _, callback_id = to_be_surveyed(site)

        answer = send(bench, callback_id, "answer", efficiency="5", attitude="9", solution="4", comment="好")

        assert answer.status_code == 422
        assert 'id="answer-overall-fault"' in answer.text
        assert 'id="answer-attitude-fault"' in answer.text
        form = forms_of(answer)[f"/workbench/callbacks/{callback_id}/answer"]
        assert (form["efficiency"], form["solution"], form["comment"]) == (["5"], ["4"], ["好"])

    def test_an_engineer_records_no_scores_of_their_own_work(self, site: Site, make_bench: MakeBench) -> None:
        _, callback_id = to_be_surveyed(site)

        assert f"/workbench/callbacks/{callback_id}/answer" not in forms_of(
            make_bench("zhang.wei").get(f"/workbench/callbacks/{callback_id}")
        )


@pytest.mark.parametrize("path", ["/workbench/callbacks/999999", "/workbench/callbacks/0", "/workbench/callbacks/x"])
def test_no_such_call_is_said_kindly(bench: Bench, path: str) -> None:
    assert bench.get(path).status_code == 404
