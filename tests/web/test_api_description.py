"""The description is complete, needs nobody else, and shows only what may be done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from domain.commands import build_command
from domain.intake import build_customer
from domain.lifecycle import COMMANDS
from domain.people import STAFF_ROLES
from domain.satisfaction import CallbackResult, SurveyAnswer
from tests.web.conftest import Api, Site
from web.api import examples
from web.api.tickets import NewTicket
from web.api.webhooks import NewSubscription


def test_the_description_is_valid_and_open(site: Site) -> None:
    described = site.client.get("/api/v1/openapi.json").json()

    validate(described)
    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": "/api/v1"}]


def test_each_command_that_staff_may_give_has_an_address_and_an_example(site: Site) -> None:
    described = site.client.get("/api/v1/openapi.json").json()["paths"]
    given = {path.rsplit("/", 1)[1] for path in described if "/commands/" in path}

    assert given == {name.value for name, traits in COMMANDS.items() if traits.by & STAFF_ROLES}
    assert given == {name.value for name in examples.COMMANDS}


def test_every_example_is_one() -> None:
    for name, values in examples.COMMANDS.items():
        build_command(name, values)
    build_customer(examples.CUSTOMER)
    for report in (examples.REPORT_OF_NEW, examples.REPORT_OF_KNOWN):
        NewTicket.model_validate(report)
    NewSubscription.model_validate(examples.SUBSCRIPTION)
    SurveyAnswer.model_validate(examples.ANSWER)
    CallbackResult.model_validate(examples.RESULT)


def test_only_photos_are_sent_as_a_form(site: Site) -> None:
    paths = site.client.get("/api/v1/openapi.json").json()["paths"]
    forms = {
        path: set(ops["post"]["requestBody"]["content"])
        for path, ops in paths.items()
        if "requestBody" in ops.get("post", {})
    }

    assert forms.pop("/tickets/{number}/attachments") == {"multipart/form-data"}
    assert set().union(*forms.values()) == {"application/json"}


def test_every_problem_is_documented_with_examples(site: Site) -> None:
    paths = site.client.get("/api/v1/openapi.json").json()["paths"]

    for path, operations in paths.items():
        for method, operation in operations.items():
            no = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert set(no) >= {"401", "403", "422", "429", "503"} | ({"413", "415"} if method == "post" else set()), (
                path
            )
            for answer in no.values():
                assert list(answer["content"]) == ["application/problem+json"]
                assert answer["content"]["application/problem+json"]["examples"]


def test_the_page_loads_from_here_alone(site: Site) -> None:
    page = site.client.get("/api/v1/docs")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert "'self'" in page.headers["content-security-policy"]
    assert "unsafe-eval" not in page.headers["content-security-policy"]
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    for address in loaded:
        assert address.startswith(("/api/v1/", "data:"))
        assert address == "data:," or site.client.get(address).status_code == 200


@pytest.mark.parametrize("name", ["../description.py", "..%2fdescription.py", "redoc.standalone.js", "x"])
def test_no_other_file_is_given_out(api: Api, name: str) -> None:
    assert api.get(f"/docs/{name}").status_code == 404


def test_our_script_asks_nobody_else() -> None:
    script = (Path(__file__).parents[2] / "web/static/api_docs.js").read_text("utf-8")

    assert "://" not in script
    assert "validatorUrl: null" in script
