"""Postgres has no room left: who writes is told so in words, nothing is half stored, and operations read why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from db.session import transaction
from tests.web.conftest import Api, Site, problem_of
from tests.web.test_report import accepted, send

# Raised where Postgres would: in the middle of the transaction, when the first message of a ticket is stored.
FULL = """
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE 'could not extend file "base/5/17628": No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_is_full BEFORE INSERT ON ticket_events EXECUTE FUNCTION disk_is_full()
"""


@pytest.fixture
def full_disk(site: Site) -> Iterator[None]:
    with transaction(site.database) as connection:
        connection.execute(text(FULL))
    yield
    with transaction(site.database) as connection:
        connection.execute(text("DROP FUNCTION IF EXISTS disk_is_full CASCADE"))


def test_a_full_disk_stores_nothing_and_is_said_to_everybody(
    site: Site, api: Api, full_disk: None, caplog: pytest.LogCaptureFixture
) -> None:
    def stored() -> dict[str, list[str]]:
        return {table: rows for table, rows in site.everything().items() if table != "api_keys"}  # when it was used

    before = stored()
    report = {
        "customer": {"name": "Ann", "email": "ann@example.com"},
        "report": {"description": "It leaks", "channel": "web"},
    }

    page, answer = send(site), api.post("/tickets", report)

    assert (page.status_code, answer.status_code) == (503, 503), answer.text
    assert "not saved" in page.text
    assert "nothing was stored" in problem_of(answer)["detail"]
    assert [record.message.count("No space left on device") for record in caplog.records] == [1, 1]
    assert "Ann" not in caplog.text
    assert stored() == before

    with transaction(site.database) as connection:
        connection.execute(text("DROP FUNCTION disk_is_full CASCADE"))
    assert accepted(site, send(site))
