"""Who may come in: keys, scopes, requests a minute, size and form; problems have one form, pages keep theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Mount

from clock import utc_now
from db import api_keys
from db.session import database_url, transaction
from domain.api_keys import Scope
from domain.lifecycle import CommandName, TicketState
from settings import get_settings
from tests.web.conftest import Api, MakeApi, Site, paths_of, problem_of
from web.api.app import create_api
from web.api.door import MOST_BYTES
from web.app import create_app

C = CommandName
JSON = {"content-type": "application/json"}
KNOWN = ["/tickets", "/customers/1", "/callbacks", "/staff", "/nowhere", "/", "/docs/nothing", "/openapi.json/"]


class TestAKey:
    @pytest.mark.parametrize("path", KNOWN)
    def test_is_needed_everywhere(self, site: Site, path: str) -> None:
        answer = site.client.get(f"/api/v1{path}")

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert problem_of(answer)["type"] == "urn:aftercare:problem:key-refused"

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer ", "Bearer ac_1_2", "Basic YTpi", "Bearer \xe9", "bearer x y"]
    )
    def test_of_another_form_is_refused(self, site: Site, header: str) -> None:
        answer = site.client.get("/api/v1/staff", headers={"Authorization": header.encode("latin-1")})

        assert answer.status_code == 401

    def test_with_another_secret_is_refused(self, site: Site, api: Api) -> None:
        stranger = Api(site.client, api.key[:12] + "x" * 43)

        assert api.get("/staff").status_code == 200
        assert stranger.get("/staff").status_code == 401

    def test_that_has_expired_is_refused(self, make_api: MakeApi) -> None:
        assert make_api(expires_in=timedelta(seconds=-1)).get("/staff").status_code == 401

    def test_that_was_revoked_is_refused_at_once(self, site: Site, api: Api) -> None:
        assert api.get("/staff").status_code == 200
        with transaction(site.database) as connection:
            api_keys.revoke(connection, api.key.split("_")[1], now=utc_now())

        assert api.get("/staff").status_code == 401

    def test_that_only_reads_writes_nothing(self, site: Site, make_api: MakeApi) -> None:
        reader = make_api(scopes=[Scope.READ])
        with site.desk() as desk:
            number = desk.ticket(desk.open())["number"]

        answer = reader.give(number, C.ADD_NOTE, note="n")

        assert reader.get(f"/tickets/{number}").status_code == 200
        assert answer.status_code == 403
        assert "'write'" in problem_of(answer)["detail"]

    def test_that_only_writes_reads_nothing(self, make_api: MakeApi) -> None:
        assert make_api(scopes=[Scope.WRITE]).get("/staff").status_code == 403


class TestTooMuch:
    def test_requests_are_counted_for_each_key(
        self, environment: pytest.MonkeyPatch, site: Site, make_api: MakeApi
    ) -> None:
        environment.setenv("AFTERCARE_API_REQUESTS_PER_MINUTE", "3")
        get_settings.cache_clear()
        busy, calm = make_api(), make_api("liu.fang")
        with TestClient(create_app()) as client:
            busy, calm = Api(client, busy.key), Api(client, calm.key)
            statuses = [busy.get("/staff").status_code for _ in range(4)]
            refused = busy.get("/staff")

            assert statuses == [200, 200, 200, 429]
            assert 1 <= int(refused.headers["retry-after"]) <= 20
            assert problem_of(refused)["type"] == "urn:aftercare:problem:too-many"
            assert calm.get("/staff").status_code == 200

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_that_is_too_large_is_refused(self, site: Site, api: Api, chunked: bool) -> None:
        body = b'{"name": "' + b"x" * MOST_BYTES + b'"}'
        content = iter([body[:100], body[100:]]) if chunked else body

        headers = JSON | {"Authorization": f"Bearer {api.key}"}
        answer = site.client.post("/api/v1/customers", content=content, headers=headers)

        assert answer.status_code == 413
        problem_of(answer)

    def test_the_largest_report_fits(self, api: Api) -> None:
        report = {"channel": "web", "description": "漏" * 5000, "usage_context": "水" * 2000, "wish": "快" * 1000}

        answer = api.post("/tickets", {"customer": {"name": "王", "email": "w@example.com"}, "report": report})

        assert answer.status_code == 201


class TestForm:
    @pytest.mark.parametrize(
        "media_type", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"]
    )
    def test_what_is_not_json_is_refused(self, site: Site, api: Api, media_type: str) -> None:
        headers = {"Authorization": f"Bearer {api.key}", "content-type": media_type}

        answer = site.client.post("/api/v1/customers", content=b'{"name": "a"}', headers=headers)

        assert answer.status_code == 415
        problem_of(answer)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"\xff\xfe\x00",
            b"nonsense",
            b"[" * 30_000,
            b'{"a": ' + b"9" * 5000 + b"}",
            b'"text"',
            b"[]",
            b"null",
        ],
    )
    def test_broken_json_is_said(self, site: Site, api: Api, content: bytes) -> None:
        headers = JSON | {"Authorization": f"Bearer {api.key}"}

        answer = site.client.post("/api/v1/customers", content=content, headers=headers)

        assert all(path.startswith("body") for path in paths_of(answer))

    def test_a_key_of_json_that_no_text_can_be_is_named_safely(self, site: Site, api: Api) -> None:
        headers = JSON | {"Authorization": f"Bearer {api.key}"}

        answer = site.client.post("/api/v1/customers", content=b'{"name": "\\ud800", "\\udfff": 1}', headers=headers)

        assert all(path.startswith("body") for path in paths_of(answer))

    def test_a_method_that_is_not_taken_names_those_that_are(self, site: Site, api: Api) -> None:
        answer = site.client.delete("/api/v1/staff", headers={"Authorization": f"Bearer {api.key}"})

        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET"
        problem_of(answer)

    def test_an_address_that_there_is_not_is_a_problem(self, api: Api) -> None:
        for path in (
            "/nowhere",
            "",
            "/",
            "/tickets/1/commands/explode",
            "/tickets/1/commands/close",
            "/tickets//events",
        ):
            problem_of(api.get(path))


def test_without_the_database_the_api_says_so(environment: pytest.MonkeyPatch, api: Api) -> None:
    environment.setenv("AFTERCARE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    get_settings.cache_clear()
    database_url.cache_clear()

    answer = api.get("/staff")

    assert answer.status_code == 503
    assert "127.0.0.1" not in answer.text
    problem_of(answer)


def test_an_error_that_nobody_foresaw_tells_nothing_of_the_inside(site: Site, api: Api) -> None:
    app, own = create_app(), create_api()

    @own.get("/boom")
    def boom() -> None:
        raise RuntimeError("the inside")

    app.router.routes.insert(0, Mount("/api/v1", own))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = Api(client, api.key).get("/boom")

    assert answer.status_code == 500
    assert "the inside" not in answer.text
    problem_of(answer)


def test_answers_of_the_api_have_the_headers_of_the_pages(api: Api) -> None:
    headers = api.get("/staff").headers

    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"


def test_pages_keep_their_own_problems(site: Site) -> None:
    with site.desk() as desk:
        desk.bring_to(TicketState.DIAGNOSING)

    for path in ("/nowhere", "/api/v2/tickets", "/plan/x"):
        assert site.client.get(path).headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("number", ["%0A", "1%0A", "%0D%0A", "..%2F..", "%2e%2e"])
def test_a_path_that_leads_nowhere_is_a_problem_and_no_page(site: Site, make_api: MakeApi, number: str) -> None:
    headers = JSON | {"Authorization": f"Bearer {make_api().key}", "Idempotency-Key": "k"}

    answer = site.client.post(f"/api/v1/tickets/{number}/commands/add_note", json={"note": "n"}, headers=headers)

    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"].startswith("application/problem+json")
