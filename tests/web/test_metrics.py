"""What Prometheus reads: right, naming nobody, and only for whoever has the token."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

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
            r"aftercare_\w+",
            " ".join(
                target["expr"]
                for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]
                for target in panel["targets"]
            ),
        )
    )

    assert asked <= known
