"""What every page owes its reader: their language, the right headers, no change by looking, a kind no."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from db import enclosures, events, mailbox, outbox, surveys
from domain.lifecycle import CommandName, TicketState
from domain.messages import Enclosure, LinkPurpose, Medium
from settings import get_settings
from templates.languages import labels, word
from tests.desk import Desk
from tests.web.conftest import Site
from web.app import create_app
from web.progress import VISIBLE

C = CommandName
S = TicketState
P = LinkPurpose
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-CN"])


def _survey(desk: Desk) -> int:
    ticket_id = desk.bring_to(S.COMPLETED, at=desk.after(hours=-25))
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
    return int(desk.surveys(ticket_id)[0]["id"])


# What the link is for, the subject that the desk makes, and the part of it.
LINKED: dict[str, tuple[LinkPurpose, Callable[[Desk], int], int]] = {
    "progress": (P.PROGRESS, lambda desk: desk.bring_to(S.IN_WORK), 0),
    "progress of a new ticket": (P.PROGRESS, lambda desk: desk.bring_to(S.NEW), 0),
    "progress of a closed ticket": (P.PROGRESS, lambda desk: desk.bring_to(S.CLOSED), 0),
    "plan": (P.PLAN, lambda desk: desk.bring_to(S.PLAN_PROPOSED), 1),
    "plan that was answered": (P.PLAN, lambda desk: desk.bring_to(S.IN_WORK), 1),
    "sign-off": (P.SIGN_OFF, lambda desk: desk.bring_to(S.COMPLETED), 1),
    "sign-off that was answered": (P.SIGN_OFF, lambda desk: desk.bring_to(S.CLOSED), 1),
    "survey": (P.SURVEY, _survey, 0),
}
EVERY_PAGE = pytest.mark.parametrize("name", LINKED)


def _path(site: Site, name: str) -> str:
    purpose, make, part = LINKED[name]
    with site.desk() as desk:
        subject_id = make(desk)
    return str(site.link(purpose, subject_id, part))


@LANGUAGES
@EVERY_PAGE
def test_every_page_speaks_the_language_asked_for(site: Site, name: str, language: str) -> None:
    answer = site.client.get(_path(site, name), params={"lang": language})

    heading = re.search(r"<h1>(.*?)</h1>", answer.text, re.DOTALL)
    title = re.search(r"<title>(.*?)</title>", answer.text, re.DOTALL)
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text
    assert heading is not None
    assert title is not None
    assert bool(re.search("[一-鿿]", title[1])) == (language == "zh-CN")
    assert "{{" not in answer.text
    assert "None" not in answer.text


@LANGUAGES
def test_a_page_speaks_the_customer_s_language_whatever_the_browser_wants(site: Site, language: str) -> None:
    with site.desk() as desk:
        ticket_id = desk.open(language=language)

    answer = site.client.get(site.link(P.PROGRESS, ticket_id), headers={"accept-language": "en-GB, zh;q=0.5"})

    assert f'<html lang="{language}"' in answer.text


@pytest.mark.parametrize(
    ("wanted", "language"), [("en-GB,en;q=0.9", "en"), ("zh", "zh-CN"), ("fr, en;q=0.5", "en"), ("tlh", "zh-CN")]
)
def test_a_page_without_a_known_reader_speaks_the_browser_s_language(site: Site, wanted: str, language: str) -> None:
    answer = site.client.get("/nowhere", headers={"accept-language": wanted})

    assert answer.status_code == 404
    assert f'<html lang="{language}"' in answer.text


@EVERY_PAGE
def test_looking_changes_nothing(site: Site, name: str) -> None:
    path = _path(site, name)
    before = site.everything()

    for _ in range(2):
        assert site.client.get(path).status_code == 200
        site.client.head(path)

    assert site.everything() == before


@pytest.mark.parametrize("path", ["/nowhere", "/mailbox", "/plan/nonsense", "/health", "/static/style.css"])
def test_nothing_may_be_framed_cached_or_told_to_others(site: Site, path: str) -> None:
    headers = site.client.get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@LANGUAGES
def test_an_unknown_address_has_a_page_of_its_own(site: Site, language: str) -> None:
    answer = site.client.get("/nowhere", params={"lang": language})

    assert answer.status_code == 404
    assert f'<html lang="{language}"' in answer.text


def test_it_is_healthy_while_the_database_answers(site: Site) -> None:
    answer = site.client.get("/health")

    assert (answer.status_code, answer.text) == (200, "ok")


def test_it_is_not_healthy_when_the_database_does_not_answer(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AFTERCARE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    with TestClient(create_app()) as client:
        assert client.get("/health").status_code == 503


def _text(page: str) -> str:
    """What a reader sees of a page, in one line."""
    main = page[page.index("<main>") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


class TestProgress:
    @LANGUAGES
    def test_has_a_word_for_everything_that_a_customer_may_see(self, language: str) -> None:
        assert set(labels(language)["history"]) == VISIBLE
        assert set(labels(language)["status"]) == set(TicketState)

    @LANGUAGES
    @pytest.mark.parametrize("state", TicketState)
    def test_of_every_state_is_said_in_the_readers_language(
        self, site: Site, state: TicketState, language: str
    ) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(state, ticket_id=desk.open("The device is broken", name="Ann"))

        page = site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": language}).text

        text = _text(page)
        assert word(language, "status", state) in text
        assert re.search("[一-鿿] ?[,.:;] ", text) is None

    def test_tells_a_delay_with_reason_new_time_and_what_is_done_meanwhile(self, site: Site) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.IN_WORK)
            expected = desk.after(days=2)
            desk.give(ticket_id, C.REPORT_DELAY, reason="缺件", expected_at=expected, contingency="先送备用机")

        chinese, english = (
            _text(site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": language}).text)
            for language in ("zh-CN", "en")
        )

        local = expected.astimezone(ZoneInfo("Asia/Shanghai"))
        assert "比原计划推迟 原因：缺件 新的预计时间：" in chinese
        assert chinese.count(f"{local:%H:%M}") >= 2
        assert "在此期间：先送备用机" in chinese
        assert "It takes longer than planned Reason: 缺件 New time: " in english

    def test_says_that_a_promised_time_has_passed(self, site: Site) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.ASSIGNED, ticket_id=desk.open(at=desk.after(days=-9)))

        page = site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": "en"})

        assert "This time has passed" in page.text

    def test_promises_nothing_any_more_when_the_work_is_done(self, site: Site) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.IN_WORK, ticket_id=desk.open(at=desk.after(days=-9)))
            desk.give(ticket_id, C.REPORT_DELAY, reason="r", expected_at=desk.after(minutes=1), contingency="c")
            desk.give(ticket_id, C.COMPLETE, summary="done", tested=True)

        text = _text(site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": "en"}).text)

        head = text[: text.index("What has happened")]
        assert "passed" not in head
        assert "Now expected by" not in head
        assert "confirm that it works" in head

    def test_shows_the_appointment_and_what_was_noted_at_the_first_contact(self, site: Site) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.ASSIGNED)
            desk.give(ticket_id, C.FIRST_CONTACT, summary="室外机不启动")
            times = {"deadline_at": desk.after(days=3), "appointment_at": desk.after(days=2)}
            desk.give(ticket_id, C.PROPOSE_PLAN, kind="repair", steps=["换压缩机"], **times)
            desk.give(ticket_id, C.AGREE_PLAN, desk.customer_of(ticket_id))

        text = _text(site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": "zh-CN"}).text)

        head = text[: text.index("处理进度")]
        assert "预约时间" in head
        assert "已与您联系，记录如下 室外机不启动" in text

    def test_promises_the_call_that_follows_a_low_score(self, site: Site) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.COMPLETED, at=desk.after(hours=-25))
            surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
            survey_id = desk.surveys(ticket_id)[0]["id"]
        scores = {"efficiency": "2", "attitude": "2", "solution": "2", "overall": "1"}

        site.client.post(site.link(P.SURVEY, survey_id), data=scores)

        page = site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": "en"}).text
        assert "A supervisor calls" in page

    def test_never_says_why_somebody_got_the_ticket(self, site: Site) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.ASSIGNED)
            reason = next(e for e in events.list_of(desk.connection, ticket_id) if e["kind"] == C.ASSIGN)["payload"]

        page = site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": "en"}).text

        assert reason["reason"] not in page
        assert "duty" not in page

    def test_shows_what_is_for_the_customer_and_nothing_internal(self, site: Site) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.IN_WORK)
            desk.give(ticket_id, C.LOG_STEP, step="part was sent")
            desk.give(ticket_id, C.LOG_STEP, step="customer is difficult", is_internal=True)
            desk.give(ticket_id, C.ADD_NOTE, note="do not call before noon")

        page = site.client.get(site.link(P.PROGRESS, ticket_id), params={"lang": "en"}).text

        assert "part was sent" in page
        assert "difficult" not in page
        assert "before noon" not in page

    def test_shows_no_contact_data(self, site: Site) -> None:
        with site.desk() as desk:
            ticket_id = desk.open(phone="13800138000", email="secret@example.com")

        page = site.client.get(site.link(P.PROGRESS, ticket_id)).text

        assert "secret@example.com" not in page
        assert "13800138000" not in page

    def test_of_a_ticket_that_does_not_exist_is_not_found(self, site: Site) -> None:
        assert site.client.get(site.link(P.PROGRESS, 987654)).status_code == 404


@dataclass
class Kept:
    """One message in the mailbox."""

    id: int
    address: str


def _keep(site: Site, *, medium: Medium = Medium.EMAIL, **words: str | None) -> Kept:
    with site.desk() as desk:
        desk.bring_to(
            S.ASSIGNED, ticket_id=desk.open(email=None, phone="13800138000") if medium is Medium.SMS else None
        )
        row = outbox.claim(desk.connection, medium, now=desk.now, limit=1)[0]
        address = row["email"] if medium is Medium.EMAIL else row["phone"]
        frozen = row | words | {"address": address, "segments": None}
        outbox.freeze(desk.connection, [frozen], provider="mailbox", look_at=desk.after(minutes=5), now=desk.now)
        entry = mailbox.keep(desk.connection, row["id"], attempt=1, address=address, now=desk.now, **words)  # type: ignore[arg-type]
    assert entry is not None
    return Kept(entry, address)


class TestTheMailbox:
    @LANGUAGES
    def test_shows_recipients_and_their_messages_while_trying(self, site: Site, language: str) -> None:
        kept = _keep(site, subject="你好", body="text", html="<p>hello</p>")

        addresses = site.client.get("/mailbox", params={"lang": language}).text
        messages = site.client.get(f"/mailbox/of/{kept.address}", params={"lang": language}).text

        assert kept.address in addresses
        assert "你好" in messages
        assert f'<html lang="{language}"' in addresses
        assert f'<html lang="{language}"' in messages
        assert "ticket_received" not in messages

    def test_opens_the_links_of_a_mail_in_a_new_tab_and_lets_it_do_nothing_else(self, site: Site) -> None:
        html = '<!doctype html><html><head><title>t</title></head><body><a href="/plan/x">plan</a></body></html>'
        kept = _keep(site, subject="s", body="text", html=html)

        frame = site.client.get(f"/mailbox/of/{kept.address}").text
        mail = site.client.get(f"/mailbox/message/{kept.id}")

        assert '<head><base target="_blank"><title>' in mail.text
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame
        policy = mail.headers["content-security-policy"]
        assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
        assert "frame-ancestors 'self'" in policy
        assert "script" not in policy

    def test_shows_what_was_sent_as_it_was_but_for_its_links(self, site: Site) -> None:
        kept = _keep(site, subject="s", body="text", html="<p>hello</p>")

        assert site.client.get(f"/mailbox/message/{kept.id}").text == '<base target="_blank"><p>hello</p>'

    def test_shows_the_pictures_of_a_mail_and_gives_out_its_files(self, site: Site) -> None:
        kept = _keep(site, subject="s", body="text", html='<img src="cid:sla"><img src="cid:else">')
        with site.desk() as desk:
            entry = mailbox.get(desk.connection, kept.id)
            files = [Enclosure("a.png", "image/png", b"png", "sla"), Enclosure("表 1.xlsx", "a/b", b"sheet")]
            enclosures.keep(desk.connection, {entry["message_id"]: files})

        frame = site.client.get(f"/mailbox/of/{kept.address}").text
        address = re.findall(r'"(/mailbox/file/\d+)"', frame)
        file = site.client.get(address[0])

        assert (
            '<img src="data:image/png;base64,cG5n"><img src="cid:else">'
            in site.client.get(f"/mailbox/message/{kept.id}").text
        )
        assert len(address) == 1
        assert file.content == b"sheet"
        assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''%E8%A1%A8%201.xlsx"
        assert site.client.get("/mailbox/file/987654321").status_code == 404

    @LANGUAGES
    def test_shows_the_links_of_an_sms_and_what_it_costs(self, site: Site, language: str) -> None:
        body = "您好<b>，查看进度：https://care.example.com/progress/a.b"
        kept = _keep(site, medium=Medium.SMS, subject=None, body=body, html=None)

        page = site.client.get(f"/mailbox/of/{kept.address}", params={"lang": language}).text

        assert '查看进度：<a href="https://care.example.com/progress/a.b" target="_blank"' in page
        assert "您好&lt;b&gt;" in page
        assert ("按1条短信计费" if language == "zh-CN" else "charged as 1 SMS") in page

    @pytest.mark.parametrize(
        "path",
        [
            "/mailbox/of/nobody@example.com",
            "/mailbox/of/%00",
            "/mailbox/message/987654",
            "/mailbox/message/x",
            f"/mailbox/message/{10**30}",
        ],
    )
    def test_of_nobody_is_not_found(self, site: Site, path: str) -> None:
        assert site.client.get(path).status_code == 404

    @pytest.mark.parametrize("path", ["/mailbox", "/mailbox/of/a@example.com", "/mailbox/message/1"])
    def test_is_absent_where_customers_reach_the_pages(
        self, environment: pytest.MonkeyPatch, database: str, path: str
    ) -> None:
        environment.setenv("AFTERCARE_DATABASE_URL", database.replace("+psycopg", ""))
        environment.setenv("AFTERCARE_PUBLIC_URL", "https://service.example.com/")
        get_settings.cache_clear()

        with TestClient(create_app(), base_url="https://service.example.com") as client:
            assert client.get(path).status_code == 404
