"""The gate before the pages: sizes, rates, guessed links, our own host; and a kind page where something broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from domain.lifecycle import TicketState
from domain.messages import LinkPurpose
from tests.web.conftest import Api, Site
from web import privacy
from web.app import create_app

S = TicketState
P = LinkPurpose
LANGUAGES = pytest.mark.parametrize(("language", "said"), [("en", "try again in"), ("zh-CN", "后再试")])
MakeGate = Callable[..., TestClient]


@pytest.fixture
def make_gate(site: Site, environment: pytest.MonkeyPatch) -> Iterator[MakeGate]:
    """The pages anew, with other settings and from another address."""
    from settings import get_settings

    def make(*, address: str = "203.0.113.7", **settings: str) -> TestClient:
        for name, value in settings.items():
            environment.setenv(f"AFTERCARE_{name.upper()}", value)
        get_settings.cache_clear()
        return TestClient(create_app(), client=(address, 50000), raise_server_exceptions=False)

    yield make
    get_settings.cache_clear()


def _at(gate: TestClient, address: str) -> TestClient:
    return TestClient(gate.app, client=(address, 50000))


@LANGUAGES
def test_who_asks_too_often_waits_and_is_told_so_kindly(make_gate: MakeGate, language: str, said: str) -> None:
    gate = make_gate(page_requests_per_minute="3")

    answers = [gate.get("/privacy", params={"lang": language}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert said in answers[-1].text
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert "default-src 'none'" in answers[-1].headers["content-security-policy"]
    assert _at(gate, "203.0.113.8").get("/privacy").status_code == 200
    assert gate.get("/static/style.css").status_code == 200
    assert gate.get("/health").status_code == 200


def test_guessed_links_are_counted_and_then_none_opens(site: Site, make_gate: MakeGate) -> None:
    with site.desk() as desk:
        good = site.link(P.PROGRESS, desk.bring_to(S.IN_WORK))
    gate = make_gate(failed_links_per_minute="5")

    guesses = [gate.get(f"{good[:-6]}{number:06}").status_code for number in range(8)]

    assert guesses == [410] * 5 + [429] * 3
    assert gate.get(good).status_code == 429
    assert gate.post("/plan/nonsense", data={"answer": "agree"}).status_code == 429
    assert gate.get("/privacy").status_code == 200
    assert _at(gate, "203.0.113.8").get(good).status_code == 200


def test_thousands_of_guesses_open_nothing(site: Site, make_gate: MakeGate) -> None:
    with site.desk() as desk:
        ticket_id = desk.bring_to(S.PLAN_PROPOSED)
    head, token = site.link(P.PLAN, ticket_id, 1).rsplit("/", 1)
    gate = make_gate(failed_links_per_minute="20")
    before = site.everything()

    statuses = set()
    for number in range(3000):
        place = number % len(token)
        letter = "ABCDEFGH"[number // len(token) % 8]
        guess = f"{token[:place]}{letter}{token[place + 1 :]}"
        if guess != token:
            statuses.add(gate.post(f"{head}/{guess}", data={"answer": "agree"}).status_code)

    assert statuses <= {410, 429}
    assert 429 in statuses
    assert site.everything() == before


def test_an_office_behind_one_address_goes_on_with_good_and_with_old_links(site: Site, make_gate: MakeGate) -> None:
    with site.desk() as desk:
        tickets = [desk.bring_to(S.IN_WORK) for _ in range(3)]
    gate = make_gate(failed_links_per_minute="5")

    for _ in range(20):
        assert {gate.get(site.link(P.PROGRESS, ticket)).status_code for ticket in tickets} == {200}
        assert gate.get(site.link(P.PROGRESS, tickets[0], hours=-1)).status_code == 410
    for _ in range(2):
        assert gate.get("/progress/mistyped").status_code == 410
    assert gate.get(site.link(P.PROGRESS, tickets[0])).status_code == 200


def test_guessed_keys_of_the_api_are_counted_too(api: Api, make_gate: MakeGate) -> None:
    gate = make_gate(failed_links_per_minute="3")

    answers = [gate.get("/api/v1/tickets", headers={"Authorization": f"Bearer ac_{n:040}"}) for n in range(5)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert (
        _at(gate, "203.0.113.8").get("/api/v1/tickets", headers={"Authorization": f"Bearer {api.key}"}).status_code
        == 200
    )


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(make_gate: MakeGate) -> None:
    for proxies, statuses in (("", [200, 429]), ("203.0.113.0/24", [200, 200])):
        gate = make_gate(page_requests_per_minute="1", trusted_proxies=proxies)
        asked = [
            gate.get("/privacy", headers={"X-Forwarded-For": f"198.51.100.9, 192.0.2.{n}"}).status_code
            for n in range(2)
        ]
        assert asked == statuses


@LANGUAGES
def test_a_body_that_is_too_large_is_refused_unread(make_gate: MakeGate, language: str, said: str) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 10_000
            yield b"x" * 10_000

    gate = make_gate()
    form = {"content-type": "application/x-www-form-urlencoded"}
    chunked = gate.post("/report", params={"lang": language}, content=endless(), headers=form)
    told = gate.post("/plan/x", content=b"a=" + b"x" * 300_000, headers=form)

    assert (chunked.status_code, told.status_code) == (413, 413)
    assert f'<html lang="{language}">' in chunked.text
    assert "10 MB" in chunked.text


def test_a_body_that_lies_about_its_length_is_measured_all_the_same(make_gate: MakeGate) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": "-5"}

    assert make_gate().post("/report", content=b"a=" + b"x" * 300_000, headers=headers).status_code == 413


class TestOurOwnHost:
    """Nothing is built from the Host header, and a host that is not ours is refused once we know ours."""

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:443", "service.example.com.evil.example", "[::2]", ""]
    )
    def test_another_host_is_refused(self, make_gate: MakeGate, host: str) -> None:
        gate = make_gate(public_url="https://service.example.com/")

        for path in ("/privacy", "/report", "/api/v1/docs", "/static/style.css"):
            assert gate.get(path, headers={"host": host}).status_code == 421
        assert gate.get("/health", headers={"host": host}).status_code == 200

    @pytest.mark.parametrize("host", ["service.example.com", "SERVICE.example.com:443", "127.0.0.1:8080", "[::1]:8080"])
    def test_ours_is_served(self, make_gate: MakeGate, host: str) -> None:
        gate = make_gate(public_url="https://service.example.com/")

        assert gate.get("/privacy", headers={"host": host}).status_code == 200

    def test_no_answer_repeats_the_host_that_was_asked(self, site: Site, make_gate: MakeGate) -> None:
        with site.desk() as desk:
            ticket_id = desk.bring_to(S.PLAN_PROPOSED)
        gate, evil = make_gate(), {"host": "evil.example", "x-forwarded-host": "evil.example"}
        links = [site.link(P.PROGRESS, ticket_id), site.link(P.PLAN, ticket_id, 1)]

        answers = [
            gate.get(path, headers=evil, follow_redirects=False)
            for path in (
                *links,
                *(f"{link}/" for link in links),
                "/report",
                "/report/",
                "/privacy/",
                "/mailbox/",
                "/api/v1",
            )
        ]
        answers.append(gate.post(links[1], data={"answer": "agree"}, headers=evil, follow_redirects=False))

        for answer in answers:
            assert "evil.example" not in answer.text
            assert "evil.example" not in str(answer.headers)


@pytest.mark.parametrize(("language", "said"), [("en", "Something went wrong"), ("zh-CN", "出错了")])
def test_an_error_of_ours_is_a_kind_page_that_tells_nothing(
    make_gate: MakeGate, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.delattr(privacy, "house")  # as a slip in the code would be

    answer = make_gate().get("/privacy", params={"lang": language})

    assert answer.status_code == 500
    assert said in answer.text
    assert "NameError" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
