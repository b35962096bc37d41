"""The filtered list of tickets at the workbench."""

from __future__ import annotations

from domain.people import Role
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, text_of

LIST = "/workbench/tickets"


def test_the_address_says_what_is_listed_and_leads_on(site: Site, bench: Bench) -> None:
    with site.desk() as desk:
        numbers = [desk.ticket(desk.open(region="<east>"))["number"] for _ in range(51)]
    asked = {"happened": "opened", "region": "<east>", "from": "2020-01-01"}

    first = bench.client.get(LIST, params=asked)
    rest = bench.client.get(f"{LIST}?{first.text.partition(f'{LIST}?')[2].partition(chr(34))[0]}".replace("&amp;", "&"))

    assert first.status_code == 200
    assert "51" in text_of(first)
    assert numbers[-1] in first.text
    assert numbers[0] not in first.text
    assert numbers[0] in rest.text
    assert "<east>" not in first.text
    assert len(first.content) < 50_000


def test_what_cannot_be_asked_is_said_beside_its_field(bench: Bench) -> None:
    answer = bench.client.get(LIST, params={"from": "2026-02-31", "region": "\x00"})

    assert answer.status_code == 422
    assert 'id="from-fault"' in answer.text


def test_it_is_not_for_who_only_serves(make_bench: MakeBench) -> None:
    assert make_bench(role=Role.ENGINEER).client.get(LIST).status_code == 403
