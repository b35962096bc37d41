"""What customers answer through the pages: agree, choose, object, sign, rate; each once (S-22, S-23, S-40, S-41)."""

from __future__ import annotations

import re
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clock import utc_now
from db import callbacks, surveys, tickets
from domain.lifecycle import CommandName, TicketState
from domain.messages import LinkPurpose
from domain.people import SYSTEM
from tests.conftest import read_cast
from tests.pictures import picture
from tests.web.conftest import Site

C = CommandName
S = TicketState
P = LinkPurpose
RATING = {"efficiency": "4", "attitude": "5", "solution": "3", "overall": "5", "comment": "谢谢"}


def _proposed(site: Site, **plan: Any) -> int:
    with site.desk() as desk:
        ticket_id = desk.bring_to(S.DIAGNOSING)
        values = {"kind": "repair", "steps": ["换压缩机"], "deadline_at": desk.after(days=3), **plan}
        desk.give(ticket_id, C.PROPOSE_PLAN, **values)
        return ticket_id


def _completed(site: Site) -> int:
    with site.desk() as desk:
        return desk.bring_to(S.COMPLETED)


def _asked(site: Site) -> tuple[int, int]:
    with site.desk() as desk:
        ticket_id = desk.bring_to(S.COMPLETED, at=desk.after(hours=-25))
        surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
        return ticket_id, desk.surveys(ticket_id)[0]["id"]


def _plans(site: Site, ticket_id: int) -> list[tuple[str, int | None, str | None]]:
    with site.desk() as desk:
        plans = tickets.plans_of(desk.connection, ticket_id)
        return [(plan["state"], plan["chosen_option"], plan["objection"]) for plan in plans]


class TestThePlan:
    def test_is_agreed_to(self, site: Site) -> None:
        ticket_id = _proposed(site)
        path = site.link(P.PLAN, ticket_id, 1)

        answer = site.client.post(path, data={"answer": "agree", "once": "o"}, params={"lang": "en"})

        assert answer.history[0].status_code == 303
        assert "You agreed to this plan" in answer.text
        assert site.state(ticket_id) == "in_work"
        with site.desk() as desk:
            event = desk.last_event(ticket_id)
            assert (event["kind"], event["actor_role"]) == ("agree_plan", "customer")

    def test_is_agreed_to_by_the_option_chosen(self, site: Site) -> None:
        ticket_id = _proposed(site, options=[{"title": "修"}, {"title": "换"}])
        path = site.link(P.PLAN, ticket_id, 1)
        assert "换" in site.client.get(path).text

        site.client.post(path, data={"answer": "agree", "option": "2"})

        assert _plans(site, ticket_id) == [("agreed", 2, None)]

    def test_is_objected_to_with_a_reason(self, site: Site) -> None:
        ticket_id = _proposed(site)

        site.client.post(site.link(P.PLAN, ticket_id, 1), data={"answer": "object", "reason": "星期天可以"})

        assert site.state(ticket_id) == "diagnosing"
        assert _plans(site, ticket_id) == [("objected", None, "星期天可以")]

    @pytest.mark.parametrize("second", [{"answer": "agree"}, {"answer": "object", "reason": "no"}])
    def test_a_second_tap_changes_nothing(self, site: Site, second: dict[str, str]) -> None:
        ticket_id = _proposed(site)
        path = site.link(P.PLAN, ticket_id, 1)
        site.client.post(path, data={"answer": "agree", "once": "o"})
        before = site.everything()

        answer = site.client.post(path, data={"once": "o"} | second)

        assert answer.status_code == 200
        assert site.everything() == before

    def test_twenty_taps_at_once_agree_once(self, site: Site) -> None:
        ticket_id = _proposed(site)
        path = site.link(P.PLAN, ticket_id, 1)

        with ThreadPoolExecutor(20) as threads:
            posts = threads.map(lambda _: site.client.post(path, data={"answer": "agree", "once": "o"}), range(20))
            statuses = {answer.status_code for answer in posts}

        assert statuses == {200}
        with site.desk() as desk:
            assert desk.kinds(ticket_id).count("agree_plan") == 1

    def test_of_an_old_revision_is_shown_but_not_answered(self, site: Site) -> None:
        ticket_id = _proposed(site)
        with site.desk() as desk:
            desk.give(ticket_id, C.PROPOSE_PLAN, kind="refund", steps=["退款"], deadline_at=desk.after(days=3))
        path = site.link(P.PLAN, ticket_id, 1)
        before = site.everything()

        page = site.client.get(path, params={"lang": "en"})
        answer = site.client.post(path, data={"answer": "agree"})

        assert "no longer the current one" in page.text
        assert "<form" not in page.text
        assert answer.status_code == 200
        assert site.everything() == before

    def test_that_was_never_made_is_not_found(self, site: Site) -> None:
        assert site.client.get(site.link(P.PLAN, _proposed(site), 9)).status_code == 404

    @pytest.mark.parametrize(
        ("options", "data", "field"),
        [
            ([], {"answer": "object"}, "reason"),
            ([], {"answer": "object", "reason": "  "}, "reason"),
            ([], {"answer": "object", "reason": "x" * 2001}, "reason"),
            ([], {"answer": "object", "reason": "a\x00b"}, "reason"),
            ([], {"answer": "agree", "option": "1"}, "option"),
            ([{"title": "a"}], {"answer": "agree"}, "option"),
            ([{"title": "a"}], {"answer": "agree", "option": "2"}, "option"),
            ([{"title": "a"}], {"answer": "agree", "option": "0"}, "option"),
            ([{"title": "a"}], {"answer": "agree", "option": "-1"}, "option"),
            ([{"title": "a"}], {"answer": "agree", "option": "٣"}, "option"),
            ([{"title": "a"}], {"answer": "agree", "option": "x" * 5000}, "option"),
            ([], {}, "your answer"),
            ([], {"answer": "perhaps", "reason": "r"}, "your answer"),
        ],
    )
    def test_with_something_missing_or_wrong_names_it_and_changes_nothing(
        self, site: Site, options: list[Any], data: dict[str, str], field: str
    ) -> None:
        ticket_id = _proposed(site, options=options)
        before = site.everything()

        answer = site.client.post(site.link(P.PLAN, ticket_id, 1), data=data, params={"lang": "en"})

        assert answer.status_code == 422
        assert (f'id="{field}-fault"' if field in {"reason", "option"} else f"<strong>{field}</strong>") in answer.text
        assert site.everything() == before

    def test_another_time_is_proposed_in_the_customers_zone(self, site: Site) -> None:
        ticket_id = _proposed(site)
        wish = (utc_now().astimezone(ZoneInfo("Asia/Shanghai")) + timedelta(days=2)).replace(microsecond=0)
        data = {"answer": "another_time", "proposed_at": wish.strftime("%Y-%m-%dT%H:%M")}

        answer = site.client.post(site.link(P.PLAN, ticket_id, 1), data=data, params={"lang": "en"})

        assert answer.status_code == 200
        assert _plans(site, ticket_id) == [("objected", None, "Another time suits me better")]
        with site.desk() as desk:
            said = datetime.fromisoformat(desk.last_event(ticket_id)["payload"]["proposed_at"])
        assert said == wish.replace(second=0)
        progress = site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": "en"}).text
        assert f"Would suit you: {wish:%a} {wish.day} {wish:%b}, {wish:%H:%M}" in progress

    @pytest.mark.parametrize(
        "wish", ["", "soon", "2020-01-01T10:00", "9999-12-31T23:59", "0001-01-01T00:00", "2027-01-01T10:00Z", "a\x00"]
    )
    def test_another_time_that_is_none_is_said_beside_the_field(self, site: Site, wish: str) -> None:
        ticket_id = _proposed(site)
        before = site.everything()
        data = {"answer": "another_time", "proposed_at": wish, "words": "mornings <b>only</b>"}

        answer = site.client.post(site.link(P.PLAN, ticket_id, 1), data=data, params={"lang": "en"})

        assert answer.status_code == 422
        assert 'aria-describedby="proposed_at-fault"' in answer.text
        assert "mornings &lt;b&gt;only&lt;/b&gt;</textarea>" in answer.text
        assert site.everything() == before

    def test_a_newer_plan_still_shows_the_earlier_one_and_the_objection(self, site: Site) -> None:
        ticket_id = _proposed(site)
        site.client.post(site.link(P.PLAN, ticket_id, 1), data={"answer": "object", "reason": "too dear"})
        with site.desk() as desk:
            desk.give(ticket_id, C.PROPOSE_PLAN, kind="refund", steps=["退款"], deadline_at=desk.after(days=3))

        page = site.client.get(site.link(P.PLAN, ticket_id, 2), params={"lang": "en"}).text

        assert "Earlier plans" in page
        assert "You said: too dear" in page

    def test_a_hostile_once_does_no_harm(self, site: Site) -> None:
        ticket_id = _proposed(site)

        answer = site.client.post(site.link(P.PLAN, ticket_id, 1), data={"answer": "agree", "once": "\x00'; DROP"})

        assert answer.status_code == 200
        assert site.state(ticket_id) == "in_work"

    @pytest.mark.parametrize(
        ("reason", "english", "chinese"),
        [
            ("x" * 2001, "at most 2000 characters fit", "太长了，最多2000个字符"),
            ("a\x00b", "characters here that cannot be stored", "无法保存的字符"),
            ("  ", "Please fill this in", "请填写"),
        ],
    )
    def test_with_an_answer_that_cannot_be_kept_says_what_is_wrong_with_it(
        self, site: Site, reason: str, english: str, chinese: str
    ) -> None:
        path = site.link(P.PLAN, _proposed(site), 1)

        for language, words in (("en", english), ("zh-CN", chinese)):
            answer = site.client.post(path, data={"answer": "object", "reason": reason}, params={"lang": language})
            assert answer.status_code == 422
            assert words in answer.text

    def test_a_line_break_counts_as_the_one_character_that_was_typed(self, site: Site) -> None:
        ticket_id = _proposed(site)
        typed = "a\n" * 1000

        answer = site.client.post(
            site.link(P.PLAN, ticket_id, 1), data={"answer": "object", "reason": typed.replace("\n", "\r\n")}
        )

        assert answer.status_code == 200
        assert _plans(site, ticket_id) == [("objected", None, typed.strip())]

    def test_of_a_finished_ticket_says_so_and_what_was_chosen(self, site: Site) -> None:
        ticket_id = _proposed(site, options=[{"title": "上门维修"}, {"title": "寄回维修"}])
        path = site.link(P.PLAN, ticket_id, 1)
        site.client.post(path, data={"answer": "agree", "option": "2"})
        at_work = site.client.get(path, params={"lang": "zh-CN"}).text
        with site.desk() as desk:
            desk.give(ticket_id, C.COMPLETE, summary="done", tested=True)

        finished = site.client.get(path, params={"lang": "zh-CN"}).text

        for page in (at_work, finished):
            assert "<dt>您的选择</dt><dd><strong>寄回维修</strong></dd>" in page
        assert "我们正在处理" in at_work
        assert "我们正在处理" not in finished
        assert "已按方案处理完成" in finished


class TestTheQuestion:
    @staticmethod
    def _asked(site: Site) -> tuple[int, str, str]:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.DIAGNOSING)
            desk.give(ticket_id, C.ASK_CUSTOMER, question="故障代码是多少？")
            seq = desk.last_event(ticket_id)["seq"]
        return ticket_id, site.link(P.PROGRESS, ticket_id), str(seq)

    def test_is_answered_on_the_progress_page(self, site: Site) -> None:
        ticket_id, path, seq = self._asked(site)
        asked = site.client.get(path, params={"lang": "zh-CN"}).text

        answer = site.client.post(path, data={"question": seq, "once": "o", "reply": "E4"}, params={"lang": "en"})

        assert "故障代码是多少？" in asked
        assert f'name="question" value="{seq}"' in asked
        assert answer.history[0].status_code == 303
        assert "<form" not in answer.text
        assert site.state(ticket_id) == "diagnosing"
        with site.desk() as desk:
            event = desk.last_event(ticket_id)
            assert (event["kind"], event["actor_role"], event["payload"]) == (
                "record_reply",
                "customer",
                {"reply": "E4"},
            )

    def test_a_second_tap_changes_nothing(self, site: Site) -> None:
        _, path, seq = self._asked(site)
        site.client.post(path, data={"question": seq, "once": "o", "reply": "E4"})
        before = site.everything()

        assert site.client.post(path, data={"question": seq, "once": "o", "reply": "E5"}).status_code == 200
        assert site.everything() == before

    def test_an_answer_to_an_earlier_question_is_not_taken_for_one_to_this(self, site: Site) -> None:
        ticket_id, path, seq = self._asked(site)
        with site.desk() as desk:
            desk.give(ticket_id, C.RECORD_REPLY, reply="by phone")
            desk.give(ticket_id, C.ASK_CUSTOMER, question="什么时候开始的？")

        answer = site.client.post(path, data={"question": seq, "reply": "E4"}, params={"lang": "zh-CN"})

        assert "什么时候开始的？" in answer.text
        assert site.state(ticket_id) == "waiting_customer"

    def test_with_nothing_written_names_what_is_missing(self, site: Site) -> None:
        ticket_id, path, seq = self._asked(site)

        answer = site.client.post(path, data={"question": seq, "reply": " "}, params={"lang": "en"})

        assert answer.status_code == 422
        assert re.search(r'<p class="bad" id="reply-fault">[^<]+</p>\s*<textarea id="reply"', answer.text)
        assert site.state(ticket_id) == "waiting_customer"

    def test_too_long_an_answer_comes_back_whole_with_what_fits_beside_it(self, site: Site) -> None:
        ticket_id, path, seq = self._asked(site)

        answer = site.client.post(path, data={"question": seq, "reply": "<b>E4" * 500}, params={"lang": "en"})

        assert answer.status_code == 422
        assert re.search(r'id="reply-fault">[^<]*2000[^<]*</p>', answer.text)
        assert "&lt;b&gt;E4" * 500 in answer.text
        assert site.state(ticket_id) == "waiting_customer"


class TestWhatDidNotWork:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_is_said_in_the_customers_language(self, site: Site, language: str) -> None:
        with site.desk() as desk:
            then = desk.after(hours=-25)
            ticket_id = desk.bring_to(S.COMPLETED, ticket_id=desk.open(language=language, at=then), at=then)
            surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
            survey_id = desk.surveys(ticket_id)[0]["id"]

        answers = [
            site.client.post(site.link(P.SIGN_OFF, ticket_id, 1), data={"answer": "not_fixed", "reason": "x" * 3000}),
            site.client.post(site.link(P.SIGN_OFF, ticket_id, 1), data={}),
            site.client.post(site.link(P.PLAN, ticket_id, 1), data={}),
            site.client.get(site.link(P.PLAN, ticket_id, 77)),
            site.client.post(site.link(P.SURVEY, survey_id), data=RATING | {"comment": "x" * 2001}),
            site.client.post(site.link(P.SURVEY, survey_id), data={}),
        ]

        assert [answer.status_code for answer in answers] == [422, 422, 422, 404, 422, 422]
        assert all(f'<html lang="{language}"' in answer.text for answer in answers)
        assert ("at most 2000 characters" if language == "en" else "最多2000个字") in answers[4].text


class TestTheSignOff:
    def test_of_a_ticket_that_was_closed_without_an_answer_thanks_for_none(self, site: Site) -> None:
        ticket_id = _completed(site)
        with site.desk() as desk:
            desk.give(ticket_id, C.CLOSE, SYSTEM)

        page = site.client.get(site.link(P.SIGN_OFF, ticket_id, 1), params={"lang": "en"}).text

        assert "We had no answer from you" in page
        assert "confirmed" not in page

    def test_with_a_drawn_signature_shows_it_afterwards(self, site: Site) -> None:
        ticket_id = _completed(site)
        path = site.link(P.SIGN_OFF, ticket_id, 1)
        form = site.client.get(path)
        drawn = "data:image/png;base64," + b64encode(picture("PNG", (480, 160))).decode()
        assert "script-src 'self'" in form.headers["content-security-policy"]
        assert 'src="/static/signature.js"' in form.text

        answer = site.client.post(path, data={"answer": "works", "signed_by": "王丽", "signature": drawn, "once": "o"})
        site.client.post(path, data={"answer": "works", "signed_by": "王丽", "signature": drawn, "once": "o"})

        shown = re.findall(r'src="(/progress/[^"]+/photos/\d+)"', answer.text)
        assert len(shown) == 1
        photo = site.client.get(shown[0])
        assert (photo.headers["content-type"], photo.headers["x-content-type-options"]) == ("image/png", "nosniff")
        assert len(site.everything()["attachments"]) == 1

    @pytest.mark.parametrize(
        "drawn", ["x", "data:image/png;base64,AAAA", "data:text/html;base64,PGI+", "\x00", "data:image/png;base64,💥"]
    )
    def test_with_a_signature_that_is_no_picture_is_refused_whole(self, site: Site, drawn: str) -> None:
        path = site.link(P.SIGN_OFF, _completed(site), 1)
        before = site.everything()

        answer = site.client.post(path, data={"answer": "works", "signed_by": "王丽", "signature": drawn})

        assert answer.status_code == 422
        assert "您的签名" in answer.text
        assert site.everything() == before

    def test_it_works(self, site: Site) -> None:
        ticket_id = _completed(site)
        path = site.link(P.SIGN_OFF, ticket_id, 1)
        assert "<form" in site.client.get(path).text

        answer = site.client.post(path, data={"answer": "works", "signed_by": "王丽"}, params={"lang": "en"})

        assert "it is confirmed" in answer.text
        assert site.state(ticket_id) == "closed"
        with site.desk() as desk:
            assert desk.last_event(ticket_id)["payload"] == {"signed_by": "王丽"}

    def test_it_is_not_fixed(self, site: Site) -> None:
        ticket_id = _completed(site)

        answer = site.client.post(
            site.link(P.SIGN_OFF, ticket_id, 1), data={"answer": "not_fixed", "reason": "还是热"}, params={"lang": "en"}
        )

        assert "at work on it again" in answer.text
        assert site.state(ticket_id) == "in_work"

    def test_a_second_tap_changes_nothing(self, site: Site) -> None:
        ticket_id = _completed(site)
        path = site.link(P.SIGN_OFF, ticket_id, 1)
        site.client.post(path, data={"answer": "works", "signed_by": "王丽"})
        before = site.everything()

        assert site.client.post(path, data={"answer": "not_fixed", "reason": "r"}).status_code == 200
        assert site.everything() == before

    def test_of_an_earlier_completion_confirms_nothing(self, site: Site) -> None:
        ticket_id = _completed(site)
        with site.desk() as desk:
            desk.give(ticket_id, C.REPORT_NOT_FIXED, reason="r")
            desk.give(ticket_id, C.COMPLETE, summary="again", tested=True)

        answer = site.client.post(site.link(P.SIGN_OFF, ticket_id, 1), data={"answer": "works", "signed_by": "王丽"})

        assert answer.status_code == 200
        assert site.state(ticket_id) == "completed"

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            ({"answer": "works"}, "signed_by"),
            ({"answer": "works", "signed_by": "x" * 201}, "signed_by"),
            ({"answer": "works", "signed_by": "a\x00b"}, "signed_by"),
            ({"answer": "not_fixed"}, "reason"),
            ({"answer": "not_fixed", "reason": "x" * 2001}, "reason"),
        ],
    )
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(
        self, site: Site, data: dict[str, str], field: str, language: str
    ) -> None:
        ticket_id = _completed(site)
        data = {"signed_by": "王丽" * (field == "reason"), "reason": "漏水 <again>" * (field != "reason")} | data

        answer = site.client.post(site.link(P.SIGN_OFF, ticket_id, 1), data=data, params={"lang": language})

        assert answer.status_code == 422
        assert f'id="{field}-fault"' in answer.text
        assert answer.text.count('-fault">') == 1
        assert ("漏水 &lt;again&gt;" if field == "signed_by" else 'value="王丽"') in answer.text
        assert site.state(ticket_id) == "completed"

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            ({"signed_by": "w"}, "your answer"),
            ({"answer": "hm", "signed_by": "w", "reason": "r"}, "your answer"),
        ],
    )
    def test_with_something_missing_names_it(self, site: Site, data: dict[str, str], field: str) -> None:
        ticket_id = _completed(site)

        answer = site.client.post(site.link(P.SIGN_OFF, ticket_id, 1), data=data, params={"lang": "en"})

        assert answer.status_code == 422
        assert f"<strong>{field}</strong>" in answer.text
        assert site.state(ticket_id) == "completed"


class TestTheProgressPage:
    def test_links_to_the_survey_while_it_is_open_and_shows_what_the_call_brought(self, site: Site) -> None:
        ticket_id, _ = _asked(site)
        path = site.link(P.PROGRESS, ticket_id)
        link = re.search(r'href="(/survey/[^"?]+)', site.client.get(path, params={"lang": "en"}).text)
        assert link is not None
        site.client.post(link[1], data=RATING | {"overall": "1"})
        with site.desk() as desk:
            call = next(call for call in desk.callbacks(ticket_id) if call["kind"] == "low_score")
            actor = read_cast(desk.connection).supervisor
            callbacks.complete(
                desk.connection, call["id"], actor, reason="came <late>", suggestion="call ahead", now=desk.now
            )

        page = site.client.get(path, params={"lang": "en"}).text

        assert "/survey/" not in page
        assert "What we heard: came &lt;late&gt;" in page
        assert "What we do better: call ahead" in page


class TestTheSurvey:
    def test_is_stored_once(self, site: Site) -> None:
        ticket_id, survey_id = _asked(site)
        path = site.link(P.SURVEY, survey_id)

        first = site.client.post(path, data=RATING, params={"lang": "en"})
        second = site.client.post(path, data=RATING | {"overall": "1"}, params={"lang": "en"})

        assert "we have your answer" in first.text
        assert "we have your answer" in second.text
        with site.desk() as desk:
            (survey,) = desk.surveys(ticket_id)
            assert (survey["overall"], survey["solution"], survey["comment"]) == (5, 3, "谢谢")

    def test_is_stored_once_by_twenty_taps_at_once(self, site: Site) -> None:
        ticket_id, survey_id = _asked(site)
        path = site.link(P.SURVEY, survey_id)

        with ThreadPoolExecutor(20) as threads:
            posts = threads.map(lambda n: site.client.post(path, data=RATING | {"overall": str(1 + n % 5)}), range(20))
            statuses = {answer.status_code for answer in posts}

        assert statuses == {200}
        with site.desk() as desk:
            kinds = [kind for kind, _ in desk.told(ticket_id)]
            assert desk.kinds(ticket_id).count("survey_answered") == 1
            assert len([kind for kind in kinds if kind in ("survey_thanks", "callback_promised")]) == 1

    def test_a_low_score_promises_a_call(self, site: Site) -> None:
        ticket_id, survey_id = _asked(site)

        site.client.post(site.link(P.SURVEY, survey_id), data=RATING | {"overall": "2"})

        with site.desk() as desk:
            assert [call["kind"] for call in desk.callbacks(ticket_id)] == ["low_score"]

    @pytest.mark.parametrize(
        "name",
        ["efficiency", "overall"],
    )
    def test_with_a_score_that_is_none_says_so_beside_it_and_keeps_the_rest(self, site: Site, name: str) -> None:
        ticket_id, survey_id = _asked(site)
        path = site.link(P.SURVEY, survey_id)

        for wrong in ("", "0", "6", "4.5", "five", "-3", "999999999999"):
            answer = site.client.post(path, data=RATING | {name: wrong}, params={"lang": "en"})
            assert answer.status_code == 422
            assert f'id="{name}-fault">Please choose one.' in answer.text
            assert answer.text.count('class="bad" id=') == 1
            assert "谢谢</textarea>" in answer.text

        with site.desk() as desk:
            assert desk.surveys(ticket_id)[0]["state"] == "sent"

    @pytest.mark.parametrize("state", ["expired", "cancelled", "scheduled"])
    def test_that_is_not_open_says_so_and_stores_nothing(self, site: Site, state: str) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.COMPLETED, at=desk.after(days=-20))
            if state == "expired":
                for days in (-19, -1):
                    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(days=days))
            if state == "cancelled":
                desk.give(ticket_id, C.REPORT_NOT_FIXED, reason="r")
            survey_id = desk.surveys(ticket_id)[0]["id"]
            assert desk.surveys(ticket_id)[0]["state"] == state
        path = site.link(P.SURVEY, survey_id)
        before = site.everything()

        page, answer = site.client.get(path, params={"lang": "en"}), site.client.post(path, data=RATING)

        assert "This survey is closed" in page.text
        assert answer.status_code == 409
        assert site.everything() == before

    def test_by_stage_is_kept_with_what_should_improve(self, site: Site) -> None:
        ticket_id, survey_id = _asked(site)
        said = {"booking": "2", "on_site": "", "booking_improvement": "接线快一点", "solved_in_one_visit": "no"}

        site.client.post(site.link(P.SURVEY, survey_id), data=RATING | said | {"most_wanted": "=cmd()"})

        with site.desk() as desk:
            answer = desk.surveys(ticket_id)[0]
        assert (answer["booking"], answer["on_site"], answer["solved_in_one_visit"]) == (2, None, False)
        assert (answer["booking_improvement"], answer["most_wanted"], answer["called_afterwards"]) == (
            "接线快一点",
            "=cmd()",
            None,
        )

    @pytest.mark.parametrize(
        "wrong", [{"booking": "9"}, {"called_afterwards": "maybe"}, {"best_point": "x" * 501}, {"best_point": "a\x00"}]
    )
    def test_by_stage_says_beside_the_field_what_is_wrong(self, site: Site, wrong: dict[str, str]) -> None:
        _, survey_id = _asked(site)
        before = site.everything()

        answer = site.client.post(site.link(P.SURVEY, survey_id), data=RATING | wrong)

        assert answer.status_code == 422
        assert f'id="{next(iter(wrong))}-fault"' in answer.text
        assert site.everything() == before

    def test_can_be_saved_and_gone_on_with_on_another_day(self, site: Site) -> None:
        ticket_id, survey_id = _asked(site)
        path = site.link(P.SURVEY, survey_id)

        saved = site.client.post(
            path, data={"attitude": "4", "best_point": "<b>快</b>", "then": "later"}, params={"lang": "en"}
        )
        again = site.client.get(path, params={"lang": "en"})

        assert "Saved." in saved.text
        assert "&lt;b&gt;快&lt;/b&gt;</textarea>" in again.text
        assert again.text.count(" checked") == 1 + 4 + 2  # attitude, and "does not apply" and "no answer"
        with site.desk() as desk:
            assert desk.surveys(ticket_id)[0]["state"] == "sent"

        site.client.post(path, data=RATING)

        assert "快" not in site.client.get(path).text
        assert site.everything()["survey_drafts"] == []

    def test_that_is_over_keeps_no_draft(self, site: Site) -> None:
        _, survey_id = _asked(site)
        path = site.link(P.SURVEY, survey_id)
        site.client.post(path, data=RATING)

        site.client.post(path, data={"attitude": "4", "then": "later"})

        assert site.everything()["survey_drafts"] == []

    def test_a_thousand_answers_at_once_are_one(self, site: Site) -> None:
        ticket_id, survey_id = _asked(site)
        path = site.link(P.SURVEY, survey_id)

        with ThreadPoolExecutor(40) as threads:
            posts = threads.map(
                lambda score: (
                    site.client.post(
                        path, data=RATING | {"overall": str(score % 5 + 1)}, follow_redirects=False
                    ).status_code
                ),
                range(1000),
            )
            statuses = set(posts)

        assert statuses == {303}
        with site.desk() as desk:
            assert desk.kinds(ticket_id).count("survey_answered") == 1
            assert len(desk.callbacks(ticket_id)) <= 1
        assert len(site.everything()["survey_answers"]) == 1
