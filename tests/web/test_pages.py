"""What every page owes its reader: their language, the right headers, no change by looking, a kind no."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from db import mailbox, outbox, surveys
from domain.lifecycle import CommandName, TicketState
from domain.messages import LinkPurpose, Medium
from settings import get_settings
from tests.desk import Desk
from tests.web.conftest import Site
from web.app import create_app

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


class TestProgress:
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


class TestTheMailbox:
    @LANGUAGES
    def test_shows_recipients_and_their_messages_while_trying(self, site: Site, language: str) -> None:
        with site.desk() as desk:
            desk.bring_to(S.ASSIGNED)
            (row,) = outbox.claim(desk.connection, Medium.EMAIL, now=desk.now, limit=1)
            words = {"subject": "你好", "body": "text", "html": "<p>hello</p>"}
            frozen = row | words | {"address": row["email"], "segments": None}
            outbox.freeze(desk.connection, [frozen], look_at=desk.after(minutes=5), now=desk.now)
            entry = mailbox.keep(desk.connection, row["id"], attempt=1, address=row["email"], now=desk.now, **words)

        addresses = site.client.get("/mailbox", params={"lang": language}).text
        messages = site.client.get(f"/mailbox/of/{row['email']}", params={"lang": language}).text
        message = site.client.get(f"/mailbox/message/{entry}")

        assert row["email"] in addresses
        assert "你好" in messages
        assert f'<html lang="{language}"' in addresses
        assert f'<html lang="{language}"' in messages
        assert message.text == "<p>hello</p>"
        assert "style-src 'unsafe-inline'" in message.headers["content-security-policy"]

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

        with TestClient(create_app()) as client:
            assert client.get(path).status_code == 404
