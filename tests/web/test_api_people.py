"""Customers and staff by the API; surveys and callbacks after the work."""

from __future__ import annotations

from typing import Any

import pytest

from clock import utc_now
from db import surveys
from domain.lifecycle import TicketState
from domain.people import STAFF_ROLES, Role
from tests.web.conftest import Api, MakeApi, Site, paths_of, problem_of

S = TicketState
WANG = {"name": "王丽", "phone": "138 0013 8000", "email": "wang.li@example.com"}
ANSWER = {"efficiency": 2, "attitude": 3, "solution": 2, "overall": 1, "comment": "late"}
RESULT = {"reason": "waited three days", "suggestion": "say so at once"}
MASKING = [Role.QUALITY_INSPECTOR, Role.ADMINISTRATOR]


def _asked(site: Site) -> tuple[str, int]:
    """A ticket whose survey was sent."""
    with site.desk() as desk:
        ticket_id = desk.bring_to(S.COMPLETED, at=desk.after(hours=-30))
        surveys.dispatch_due(desk.connection, standard=desk.standard, now=utc_now())
        return desk.ticket(ticket_id)["number"], desk.surveys(ticket_id)[0]["id"]


class TestACustomer:
    def test_is_added_once(self, site: Site, api: Api) -> None:
        first, again = (
            api.post("/customers", WANG),
            api.post("/customers", {"name": "Other", "email": "WANG.LI@example.com"}),
        )

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert first.json()["phone"] == "+8613800138000"
        assert len(site.everything()["customers"]) == 1

    def test_is_found_by_number_or_address(self, api: Api) -> None:
        known = api.post("/customers", WANG).json()

        assert api.get("/customers", phone="13800138000").json() == {"items": [known], "next_cursor": None}
        assert api.get("/customers", email="Wang.Li@example.com").json()["items"] == [known]
        assert api.get("/customers", email="nobody@example.com").json()["items"] == []
        assert api.get(f"/customers/{known['id']}").json() == known

    @pytest.mark.parametrize("role", sorted(STAFF_ROLES))
    def test_is_reached_only_by_who_serves(self, api: Api, make_api: MakeApi, role: Role) -> None:
        known = api.post("/customers", WANG).json()
        number = api.post("/tickets", {"customer": WANG, "report": {"channel": "web", "description": "坏了"}}).json()[
            "number"
        ]
        reader = make_api(role=role)

        shown = [
            reader.get(f"/customers/{known['id']}").json(),
            reader.get("/customers", phone="13800138000").json()["items"][0],
            reader.get(f"/tickets/{number}").json()["customer"],
        ]

        masked = {"phone": "+86138****8000", "email": "w***@example.com", "is_masked": True}
        told = {"phone": "+8613800138000", "email": "wang.li@example.com", "is_masked": False}
        for contact in shown:
            assert {name: contact[name] for name in told} == (masked if role in MASKING else told)

    @pytest.mark.parametrize("role", MASKING)
    def test_is_added_by_who_serves(self, site: Site, make_api: MakeApi, role: Role) -> None:
        api = make_api(role=role)

        assert api.post("/customers", WANG).status_code == 403
        report = {"customer": WANG, "report": {"channel": "web", "description": "坏了"}}
        assert api.post("/tickets", report).status_code == 403
        assert site.everything()["customers"] == []

    @pytest.mark.parametrize(
        ("change", "wrong"),
        [
            ({"name": ""}, "body.name"),
            ({"name": "a" * 201}, "body.name"),
            ({"name": "a\x00"}, "body.name"),
            ({"phone": "+86 12"}, "body.phone"),
            ({"phone": "1" * 51}, "body.phone"),
            ({"phone": "\x00"}, "body.phone"),
            ({"phone": 5}, "body.phone"),
            ({"email": "a b@example.com"}, "body.email"),
            ({"email": "x@y\x00.com"}, "body.email"),
            ({"tier": "gold"}, "body.tier"),
            ({"language": "e\x00"}, "body.language"),
            ({"language": "fr"}, "body.language"),
            ({"time_zone": "../../etc/passwd"}, "body.time_zone"),
            ({"time_zone": "\x00"}, "body.time_zone"),
            ({"region": "a\x00"}, "body.region"),
            ({"vip": True}, "body.vip"),
        ],
    )
    def test_with_a_value_that_cannot_be_used_is_not_added(
        self, site: Site, api: Api, change: dict[str, Any], wrong: str
    ) -> None:
        assert paths_of(api.post("/customers", WANG | change)) == {wrong}
        assert site.everything()["customers"] == []

    def test_of_another_country_may_call_too(self, api: Api) -> None:
        answer = api.post("/customers", {"name": "Tom", "phone": "+44 7911 123456", "language": "en-GB"})

        assert (answer.status_code, answer.json()["phone"]) == (201, "+447911123456")

    def test_that_there_is_not_is_not_found(self, api: Api) -> None:
        problem_of(api.get("/customers/999"))
        assert paths_of(api.get("/customers/0")) == {"path.customer_id"}
        assert paths_of(api.get("/customers/99999999999999999999")) == {"path.customer_id"}
        assert paths_of(api.get("/customers")) == {"query.phone"}
        assert paths_of(api.get("/customers", phone="abc")) == {"query.phone"}
        assert paths_of(api.get("/customers", email="abc")) == {"query.email"}


def test_staff_are_listed(api: Api) -> None:
    members = api.get("/staff").json()["items"]

    assert {member["name"] for member in members} >= {"李建国", "孙静"}
    assert all(member["is_active"] for member in members)


class TestASurvey:
    def test_is_answered_once(self, site: Site, api: Api) -> None:
        number, survey_id = _asked(site)

        first = api.post(f"/surveys/{survey_id}/answer", ANSWER)
        again = api.post(f"/surveys/{survey_id}/answer", ANSWER | {"overall": 5})

        assert (first.status_code, first.json()["is_stored"]) == (201, True)
        assert (again.status_code, again.json()["is_stored"]) == (200, False)
        assert api.get(f"/tickets/{number}/surveys").json()["items"][0]["overall"] == 1

    @pytest.mark.parametrize("role", [Role.ENGINEER, Role.QUALITY_INSPECTOR, Role.ADMINISTRATOR])
    def test_is_not_answered_by_who_did_the_work(self, site: Site, make_api: MakeApi, role: Role) -> None:
        _, survey_id = _asked(site)

        assert make_api(role=role).post(f"/surveys/{survey_id}/answer", ANSWER).status_code == 403

    @pytest.mark.parametrize("score", [0, 6, "5", None, 4.5, True, 10**30])
    def test_takes_scores_from_one_to_five(self, site: Site, api: Api, score: Any) -> None:
        _, survey_id = _asked(site)

        assert paths_of(api.post(f"/surveys/{survey_id}/answer", ANSWER | {"overall": score})) == {"body.overall"}

    def test_that_was_not_sent_cannot_be_answered(self, site: Site, api: Api) -> None:
        with site.desk() as desk:
            survey_id = desk.surveys(desk.bring_to(S.COMPLETED))[0]["id"]

        assert api.post(f"/surveys/{survey_id}/answer", ANSWER).status_code == 409
        assert api.post("/surveys/999/answer", ANSWER).status_code == 404


class TestACallback:
    def _owed(self, site: Site, api: Api) -> int:
        _, survey_id = _asked(site)
        api.post(f"/surveys/{survey_id}/answer", ANSWER)
        return int(api.get("/callbacks").json()["items"][-1]["id"])

    def test_is_listed_until_it_is_done(self, site: Site, api: Api) -> None:
        callback_id = self._owed(site, api)
        assert api.get("/callbacks").json()["items"][0]["overall"] == 1

        done = api.post(f"/callbacks/{callback_id}/complete", RESULT)

        assert (done.status_code, done.json()["state"], done.json()["reason"]) == (200, "done", RESULT["reason"])
        assert api.get("/callbacks").json()["items"] == []

    def test_is_done_once(self, site: Site, api: Api, make_api: MakeApi) -> None:
        callback_id = self._owed(site, api)
        first = api.post(f"/callbacks/{callback_id}/complete", RESULT)

        assert api.post(f"/callbacks/{callback_id}/complete", RESULT).json() == first.json()
        assert api.post(f"/callbacks/{callback_id}/complete", RESULT | {"reason": "other"}).status_code == 409
        assert make_api("ma.chao").post(f"/callbacks/{callback_id}/complete", RESULT).status_code == 409

    def test_of_a_low_score_is_for_leads(self, site: Site, api: Api, make_api: MakeApi) -> None:
        callback_id = self._owed(site, api)

        assert make_api("liu.fang").post(f"/callbacks/{callback_id}/complete", RESULT).status_code == 403

    def test_that_cannot_be_recorded_names_what_to_mend(self, site: Site, api: Api) -> None:
        callback_id = self._owed(site, api)

        for change, wrong in (
            ({"reason": ""}, "reason"),
            ({"reason": "a\x00"}, "reason"),
            ({"suggestion": 1}, "suggestion"),
        ):
            assert paths_of(api.post(f"/callbacks/{callback_id}/complete", RESULT | change)) == {f"body.{wrong}"}
        assert api.post("/callbacks/999/complete", RESULT).status_code == 404

    def test_is_met_once_when_the_list_is_walked(self, site: Site, api: Api) -> None:
        owed = {self._owed(site, api) for _ in range(3)}
        seen: list[int] = []
        cursor = None
        while True:
            page = api.get("/callbacks", limit=1, cursor=cursor).json()
            seen += [callback["id"] for callback in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break

        assert sorted(seen) == sorted(owed)
        # "1|2", "2026-01-01|1" and "2026-01-01T00:00:00+00:00|x": places, but none that was given out.
        for foreign in ("MXwy", "MjAyNi0wMS0wMXwx", "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMHx4"):
            assert paths_of(api.get("/callbacks", cursor=foreign)) == {"query.cursor"}
