"""Each form on a ticket's page is one command, legal, permitted, given once, and never over another's head."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clock import utc_now
from db import events, seed, staff, tickets
from domain.lifecycle import CommandName, TicketState
from domain.people import Role
from domain.tickets import ticket_number
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, forms_of, text_of

C = CommandName
S = TicketState


def opened(site: Site, state: TicketState, **details: Any) -> tuple[int, str]:
    with site.desk() as desk:
        ticket_id = desk.bring_to(state, ticket_id=desk.open(**details) if details else None)
    return ticket_id, ticket_number(ticket_id)


def kinds(site: Site, ticket_id: int) -> list[str]:
    with site.desk() as desk:
        return desk.kinds(ticket_id)


def staff_id(site: Site, name: str) -> int:
    with site.desk() as desk:
        return int(staff.actor(desk.connection, seed.address(name)).id or 0)


def local(**ahead: float) -> str:
    moment: datetime = utc_now() + timedelta(**ahead)
    return f"{moment.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%dT%H:%M}"


def last(site: Site, ticket_id: int) -> dict[str, Any]:
    with site.desk() as desk:
        return desk.last_event(ticket_id)


PLAN = {"kind": "repair", "steps": "拆下外机\n更换风扇电机"}

# Each form with values that it takes, the state it needs, and where it leads.
ACTIONS: list[tuple[TicketState, str, dict[str, Any], TicketState]] = [
    (S.NEW, "acknowledge", {}, S.ACKNOWLEDGED),
    (S.ACKNOWLEDGED, "take", {}, S.ASSIGNED),
    (S.ASSIGNED, "first_contact", {"summary": "已电话联系", "verified": ["customer", "order"]}, S.DIAGNOSING),
    (S.DIAGNOSING, "ask_customer", {"question": "显示什么代码？"}, S.WAITING_CUSTOMER),
    (S.WAITING_CUSTOMER, "record_reply", {"reply": "E4"}, S.DIAGNOSING),
    (S.PLAN_PROPOSED, "agree_plan", {"agreed_by_phone_with": "王丽"}, S.IN_WORK),
    (S.PLAN_PROPOSED, "object_to_plan", {"reason": "太贵"}, S.DIAGNOSING),
    (S.IN_WORK, "log_step", {"step": "已拆机"}, S.IN_WORK),
    (S.IN_WORK, "complete", {"summary": "已换", "how": "tested"}, S.COMPLETED),
    (S.DIAGNOSING, "complete", {"summary": "已说明", "how": "guidance_only"}, S.COMPLETED),
    (S.COMPLETED, "confirm_completion", {"signed_by": "王丽"}, S.CLOSED),
    (S.COMPLETED, "report_not_fixed", {"reason": "又停了"}, S.IN_WORK),
    (S.CLOSED, "reopen", {"reason": "又坏了"}, S.ASSIGNED),
    (S.IN_WORK, "change_priority", {"impact": "core_use_lost", "reason": "全停了"}, S.IN_WORK),
    (S.IN_WORK, "change_category", {"category": "complaint", "reason": "客户投诉"}, S.IN_WORK),
    (S.IN_WORK, "report_again", {"description": "还漏水"}, S.IN_WORK),
    (S.IN_WORK, "add_note", {"note": "晚上联系"}, S.IN_WORK),
    (S.ASSIGNED, "cancel", {"reason": "已自行解决"}, S.CANCELLED),
]


class TestEachAction:
    @pytest.mark.parametrize(("state", "name", "values", "leads_to"), ACTIONS, ids=lambda v: str(v)[:20])
    def test_is_one_command_of_whoever_is_signed_in(
        self, site: Site, bench: Bench, state: TicketState, name: str, values: dict[str, Any], leads_to: TicketState
    ) -> None:
        ticket_id, number = opened(site, state)
        before = len(kinds(site, ticket_id))

        answer = bench.act(number, name, **values)

        assert answer.status_code == 303, text_of(answer)
        assert answer.headers["location"] == f"/workbench/tickets/{number}?done={name}"
        assert site.state(ticket_id) == leads_to
        with site.desk() as desk:  # beside it a promise may have been found broken
            history = events.list_of(desk.connection, ticket_id)
        given = [event for event in history if event["kind"] != "sla_breached"]
        event = given[-1]
        assert len(given) == before + 1
        assert (event["actor_role"], event["actor_id"]) == ("supervisor", bench.staff_id)
        shown = bench.get(answer.headers["location"])
        assert shown.status_code == 200
        assert 'role="status"' in shown.text

    def test_the_first_contact_says_what_was_verified(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.ASSIGNED)

        bench.act(number, "first_contact", summary="外机不转", verified=["customer", "order"])

        assert last(site, ticket_id)["payload"] == {"summary": "外机不转", "verified": ["customer", "order"]}
        assert "客户姓名和联系方式, 订单或购机凭证" in text_of(bench.ticket(number))

    def test_a_delay_tells_the_customer_reason_new_time_and_what_is_done_meanwhile(
        self, site: Site, bench: Bench
    ) -> None:
        ticket_id, number = opened(site, S.IN_WORK)
        expected = local(days=2)

        bench.act(number, "report_delay", reason="缺货", expected_at=expected, contingency="送备用机")

        payload = last(site, ticket_id)["payload"]
        moment = datetime.fromisoformat(payload.pop("expected_at")).astimezone(ZoneInfo("Asia/Shanghai"))
        assert f"{moment:%Y-%m-%dT%H:%M}" == expected
        assert payload == {"reason": "缺货", "contingency": "送备用机"}
        with site.desk() as desk:
            assert ("delay_reported", desk.customer_name(ticket_id)) in desk.told(ticket_id)

    def test_another_department_is_asked_for_help(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.IN_WORK)

        assert bench.act(number, "request_support", department="service", request="").status_code == 422
        bench.act(number, "request_support", department="parts_supply", request="风扇电机一台")

        assert last(site, ticket_id)["payload"] == {"department": "parts_supply", "request": "风扇电机一台"}
        assert "配件供应" in text_of(bench.ticket(number))

    def test_the_agreement_by_phone_says_with_whom_and_when(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.PLAN_PROPOSED)

        bench.act(number, "agree_plan", agreed_by_phone_with="王先生", agreed_at=local(minutes=-10))

        payload = last(site, ticket_id)["payload"]
        assert payload["agreed_by_phone_with"] == "王先生"
        assert datetime.fromisoformat(payload["agreed_at"]) < utc_now()
        assert "王先生" in text_of(bench.ticket(number))

    def test_a_ticket_climbs_to_somebody_of_the_next_tier(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.IN_WORK)
        page = bench.ticket(number)
        action = f"/workbench/tickets/{number}/escalate_tier"
        with site.desk() as desk:
            expert = staff_id(site, "wu.qiang")
            assert desk.ticket(ticket_id)["tier"] == 1

        answer = bench.send(action, bench.fill(page, action, assignee_id=str(expert), reason="需要检测台"))

        assert answer.status_code == 303
        with site.desk() as desk:
            assert (desk.ticket(ticket_id)["tier"], desk.ticket(ticket_id)["assignee_id"]) == (2, expert)


class TestThePlanEditor:
    def test_a_plan_with_options_owner_and_appointment_reaches_the_customer(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.DIAGNOSING)
        owner = staff_id(site, "li.jianguo")
        options = {"option_title_1": "上门修", "option_pros_1": "快", "option_title_3": "换新", "option_cons_3": "要等"}

        answer = bench.act(
            number,
            "propose_plan",
            **PLAN,
            **options,
            deadline_at=local(days=3),
            appointment_at=local(days=2),
            owner_id=str(owner),
        )

        assert answer.status_code == 303
        with site.desk() as desk:
            (plan,) = tickets.plans_of(desk.connection, ticket_id)
        assert (plan["kind"], plan["steps"], plan["owner_id"]) == ("repair", ["拆下外机", "更换风扇电机"], owner)
        assert [(o["title"], o["pros"], o["cons"]) for o in plan["options"]] == [
            ("上门修", "快", ""),
            ("换新", "", "要等"),
        ]

    def test_after_an_objection_it_begins_with_the_former_revision_and_shows_why(
        self, site: Site, bench: Bench
    ) -> None:
        ticket_id, number = opened(site, S.DIAGNOSING)
        bench.act(number, "propose_plan", **PLAN, deadline_at=local(days=3), option_title_1="上门修")
        bench.act(number, "object_to_plan", reason="周五前不行")

        page = bench.ticket(number)

        form = forms_of(page)[f"/workbench/tickets/{number}/propose_plan"]
        assert form["steps"] == [PLAN["steps"]]
        assert form["kind"] == ["repair"]
        assert form["option_title_1"] == ["上门修"]
        assert "周五前不行" in text_of(page)
        bench.act(number, "propose_plan", steps="换新机")
        with site.desk() as desk:
            assert [p["state"] for p in tickets.plans_of(desk.connection, ticket_id)] == ["objected", "proposed"]
        assert text_of(bench.ticket(number)).count("周五前不行") >= 1

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"deadline_at": ""}, "请填写。"),
            ({"deadline_at": "2020-01-01T10:00"}, "这个时间已经过去了"),
            ({"deadline_at": "soon"}, "请填写日期和时间。"),
            ({"deadline_at": "9999-12-31T23:59"}, "时间太远了"),
            ({"steps": " \n "}, "请填写。"),
            ({"steps": "\n".join("s" for _ in range(21))}, "太多了，最多20项。"),
            ({"steps": "长" * 201}, "太长了，最多200个字。"),
            ({"kind": "magic"}, "请选择一项。"),
            ({"owner_id": "99999"}, "不能交给这位同事"),
            ({"option_pros_2": "只有优点"}, "请填写。"),
            ({"option_title_1": "好" * 201}, "太长了，最多200个字。"),
        ],
        ids=lambda v: str(v)[:24],
    )
    def test_what_is_wrong_is_said_beside_the_field_and_everything_typed_stays(
        self, site: Site, bench: Bench, wrong: dict[str, str], says: str
    ) -> None:
        _ticket_id, number = opened(site, S.DIAGNOSING)
        action = f"/workbench/tickets/{number}/propose_plan"
        right = PLAN | {"deadline_at": local(days=3), "appointment_at": local(days=1), "option_title_4": "第四种"}
        before = site.everything()

        answer = bench.act(number, "propose_plan", **(right | wrong))

        assert answer.status_code == 422
        assert site.everything() == before
        kept = forms_of(answer)[action]
        for name, value in (right | wrong).items():
            if name not in ("kind", "owner_id"):  # a choice that is not offered cannot be kept
                assert kept[name] == [value], name
        assert says in text_of(answer)
        (name,) = wrong
        spoiled = "option_title_2" if name == "option_pros_2" else name
        assert f'id="propose_plan-{spoiled}-fault"' in answer.text

    def test_an_appointment_after_the_deadline_is_refused_beside_its_field(self, site: Site, bench: Bench) -> None:
        _, number = opened(site, S.DIAGNOSING)

        answer = bench.act(number, "propose_plan", **PLAN, deadline_at=local(days=1), appointment_at=local(days=2))

        assert answer.status_code == 422
        assert 'id="propose_plan-appointment_at-fault"' in answer.text


class TestSteps:
    @pytest.mark.parametrize(("language", "said"), [("zh-CN", "已上门检测"), ("en", "Inspected on site")])
    def test_one_tap_logs_a_frequent_step_in_the_customers_language(
        self, site: Site, bench: Bench, language: str, said: str
    ) -> None:
        ticket_id, number = opened(site, S.IN_WORK, language=language)

        answer = bench.act(number, "log_step", frequent="inspected")

        assert answer.status_code == 303
        assert last(site, ticket_id)["payload"] == {"step": said}

    def test_a_note_goes_with_the_tap(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.IN_WORK)

        bench.act(number, "log_step", frequent="part_sent", step="顺丰，明天到")

        assert last(site, ticket_id)["payload"] == {"step": "配件已发出：顺丰，明天到"}

    def test_nothing_tapped_and_nothing_written_is_no_step(self, site: Site, bench: Bench) -> None:
        _ticket_id, number = opened(site, S.IN_WORK)

        answer = bench.act(number, "log_step", frequent="no such step")

        assert answer.status_code == 422
        assert 'id="log_step-step-fault"' in answer.text

    def test_an_internal_step_is_not_told_to_the_customer(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.IN_WORK)
        with site.desk() as desk:
            told = desk.told(ticket_id)

        bench.act(number, "log_step", step="客户脾气急", is_internal="1")

        with site.desk() as desk:
            assert desk.told(ticket_id) == told

    def test_a_visit_keeps_its_conduct_checklist(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.IN_WORK)

        bench.act(number, "log_step", step="上门", is_visit="1", conduct=["uniform", "cleaned_up"])

        assert last(site, ticket_id)["payload"]["visit"] == ["uniform", "cleaned_up"]
        assert "着工装, 离开前清理现场" in text_of(bench.ticket(number))

    def test_a_part_that_comes_after_the_promise_is_a_delay(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.IN_WORK)
        parts = {"part_name_1": "风扇电机", "part_quantity_1": "2", "part_use_1": "awaited"}

        bench.act(number, "log_step", step="等配件", **parts, part_expected_at_1=local(days=30))

        assert last(site, ticket_id)["payload"]["parts"][0]["name"] == "风扇电机"
        page = bench.ticket(number)
        assert "承诺的时间有风险" in text_of(page)
        assert forms_of(page)[f"/workbench/tickets/{number}/report_delay"]["expected_at"] == [local(days=30)]
        bench.act(number, "log_step", step="到了", part_name_1="风扇电机", part_use_1="arrived")
        assert "承诺的时间有风险" not in text_of(bench.ticket(number))

    def test_an_awaited_part_without_a_time_is_refused_in_its_row(self, site: Site, bench: Bench) -> None:
        _, number = opened(site, S.IN_WORK)

        answer = bench.act(number, "log_step", step="等配件", part_name_2="电容", part_use_2="awaited")

        assert answer.status_code == 422
        assert 'id="log_step-part_expected_at_2-fault"' in answer.text


class TestOnlyWhatIsLegal:
    @pytest.mark.parametrize("state", TicketState)
    def test_every_form_on_offer_is_possible_in_the_state(self, site: Site, bench: Bench, state: TicketState) -> None:
        from domain.lifecycle import COMMANDS
        from web.workbench.forms import FORMS

        _, number = opened(site, state)

        names = bench.actions(number) - {"contact"}

        assert names
        assert [name for name in names if state not in COMMANDS[FORMS[name].command].sources] == []

    @pytest.mark.parametrize("role", [Role.QUALITY_INSPECTOR, Role.ADMINISTRATOR])
    def test_inspectors_and_administrators_read_and_take_notes(
        self, site: Site, make_bench: MakeBench, role: Role
    ) -> None:
        _ticket_id, number = opened(site, S.IN_WORK)
        inspector = make_bench(role=role)

        assert inspector.actions(number) == {"add_note"}
        assert inspector.act(number, "add_note", note="抽查").status_code == 303

    def test_a_command_that_is_not_for_the_role_is_refused_and_not_stored(
        self, site: Site, make_bench: MakeBench
    ) -> None:
        _ticket_id, number = opened(site, S.IN_WORK)
        engineer = make_bench("amy.clark")
        form = engineer.fill(engineer.ticket(number), f"/workbench/tickets/{number}/add_note")
        before = site.everything()

        values = form | {"assignee_id": "1", "reason": "r"}
        answer = engineer.send(f"/workbench/tickets/{number}/escalate_tier", values)

        assert answer.status_code == 403
        assert site.everything() == before

    def test_an_engineer_takes_a_free_ticket_and_hands_on_their_own_but_not_a_colleagues(
        self, site: Site, make_bench: MakeBench
    ) -> None:
        ticket_id, number = opened(site, S.ACKNOWLEDGED)
        zhang, amy = make_bench("zhang.wei"), make_bench("amy.clark")

        assert "take" in amy.actions(number)
        assert zhang.act(number, "take").status_code == 303
        assert not {"take", "assign"} & amy.actions(number)
        form = zhang.fill(zhang.ticket(number), f"/workbench/tickets/{number}/assign")
        stolen = amy.fill(amy.ticket(number), f"/workbench/tickets/{number}/add_note")
        stolen |= {"assignee_id": str(amy.staff_id), "reason": "mine"}
        assert amy.send(f"/workbench/tickets/{number}/assign", stolen).status_code == 403
        form |= {"assignee_id": str(amy.staff_id), "reason": "熟悉这个型号"}
        assert zhang.send(f"/workbench/tickets/{number}/assign", form).status_code == 303
        with site.desk() as desk:
            assert desk.ticket(ticket_id)["assignee_id"] == amy.staff_id

    def test_nothing_is_completed_before_the_customer_agrees(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.DIAGNOSING)

        answer = bench.act(number, "complete", summary="已修好", how="tested")

        assert answer.status_code == 422
        assert 'id="complete-how-fault"' in answer.text
        assert "已修好" in answer.text
        assert site.state(ticket_id) == "diagnosing"

    @pytest.mark.parametrize("name", ["close", "no_such_thing", "object", "__class__"])
    def test_what_no_form_gives_is_not_found(self, site: Site, bench: Bench, name: str) -> None:
        _, number = opened(site, S.COMPLETED)
        form = bench.fill(bench.ticket(number), f"/workbench/tickets/{number}/add_note", note="n")

        assert bench.send(f"/workbench/tickets/{number}/{name}", form).status_code == 404

    @pytest.mark.parametrize("number", ["TK-99999999", "0", "TK-0", "x", "9" * 30, "TK-1%00"])
    def test_no_such_ticket_is_said_kindly(self, bench: Bench, number: str) -> None:
        assert bench.get(f"/workbench/tickets/{number}").status_code == 404


class TestSideBySide:
    def test_a_stale_form_is_not_applied_and_comes_back_with_what_changed_and_what_was_typed(
        self, site: Site, bench: Bench, make_bench: MakeBench
    ) -> None:
        ticket_id, number = opened(site, S.IN_WORK)
        action = f"/workbench/tickets/{number}/log_step"
        form = bench.fill(bench.ticket(number), action, step="我写了很久的进度")
        make_bench("zhang.wei").act(number, "add_note", note="客户改到周六")
        before = site.everything()

        answer = bench.send(action, form)

        assert answer.status_code == 409
        assert site.everything() == before
        said = text_of(answer)
        assert "这张工单刚刚有了变化" in said
        assert "客户改到周六" in said
        again = forms_of(answer)[action]
        assert again["step"] == ["我写了很久的进度"]
        assert bench.send(action, again).status_code == 303
        assert last(site, ticket_id)["payload"] == {"step": "我写了很久的进度"}

    def test_what_was_typed_is_kept_even_where_the_form_is_gone(
        self, site: Site, bench: Bench, make_bench: MakeBench
    ) -> None:
        ticket_id, number = opened(site, S.IN_WORK)
        action = f"/workbench/tickets/{number}/log_step"
        form = bench.fill(bench.ticket(number), action, step="装好了外机")
        make_bench("zhang.wei").act(number, "cancel", reason="客户不修了")

        answer = bench.send(action, form)

        assert answer.status_code == 409
        assert action not in forms_of(answer)
        assert "装好了外机" in text_of(answer)
        assert site.state(ticket_id) == "cancelled"

    def test_a_double_tap_gives_the_command_once(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.IN_WORK)
        action = f"/workbench/tickets/{number}/log_step"
        form = bench.fill(bench.ticket(number), action, frequent="repaired")

        answers = [bench.send(action, form) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert kinds(site, ticket_id).count("log_step") == 1

    def test_the_same_form_with_other_words_is_not_taken_for_a_second_tap(self, site: Site, bench: Bench) -> None:
        ticket_id, number = opened(site, S.IN_WORK)
        action = f"/workbench/tickets/{number}/add_note"
        form = bench.fill(bench.ticket(number), action, note="第一次")
        bench.send(action, form)

        answer = bench.send(action, form | {"note": "第二次"})

        assert answer.status_code == 409
        assert "第二次" in answer.text
        assert bench.send(action, forms_of(answer)[action]).status_code == 303
        assert kinds(site, ticket_id).count("add_note") == 2

    def test_of_many_at_once_one_wins_and_every_other_is_told(self, site: Site, make_bench: MakeBench) -> None:
        ticket_id, number = opened(site, S.ACKNOWLEDGED)
        benches = [make_bench(who) for who in ("zhang.wei", "amy.clark", "liu.fang", "sun.jing")]
        action = f"/workbench/tickets/{number}/take"
        forms = [bench.fill(bench.ticket(number), action) for bench in benches]

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda pair: pair[0].send(action, pair[1]), zip(benches, forms, strict=True)))

        assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
        assert kinds(site, ticket_id).count("assign") == 1

    @pytest.mark.parametrize("seen", ["", "-1", "x", "99999999999999999999"])
    def test_a_form_that_does_not_say_what_was_seen_is_not_applied(self, site: Site, bench: Bench, seen: str) -> None:
        _ticket_id, number = opened(site, S.IN_WORK)
        before = site.everything()

        assert bench.act(number, "add_note", note="n", seen=seen).status_code == 409
        assert site.everything() == before


HOSTILE = ["<script>alert(1)</script>", "{{97*131}}", "=cmd()", "\u202egro\u202c 🙂", "a\x00b", "x" * 2001]


class TestHostileInput:
    @pytest.mark.parametrize("text", HOSTILE, ids=["script", "braces", "formula", "rtl", "nul", "long"])
    @pytest.mark.parametrize(
        ("state", "name", "field"),
        [(S.IN_WORK, "log_step", "step"), (S.IN_WORK, "add_note", "note"), (S.DIAGNOSING, "ask_customer", "question")],
    )
    def test_people_may_write_what_they_like_and_it_stays_text(
        self, site: Site, bench: Bench, state: TicketState, name: str, field: str, text: str
    ) -> None:
        _ticket_id, number = opened(site, state)

        answer = bench.act(number, name, **{field: text})

        assert answer.status_code == (422 if "\x00" in text or len(text) > 2000 else 303)
        page = bench.ticket(number) if answer.status_code == 303 else answer
        assert "<script>alert" not in page.text
        assert "12707" not in text_of(page)

    def test_every_field_of_every_form_takes_rubbish_without_breaking(self, site: Site, bench: Bench) -> None:
        for state in (S.DIAGNOSING, S.PLAN_PROPOSED, S.IN_WORK, S.COMPLETED):
            _, number = opened(site, state)
            for action, form in forms_of(bench.ticket(number)).items():
                if not action.startswith(f"/workbench/tickets/{number}/") or action.endswith("/contact"):
                    continue
                kept = {name: value for name, value in form.items() if name in ("csrf", "seen", "once")}
                rubbish = {name: ["\x00🙂{{97*131}}" * 300] for name in form if name not in kept}
                answer = bench.send(action, kept | rubbish)
                assert answer.status_code in (303, 409, 422), action


def test_the_clocks_are_asked_for_alone_and_sent_only_when_they_say_something_else(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site, S.IN_WORK)
    path = f"/workbench/tickets/{number}/promises.html"
    page = bench.get(f"/workbench/tickets/{number}")
    first = bench.get(path)
    same = bench.client.get(path, headers={"if-none-match": first.headers["etag"]})
    with site.desk() as desk:
        desk.give(ticket_id, C.COMPLETE, summary="s", tested=True)
    changed = bench.client.get(path, headers={"if-none-match": first.headers["etag"]})

    assert f'data-live="{path}"' in page.text
    assert "workbench.js" in page.text
    assert "<html" not in first.text
    assert re.sub(r"\s+", "", first.text) in re.sub(r"\s+", "", page.text)
    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200
    assert bench.client.get("/workbench/tickets/TK-00099999/promises.html").status_code == 404
