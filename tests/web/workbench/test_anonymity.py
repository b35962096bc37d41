"""Who asked to stay anonymous is named to who serves them, and to nobody else (S-02, S-71)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from db import callbacks, surveys
from domain.lifecycle import CommandName, TicketState
from domain.people import Role
from domain.satisfaction import SurveyAnswer
from tests.web.conftest import MakeApi, Site
from tests.web.workbench.conftest import MakeBench

NAME, SAID = "Wilhelmina", "three days late"


def _ticket(site: Site, *, anonymous: bool = True) -> str:
    with site.desk() as desk:
        ticket_id = desk.open(name=NAME, wants_anonymity=anonymous)
        desk.bring_to(TicketState.ASSIGNED, ticket_id=ticket_id)
        return f"TK-{ticket_id:08d}"


@pytest.mark.parametrize(
    ("role", "anonymous", "is_named"),
    [
        (Role.AGENT, True, True),
        (Role.SUPERVISOR, True, True),
        (Role.QUALITY_INSPECTOR, True, False),
        (Role.ADMINISTRATOR, True, False),
        (Role.QUALITY_INSPECTOR, False, True),
    ],
)
def test_the_name_is_for_who_serves(
    site: Site, make_bench: MakeBench, make_api: MakeApi, role: Role, anonymous: bool, is_named: bool
) -> None:
    number = _ticket(site, anonymous=anonymous)
    bench, api = make_bench(role=role), make_api(role=role)

    ticket = api.get(f"/tickets/{number}").json()
    pages: dict[str, Callable[[], str]] = {
        "page": lambda: bench.get(f"/workbench/tickets/{number}").text,
        "ticket": lambda: ticket["customer"]["name"],
        "list": lambda: api.get("/tickets").text,
        "customer": lambda: api.get(f"/customers/{ticket['customer']['id']}").text,
    }

    assert {name: NAME in read() for name, read in pages.items()} == dict.fromkeys(pages, is_named)


@pytest.mark.parametrize(("role", "is_found"), [(Role.SUPERVISOR, True), (Role.QUALITY_INSPECTOR, False)])
def test_a_search_by_the_name_confirms_nothing_to_who_may_not_know_it(
    site: Site, make_bench: MakeBench, role: Role, is_found: bool
) -> None:
    number = _ticket(site)
    bench = make_bench(role=role)

    def search(asked: str) -> str:
        form = bench.fill(bench.get("/workbench/search"), "/workbench/search", asked=asked)
        return bench.send("/workbench/search", form).text

    assert (number in search(NAME)) is is_found
    assert number in search(number)
    assert (NAME in search(number)) is is_found


@pytest.mark.parametrize(
    ("role", "is_named", "hears"),
    [
        (Role.SUPERVISOR, True, True),
        (Role.ENGINEER, True, False),
        (Role.AGENT, True, False),
        (Role.QUALITY_INSPECTOR, False, True),
        (Role.ADMINISTRATOR, False, False),
    ],
)
def test_nobody_but_who_calls_back_reads_both_who_it_was_and_what_they_said(
    site: Site, make_bench: MakeBench, make_api: MakeApi, role: Role, is_named: bool, hears: bool
) -> None:
    ticket_id, callback_id = _answered(site)
    number, bench, api = f"TK-{ticket_id:08d}", make_bench(role=role), make_api(role=role)

    pages = [f"tickets/{number}", "callbacks", f"callbacks/{callback_id}"]
    said = [bench.get(f"/workbench/{page}").text for page in pages]
    told = [api.get(path).text for path in (f"/tickets/{number}/surveys",)]

    assert [NAME in text for text in said] == [is_named] * 3
    assert [SAID in text for text in said + told] == [hears] * 4


def test_an_administrator_reads_no_words_of_a_ticket(site: Site, make_bench: MakeBench) -> None:
    with site.desk() as desk:
        ticket_id = desk.bring_to(TicketState.IN_WORK, ticket_id=desk.open(SAID))
        moment = desk.after(days=2)
        desk.give(ticket_id, CommandName.REPORT_DELAY, reason=SAID, expected_at=moment, contingency=SAID)
        desk.give(ticket_id, CommandName.LOG_STEP, step=SAID)

    page = make_bench(role=Role.ADMINISTRATOR).ticket(f"TK-{ticket_id:08d}")

    assert (page.status_code, SAID in page.text) == (200, False)


def _answered(site: Site) -> tuple[int, int]:
    """A ticket of who asked to stay anonymous and was unhappy, and the call that is owed."""
    with site.desk() as desk:
        ticket_id = desk.open(name=NAME, wants_anonymity=True, at=desk.after(hours=-25))
        desk.bring_to(TicketState.COMPLETED, ticket_id=ticket_id, at=desk.after(hours=-25))
        surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now)
        answer = SurveyAnswer(efficiency=1, attitude=1, solution=1, overall=1, comment=SAID)
        survey_id, customer = desk.surveys(ticket_id)[0]["id"], desk.customer_of(ticket_id)
        surveys.record_answer(desk.connection, survey_id, answer, customer, standard=desk.standard, now=desk.now)
        callbacks.escalate_due(desk.connection, standard=desk.standard, now=desk.now)
        return ticket_id, desk.callbacks(ticket_id)[0]["id"]


def test_what_was_said_in_a_survey_travels_without_the_name(site: Site) -> None:
    _answered(site)

    with site.desk() as desk:
        query = text("SELECT context ->> 'customer_name' FROM messages WHERE kind = 'staff_callback_due'")
        assert desk.connection.execute(query).scalars().all() == ["***"]
