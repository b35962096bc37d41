"""What Prometheus reads: right, naming nobody, and only for whoever has the token."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from clock import utc_now
from db import handovers
from db.session import transaction
from settings import get_settings
from tests.web.conftest import Site

TOKEN = "a-token-of-twenty-letters"
DASHBOARD = Path(__file__).parents[2] / "deployments" / "grafana.json"


@pytest.fixture
def with_token(monkeypatch: pytest.MonkeyPatch, site: Site) -> Site:
    """The pages with a token set."""
    monkeypatch.setenv("AFTERCARE_METRICS_TOKEN", TOKEN)
    get_settings.cache_clear()
    return site


def test_the_figures_are_those_of_the_database_and_name_nobody(with_token: Site) -> None:
    with with_token.desk() as desk:
        desk.open("The fridge of Ann leaks", name="Ann Smith")

    answer = with_token.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    found = {(sample.name, *sample.labels.values()): sample.value for sample in samples}
    assert found["aftercare_tickets_open", "P2", "new"] == 1
    assert found["aftercare_follow_ups_waiting",] == 1
    assert found["aftercare_follow_ups_age_seconds",] >= 0
    assert found["aftercare_messages", "failed"] == 0
    assert "Ann" not in answer.text


def test_how_long_vendors_take_is_spread_over_buckets_of_the_last_hour(with_token: Site) -> None:
    now = utc_now()
    with transaction(with_token.database) as connection:
        kept = {"at": now, "medium": "sms", "provider": "twilio", "outcome": "accepted", "waited": None}
        seconds = [(0.04, 0.3), (0.2, None), (30.0, None)]
        handovers.keep(connection, [kept | {"took": took, "waited": waited} for took, waited in seconds])
        handovers.keep(connection, [kept | {"took": 9.0, "at": now - timedelta(hours=2)}])

    answer = with_token.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    vendor = 'medium="sms",outcome="accepted",provider="twilio"'
    found = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in answer.text.splitlines() if line[0] != "#"
    }
    took = [
        found[f'aftercare_handover_seconds_bucket{{le="{le}",{vendor}}}'] for le in ("0.05", "0.25", "10.0", "+Inf")
    ]
    assert took == [1, 2, 2, 3]
    assert found[f"aftercare_handover_seconds_gsum{{{vendor}}}"] == pytest.approx(30.24)
    assert found['aftercare_outbox_wait_seconds_bucket{le="0.5",medium="sms"}'] == 1


@pytest.mark.parametrize("authorization", ["", "Bearer ", f"Bearer {TOKEN}x", TOKEN])
def test_without_the_token_there_is_no_such_page(with_token: Site, authorization: str) -> None:
    assert with_token.client.get("/metrics", headers={"Authorization": authorization}).status_code == 404


def test_without_a_token_set_nothing_opens_the_page(site: Site) -> None:
    assert site.client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_the_dashboard_asks_for_figures_that_exist(with_token: Site) -> None:
    answer = with_token.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    known = {family.name for family in text_string_to_metric_families(answer.text)}

    asked = set(
        re.findall(
            r"aftercare_\w+?(?=_bucket|\W|$)",
            " ".join(
                target["expr"]
                for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]
                for target in panel["targets"]
            ),
        )
    )

    assert asked <= known
