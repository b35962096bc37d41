"""What the log says of a request: enough to find a complaint and its ticket, and nothing of anybody."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient

import logs
from tests.web.conftest import Api, Site
from web.app import create_app


@pytest.fixture
def written() -> Iterator[StringIO]:
    """Our own lines, as JSON."""
    stream = StringIO()
    handler, logger = logging.StreamHandler(stream), logging.getLogger(logs.OURS)
    handler.setFormatter(logs.JsonLines("default"))
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def lines(written: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_and_what_it_did_to_a_ticket_are_said_and_nobody_is_named(api: Api, written: StringIO) -> None:
    customer = {"name": "王可儿", "phone": "+8613800138000"}
    opened = api.post("/tickets", {"customer": customer, "report": {"channel": "web", "description": "冰箱漏水"}})
    number = opened.json()["number"]
    api.get(f"/tickets/{number}", by="zebra")
    api.client.get("/progress/a-token-zebra?phone=13800138000")

    did, posted, read, guessed = lines(written)
    assert (did["message"], did["ticket"], did["event"]) == ("command", number, "opened")
    assert (posted["route"], posted["status"], posted["ticket"]) == ("/api/v1/tickets", 201, None)
    assert did["request_id"] == posted["request_id"] == opened.headers["X-Request-Id"]
    assert (read["route"], read["ticket"]) == ("/api/v1/tickets/{number}", number)
    assert (guessed["route"], guessed["status"]) == ("/progress/{token}", 410)
    assert [said for said in (*customer.values(), "zebra", "1380013", api.key) if said in written.getvalue()] == []


def test_the_number_on_the_error_page_finds_the_error_in_the_log(site: Site, written: StringIO) -> None:
    app, rose = create_app(), []

    def crash() -> None:
        rose.append(RuntimeError("broken"))
        raise rose[0]

    app.add_api_route("/crash", crash)
    page = TestClient(app, raise_server_exceptions=False).get("/crash")

    request_id = page.headers["X-Request-Id"]
    assert page.status_code == 500
    assert f"<strong>{request_id}</strong>" in page.text
    assert f"request {request_id}" in "".join(traceback.format_exception(rose[0]))
    assert [(line["request_id"], line["status"]) for line in lines(written)] == [(request_id, 500)]


def test_the_server_s_own_lines_of_requests_are_silent_because_they_hold_links(written: StringIO) -> None:
    before = logging.getLogger().handlers[:]
    logs.as_json()
    (ours,) = set(logging.getLogger().handlers) - set(before)
    logging.getLogger().removeHandler(ours)

    assert logging.getLogger("uvicorn").propagate
    assert not logging.getLogger("uvicorn.access").hasHandlers()
