"""Subscriptions by the API: for administrators, to addresses that may be told, with a secret that is shown once."""

from __future__ import annotations

from typing import Any

import pytest

from clock import utc_now
from db import webhooks
from db.session import transaction
from domain.api_keys import Scope
from domain.people import STAFF_ROLES, Role
from settings import get_settings
from tests.web.conftest import Api, MakeApi, Site, paths_of, problem_of

CRM = {"name": "CRM", "url": "https://crm.example.com/hooks", "kinds": ["opened", "sla_breached"]}


@pytest.fixture
def admin(make_api: MakeApi) -> Api:
    return make_api(role=Role.ADMINISTRATOR)


def _delete(site: Site, api: Api, subscription_id: int) -> Any:
    headers = {"Authorization": f"Bearer {api.key}"}
    return site.client.delete(f"/api/v1/webhooks/{subscription_id}", headers=headers)


def test_the_secret_is_shown_once_and_kept_nowhere(site: Site, admin: Api) -> None:
    made = admin.post("/webhooks", CRM)
    secret = made.json()["secret"]

    listed = admin.get("/webhooks")

    assert made.status_code == 201
    assert secret.startswith("whsec_")
    assert listed.json()["items"] == [{name: value for name, value in made.json().items() if name != "secret"}]
    assert listed.json()["items"][0]["kinds"] == ["opened", "sla_breached"]
    assert secret not in str(site.everything())


def test_a_new_secret_is_another(site: Site, admin: Api) -> None:
    made = admin.post("/webhooks", CRM).json()

    turned = admin.post(f"/webhooks/{made['id']}/rotate", {})
    bare = site.client.post(f"/api/v1/webhooks/{made['id']}/rotate", headers={"Authorization": f"Bearer {admin.key}"})

    assert (turned.status_code, bare.status_code) == (200, 200)
    assert turned.json() == made | {"secret": turned.json()["secret"]}
    assert turned.json()["secret"] != made["secret"]


def test_one_that_has_ended_is_gone_and_may_come_again(site: Site, admin: Api) -> None:
    made = admin.post("/webhooks", CRM).json()
    twice = admin.post("/webhooks", CRM)
    assert (twice.status_code, problem_of(twice)["type"]) == (409, "urn:aftercare:problem:not-possible")

    ended = _delete(site, admin, made["id"])

    assert (ended.status_code, ended.content) == (204, b"")
    assert admin.get("/webhooks").json()["items"] == []
    for again in (
        _delete(site, admin, made["id"]),
        admin.post(f"/webhooks/{made['id']}/rotate", {}),
        admin.post(f"/webhooks/{made['id']}/resume", {}),
    ):
        assert again.status_code == 404
        assert "aftercare webhook" not in problem_of(again)["detail"]
    assert admin.post("/webhooks", CRM).json()["secret"] != made["secret"]


def test_a_paused_one_says_why_and_is_resumed(site: Site, admin: Api) -> None:
    made = admin.post("/webhooks", CRM).json()
    with site.desk() as desk:
        desk.open()
        webhooks.pause(desk.connection, made["id"], "500", now=utc_now())
    paused = admin.get("/webhooks").json()["items"][0]

    resumed = admin.post(f"/webhooks/{made['id']}/resume", {})

    assert (paused["owed"], paused["pause_code"]) == (1, "500")
    assert (resumed.status_code, resumed.json()["paused_at"], resumed.json()["owed"]) == (200, None, 1)


@pytest.mark.parametrize("role", sorted(STAFF_ROLES - {Role.ADMINISTRATOR}))
def test_they_are_for_administrators(site: Site, admin: Api, make_api: MakeApi, role: Role) -> None:
    made = admin.post("/webhooks", CRM).json()
    other = make_api(role=role)

    for answer in (
        other.get("/webhooks"),
        other.post("/webhooks", CRM | {"url": "https://other.example.com"}),
        other.post(f"/webhooks/{made['id']}/rotate", {}),
        other.post(f"/webhooks/{made['id']}/resume", {}),
        _delete(site, other, made["id"]),
    ):
        assert answer.status_code == 403
    assert _delete(site, make_api(role=Role.ADMINISTRATOR, scopes=[Scope.READ]), made["id"]).status_code == 403
    with transaction(site.database) as connection:
        assert len(webhooks.list_all(connection)) == 1


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"url": "http://crm.example.com"}, "body.url"),
        ({"url": "https://127.0.0.1/"}, "body.url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "body.url"),
        ({"url": "https://169.254.169.254/"}, "body.url"),
        ({"url": "https://user:word@crm.example.com/"}, "body.url"),
        ({"url": "javascript:alert(1)"}, "body.url"),
        ({"url": "https://crm.example.com/\x00"}, "body.url"),
        ({"url": "https://crm.example.com/" + "x" * 1000}, "body.url"),
        ({"url": ""}, "body.url"),
        ({"url": None}, "body.url"),
        ({"name": ""}, "body.name"),
        ({"name": "a\x00"}, "body.name"),
        ({"name": "x" * 201}, "body.name"),
        ({"kinds": ["exploded"]}, "body.kinds.0"),
        ({"kinds": "opened"}, "body.kinds"),
        ({"secret": "mine"}, "body.secret"),
    ],
)
def test_one_that_cannot_be_told_is_not_kept(site: Site, admin: Api, change: dict[str, Any], wrong: str) -> None:
    assert paths_of(admin.post("/webhooks", CRM | change)) == {wrong}
    assert site.everything()["webhook_subscriptions"] == []


def test_a_network_of_ones_own_may_be_named(environment: pytest.MonkeyPatch, site: Site, admin: Api) -> None:
    environment.setenv("AFTERCARE_WEBHOOK_NETWORKS", "10.1.0.0/16")
    get_settings.cache_clear()

    assert admin.post("/webhooks", CRM | {"url": "https://10.1.0.7/hook"}).status_code == 201
    assert paths_of(admin.post("/webhooks", CRM | {"url": "https://10.2.0.7/hook"})) == {"body.url"}
