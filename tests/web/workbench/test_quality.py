"""Scoring at the workbench: drawn by lot, never one's own work, two unseen by each other, who reads what (S-56)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from clock import utc_now
from db import events, quality, seed, staff
from db.session import transaction
from domain.lifecycle import CommandName, TicketState
from domain.people import Actor, Role
from domain.quality import Criterion, draw
from domain.spans import last_full_week
from domain.standard import Standard
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, forms_of, text_of

MARKS = {f"mark_{criterion}": "4" for criterion in Criterion}


def closed_last_week(site: Site, standard: Standard, count: int, **details: Any) -> tuple[str, list[int]]:
    """Tickets closed in the last full week; the week and their ids."""
    week = last_full_week(utc_now(), standard.organisation.time_zone)
    at = week.since + timedelta(hours=30)
    with site.desk() as desk:
        made = [desk.open(at=at, phone=f"+861380013{n:04}", **details) for n in range(8000, 8000 + count)]
        return week.label, [desk.bring_to(TicketState.CLOSED, ticket_id=one, at=at) for one in made]


def drawn_cases(bench: Bench) -> list[str]:
    return [line.split('"')[0] for line in bench.get("/workbench/quality").text.split('class="row" href="')[1:]]


def score(bench: Bench, path: str, **values: Any) -> Any:
    return bench.send(path, bench.fill(bench.get(path), path, **(MARKS | values)))


def test_a_week_is_drawn_once_and_can_be_drawn_again_by_whoever_doubts_it(
    site: Site, make_bench: MakeBench, standard: Standard
) -> None:
    week, tickets = closed_last_week(site, standard, 5)
    inspector = make_bench("he.miao", role=Role.QUALITY_INSPECTOR)
    form = inspector.fill(inspector.get("/workbench/quality"), "/workbench/quality/draw")
    assert form["week"] == [week]

    assert inspector.send("/workbench/quality/draw", form).status_code == 303
    assert inspector.send("/workbench/quality/draw", form).status_code == 422
    for nonsense in ("2026-W99", "2019-W01", "", "<script>", "9999-W01"):
        assert inspector.send("/workbench/quality/draw", form | {"week": nonsense}).status_code == 422
    assert make_bench().send("/workbench/quality/draw", form).status_code == 403

    with transaction(site.database) as connection:
        (sample,) = connection.execute(text("SELECT * FROM quality_samples")).mappings()
        cases = connection.execute(text("SELECT ticket_id, assessed_id, needs_two FROM quality_cases ORDER BY id"))
        kept = {int(person): ids for person, ids in sample["population"].items()}
        again = draw(kept, seed=sample["seed"], per_person=sample["per_person"], scored_twice=sample["scored_twice"])
        assert sorted(ticket for ids in kept.values() for ticket in ids) == tickets
        assert [(one.ticket_id, one.assessed_id, one.needs_two) for one in again] == [tuple(row) for row in cases]


def test_two_inspectors_score_unseen_and_the_colleague_reads_their_own(
    site: Site, make_bench: MakeBench, standard: Standard
) -> None:
    _week, (ticket_id,) = closed_last_week(site, standard, 1, name="王丽", wants_anonymity=True)
    first = make_bench("he.miao", role=Role.QUALITY_INSPECTOR)
    first.send("/workbench/quality/draw", first.fill(first.get("/workbench/quality"), "/workbench/quality/draw"))
    (path,) = drawn_cases(first)
    page = first.get(path)
    assert "空调不制冷" in page.text
    assert "王丽" not in page.text

    refused = score(
        first, path, mark_courtesy="6", comment_patience="x" * 501, mark_process="", comment_solution="好\0"
    )
    assert refused.status_code == 422
    assert text_of(refused).count("请选择一项") == 1
    assert "最多500个字" in refused.text
    assert forms_of(refused)[path]["mark_solution"] == ["4"]

    assert score(first, path, comment_courtesy="<b>很好</b>").status_code == 303
    assert send_again(first, path).status_code == 409
    second = make_bench("wu.qiang", role=Role.QUALITY_INSPECTOR)
    assert drawn_cases(second) == [path]
    number = f"TK-{ticket_id:08}"
    assert "很好" not in second.get(path).text + second.ticket(number).text
    assert score(second, path, mark_solution="1").status_code == 303

    with site.desk() as desk:
        assessed = desk.ticket(ticket_id)["assignee_id"]
        name = next(one["email"] for one in staff.list_all(desk.connection) if one["id"] == assessed).split("@")[0]
        assert desk.kinds(ticket_id)[-2:] == ["quality_scored", "quality_scored"]
        assert not list(events.find_flaws(desk.connection))
    own, lead, other = make_bench(name), make_bench("ma.chao"), make_bench("tom.baker")
    for reader, sees in ((own, True), (lead, True), (other, False)):
        told = reader.get("/workbench/quality").text + reader.ticket(number).text
        assert ("&lt;b&gt;很好&lt;/b&gt;" in told, "80%" in told) == (sees, sees)


def send_again(bench: Bench, path: str) -> Any:
    """The form of a page that is open still."""
    csrf = forms_of(bench.get("/workbench/account"))["/workbench/account/password"]["csrf"]
    return bench.send(path, MARKS | {"csrf": csrf[0]})


def test_nobody_scores_what_they_worked_on(site: Site, make_bench: MakeBench, standard: Standard) -> None:
    _week, (ticket_id,) = closed_last_week(site, standard, 1)
    with site.desk() as desk:
        helper = staff.actor(desk.connection, seed.address("he.miao"))
        inspector = Actor(Role.QUALITY_INSPECTOR, helper.id)
        desk.give(ticket_id, CommandName.ADD_NOTE, inspector, note="抽查")
    bench = make_bench("he.miao", role=Role.QUALITY_INSPECTOR)
    bench.send("/workbench/quality/draw", bench.fill(bench.get("/workbench/quality"), "/workbench/quality/draw"))
    assert len(drawn_cases(bench)) == 1

    with site.desk() as desk:
        held = desk.ticket(ticket_id)
        assert not [c for c in quality.due(desk.connection, held["assignee_id"]) if c["ticket_id"] == ticket_id]
        desk.give(ticket_id, CommandName.REOPEN, helper, at=held["closed_at"] + timedelta(hours=1), reason="again")
    with transaction(site.database) as connection:
        path = f"/workbench/quality/{connection.execute(text('SELECT id FROM quality_cases')).scalar_one()}"
    assert drawn_cases(bench) == []
    assert bench.get(path).status_code == 409
    assert send_again(bench, path).status_code == 409
