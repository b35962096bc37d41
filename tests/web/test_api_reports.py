"""Reports by the API: the figures of the digest for any week and any range of days, for who may read them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clock import utc_now
from db import surveys
from domain.lifecycle import CommandName, TicketState
from domain.people import STAFF_ROLES, Role
from domain.satisfaction import SurveyAnswer
from tests.web.conftest import Api, MakeApi, Site, paths_of, problem_of

READERS = {Role.SUPERVISOR, Role.MANAGER, Role.QUALITY_INSPECTOR, Role.ADMINISTRATOR}
LOW = SurveyAnswer(efficiency=2, attitude=3, solution=2, overall=1, comment="she waited for days")


def _unhappy(site: Site) -> str:
    """The number of a ticket whose customer answered the survey just now."""
    with site.desk() as desk:
        ticket_id = desk.bring_to(TicketState.COMPLETED, at=desk.after(hours=-30))
        surveys.dispatch_due(desk.connection, standard=desk.standard, now=utc_now())
        survey_id = desk.surveys(ticket_id)[0]["id"]
        customer = desk.customer_of(ticket_id)
        surveys.record_answer(desk.connection, survey_id, LOW, customer, standard=desk.standard, now=utc_now())
        return str(desk.ticket(ticket_id)["number"])


def _day(days: int) -> str:
    """A day of the organisation, which is some hours ahead of UTC."""
    return str((utc_now() + timedelta(hours=8, days=days)).date())


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_reports_are_for_who_answers_for_the_service(make_api: MakeApi, role: Role) -> None:
    api = make_api(role=role)

    statuses = {
        api.get("/reports/weekly").status_code,
        api.get("/reports/summary", first_day=_day(-1), last_day=_day(0)).status_code,
    }

    assert statuses == ({200} if role in READERS else {403})


def test_a_range_of_days_is_told_beside_as_many_before(site: Site, api: Api) -> None:
    number = _unhappy(site)
    with site.desk() as desk:
        desk.open(at=desk.after(days=-5))

    report = api.get("/reports/summary", first_day=_day(-3), last_day=_day(0)).json()

    assert report["week"] == f"{_day(-3)}/{_day(0)}"
    assert report["volume"]["opened"] == {"now": 1, "before": 1}
    assert report["volume"]["completed"] == {"now": 1, "before": 0}
    assert report["satisfaction"]["answered"] == {"now": 1, "before": 0}
    assert report["satisfaction"]["means"]["overall"] == {"now": 1, "before": None}
    assert [(low["ticket_number"], low["comment"]) for low in report["low_scores"]] == [(number, LOW.comment)]


def test_a_week_or_month_is_named_or_the_last_full_one(api: Api) -> None:
    week, month = (
        api.get("/reports/weekly", week="2026-W01").json(),
        api.get("/reports/monthly", month="2026-02").json(),
    )

    assert (week["week"], week["since"][:10], week["until"][:10]) == ("2026-W01", "2025-12-29", "2026-01-05")
    assert (month["week"], month["since"][:10], month["until"][:10]) == ("2026-02", "2026-02-01", "2026-03-01")
    assert [period["label"] for period in month["trend"]] == ["2025-10", "2025-11", "2025-12", "2026-01", "2026-02"]
    for path in ("weekly", "monthly"):
        assert api.get(f"/reports/{path}").json()["until"] <= utc_now().isoformat()


def test_a_report_is_of_one_region_or_of_all(site: Site, api: Api) -> None:
    with site.desk() as desk:
        desk.open(at=desk.after(hours=-1), region="east")
        desk.open(at=desk.after(hours=-1), region=None)
    days = {"first_day": _day(-3), "last_day": _day(0)}

    def opened(**query: str) -> tuple[Any, Any]:
        report = api.get("/reports/summary", **days, **query).json()
        return report["volume"]["opened"]["now"], report["span"]["region"]

    assert api.get("/reports/summary", **days).json()["volume"]["by_region"].keys() >= {"east", ""}
    assert opened(region="east") == (opened()[0] - 1, "east")
    assert opened(region="nowhere") == (0, "nowhere")


@pytest.mark.parametrize(
    ("path", "query", "wrong"),
    [
        ("weekly", {"week": "2026-W54"}, "query.week"),
        ("weekly", {"week": "2026-W00"}, "query.week"),
        ("weekly", {"week": "last"}, "query.week"),
        ("weekly", {"week": "２０２６-W01"}, "query.week"),
        ("weekly", {"week": "2026-W47\x00"}, "query.week"),
        ("weekly", {"week": "2099-W01"}, "query.week"),
        ("weekly", {"week": "0001-W01"}, "query.week"),
        ("weekly", {"region": "east\x00"}, "query.region"),
        ("monthly", {"month": "2026-13"}, "query.month"),
        ("monthly", {"month": "2099-01"}, "query.month"),
        ("summary", {"first_day": "2026-01-02", "last_day": "2026-01-01"}, "query.last_day"),
        ("summary", {"first_day": "2026-01-01", "last_day": "2026-12-31"}, "query.last_day"),
        ("summary", {"first_day": "9999-12-31", "last_day": "9999-12-31"}, "query.first_day"),
        ("summary", {"first_day": "0001-01-01", "last_day": "0001-01-01"}, "query.first_day"),
        ("summary", {"first_day": "2099-01-01", "last_day": "2099-01-01"}, "query.first_day"),
        ("summary", {"first_day": "yesterday", "last_day": "2026-01-01"}, "query.first_day"),
        ("summary", {"first_day": "2026-01-01"}, "query.last_day"),
    ],
)
def test_a_span_that_cannot_be_reported_is_named(api: Api, path: str, query: dict[str, Any], wrong: str) -> None:
    assert paths_of(api.get(f"/reports/{path}", **query)) == {wrong}


def test_what_people_said_is_not_for_who_only_runs_the_system(site: Site, api: Api, make_api: MakeApi) -> None:
    number = _unhappy(site)
    with site.desk() as desk:
        desk.give(int(number[3:]), CommandName.ADD_NOTE, note="she waited for days")
        desk.give(int(number[3:]), CommandName.REPORT_NOT_FIXED, reason="she waited for days")
    runner, inspector = make_api(role=Role.ADMINISTRATOR), make_api(role=Role.QUALITY_INSPECTOR)
    addresses = [f"/tickets/{number}", "/tickets", f"/tickets/{number}/events", f"/tickets/{number}/surveys"]
    days = {"first_day": _day(-3), "last_day": _day(0)}

    for address, query in [*((address, {}) for address in [*addresses, "/callbacks"]), ("/reports/summary", days)]:
        told, hidden = inspector.get(address, **query), runner.get(address, **query)
        assert (told.status_code, hidden.status_code) == (200, 200)
        assert "空调" not in hidden.text
        assert "she waited" not in hidden.text
    assert "空调" in inspector.get(f"/tickets/{number}").text
    assert "she waited" in inspector.get(f"/tickets/{number}/events").text
    assert [event["kind"] for event in runner.get(f"/tickets/{number}/events").json()["items"]] == [
        event["kind"] for event in inspector.get(f"/tickets/{number}/events").json()["items"]
    ]
    problem_of(make_api(role=Role.AGENT).get("/reports/weekly"))
