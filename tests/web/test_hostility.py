"""Links that were altered, borrowed or have expired open nothing; what customers write is never markup."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.lifecycle import CommandName, TicketState
from domain.links import PATHS
from domain.messages import LinkPurpose
from tests.web.conftest import Site

C = CommandName
S = TicketState
P = LinkPurpose
PURPOSES = pytest.mark.parametrize("purpose", LinkPurpose)
POSTED = {"answer": "agree", "reason": "r", "signed_by": "w", "overall": "5"}
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


def _refuses_kindly(site: Site, path: str) -> None:
    before = site.everything()

    shown = site.client.get(path, params={"lang": "en"})
    posted = site.client.post(path, data=POSTED)

    assert shown.status_code == 410
    assert "This link does not open any more" in shown.text
    assert posted.status_code == 410
    assert site.everything() == before


def _proposed(site: Site) -> int:
    with site.desk() as desk:
        return desk.bring_to(S.PLAN_PROPOSED)


@PURPOSES
def test_an_expired_link_opens_nothing(site: Site, purpose: LinkPurpose) -> None:
    _refuses_kindly(site, site.link(purpose, _proposed(site), 1, hours=-0.001))


@PURPOSES
def test_an_altered_link_opens_nothing(site: Site, purpose: LinkPurpose) -> None:
    head, token = site.link(purpose, _proposed(site), 1).rsplit("/", 1)

    for position in (0, 3, 10, len(token) // 2, len(token) - 2):
        letters = list(token)
        letters[position] = "A" if letters[position] != "A" else "B"
        _refuses_kindly(site, f"{head}/{''.join(letters)}")
    _refuses_kindly(site, f"{head}/{token[:-3]}")


@PURPOSES
def test_a_link_opens_no_page_of_another_purpose(site: Site, purpose: LinkPurpose) -> None:
    token = site.link(purpose, _proposed(site), 1).rsplit("/", 1)[1]

    for other in set(LinkPurpose) - {purpose}:
        _refuses_kindly(site, f"/{PATHS[other]}/{token}")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(min_size=1, max_size=60).filter(lambda t: "/" not in t and t not in (".", "..")))
def test_no_token_however_strange_is_a_crash(site: Site, token: str) -> None:
    written = quote(token.encode("utf-8", "replace"), safe="")

    for path in PATHS.values():
        assert site.client.get(f"/{path}/{written}").status_code in {404, 410}
        assert site.client.post(f"/{path}/{written}", data=POSTED).status_code in {404, 405, 410}


def test_the_link_of_one_ticket_does_nothing_to_another(site: Site) -> None:
    mine, other = _proposed(site), _proposed(site)
    with site.desk() as desk:
        number = desk.ticket(other)["number"]

    site.client.post(site.link(P.PLAN, mine, 1), data={"answer": "agree", "ticket_id": str(other)})
    page = site.client.get(site.link(P.PROGRESS, mine), params={"ticket_id": other})

    assert (site.state(mine), site.state(other)) == ("in_work", "plan_proposed")
    assert number not in page.text


def test_what_people_write_is_shown_as_text_on_every_page(site: Site) -> None:
    with site.desk() as desk:
        ticket_id = desk.bring_to(S.DIAGNOSING, ticket_id=desk.open(MARKUP, name=MARKUP))
        options = [{"title": MARKUP, "pros": MARKUP, "cons": MARKUP}]
        deadline = desk.after(days=3)
        desk.give(ticket_id, C.PROPOSE_PLAN, kind="repair", steps=[MARKUP], deadline_at=deadline, options=options)
    pages = [site.client.get(site.link(P.PLAN, ticket_id, 1)).text]
    site.client.post(site.link(P.PLAN, ticket_id, 1), data={"answer": "object", "reason": MARKUP})
    with site.desk() as desk:
        desk.give(ticket_id, C.COMPLETE, summary=MARKUP, guidance_only=True, usage_advice=MARKUP)
    pages += [
        site.client.get(path).text for path in (site.link(P.PROGRESS, ticket_id), site.link(P.SIGN_OFF, ticket_id, 1))
    ]

    for page in pages:
        assert "&lt;script&gt;" in page
        assert "<script" not in page.replace('<script src="/static/signature.js" defer></script>', "")  # our own
        assert "<img" not in page
        assert "{{7*7}}" in page


def test_the_language_asked_for_is_never_markup(site: Site) -> None:
    answer = site.client.get("/nowhere", params={"lang": MARKUP}, headers={"accept-language": MARKUP})

    assert answer.status_code == 404
    assert "<script" not in answer.text


@pytest.mark.parametrize("purpose", [P.PLAN, P.SIGN_OFF, P.SURVEY])
def test_a_post_that_is_no_form_is_refused_without_a_crash(site: Site, purpose: LinkPurpose) -> None:
    ticket_id = _proposed(site)
    path = site.link(purpose, ticket_id, 1)

    answers = [
        site.client.post(path, json={"answer": "agree"}),
        site.client.post(path, content=b"\xff=\xfe", headers={"content-type": "application/x-www-form-urlencoded"}),
        site.client.post(path, files={"answer": ("x.png", b"\x89PNG")}),
        site.client.post(path, content=b"x", headers={"content-type": "multipart/form-data"}),
    ]

    assert {answer.status_code for answer in answers} <= {400, 404, 422}
    assert {answer.headers["content-type"] for answer in answers} == {"text/html; charset=utf-8"}
    assert site.state(ticket_id) == "plan_proposed"
