"""The same history under another standard and staffing: what differs is told, what cannot differ does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from cli.what_if import page
from db.session import engine
from domain.standard import load_standard, overlay, read_figures
from domain.standard_change import changed_figures
from replay.engine import Replay
from replay.history_map import load_map
from replay.log_reader import read_log
from replay.report import ReplayReport, report
from replay.what_if import compare
from tests.conftest import create_database

MAP = load_map("helpdesk_log")
HEADER = "Case ID,Activity,Resource,Complete Timestamp,customer,product,seriousness_2\n"
STRICT = '[priorities.P1]\nresponse = "20m"\n[priorities.P2]\nresponse = "30m"\n[priorities.P3]\nresponse = "1h"\n'
# Six cases, all taken up after two working hours and resolved in the next morning, by six people.
CASES = 6


@pytest.fixture
def databases(postgres: str, template_database: str) -> Iterator[list[str]]:
    template = str(make_url(template_database).database)
    urls = [create_database(postgres, f"what_if_{number}", template=template) for number in range(2)]
    yield urls
    for url in urls:
        engine(url).dispose()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rows = []
    for case in range(CASES):
        rows += [f"{case},Assign seriousness,V{case},2012/10/0{1 + case % 5} 10:00:00.000,C{case},P,Value 2\n"]
        rows += [f"{case},Take in charge ticket,V{case},2012/10/0{1 + case % 5} 12:00:00.000,C{case},P,Value 2\n"]
        rows += [f"{case},Resolve ticket,V{case},2012/10/0{2 + case % 5} 10:00:00.000,C{case},P,Value 2\n"]
    log = tmp_path / "log.csv"
    log.write_text(HEADER + "".join(rows))
    return log


def _played(url: str, log: Path, own: Path | None, *, name: str, engineers: int | None = None) -> ReplayReport:
    standard = load_standard(own, under=MAP.standard)
    rows, bad = read_log(log, MAP)
    with engine(url).connect() as connection:
        tally = Replay(connection, MAP, standard, engineers=engineers).play(rows, bad, progress=lambda _: None)
        hours = load_standard(under=MAP.standard).calendar("office")
        last = datetime(2012, 10, 12, tzinfo=UTC)
        return report(connection, tally, standard, name=name, seconds=1, last=last, working_hours=hours)


def test_a_stricter_standard_and_fewer_people_are_seen_beside_the_present_ones(
    databases: list[str], log: Path, tmp_path: Path
) -> None:
    own = tmp_path / "strict.toml"
    own.write_text(STRICT)

    present = _played(databases[0], log, None, name="standard")
    other = _played(databases[1], log, own, name="strict", engineers=2)
    compared = compare(present, other)

    all_responses = next(promise for promise in compared["promises"] if promise["clock"] == "response")
    assert all_responses["priority"] is None
    assert all_responses["made"] == {"before": CASES, "now": CASES}
    assert all_responses["broken"] == {"before": 0, "now": CASES}
    assert all_responses["kept"] == {"before": 1, "now": 0}
    # The log says when work was done: customers waited as long.
    two_hours = timedelta(hours=2).total_seconds()
    assert compared["waiting"]["response"]["half"] == {"before": two_hours, "now": two_hours}
    # The rules share six tickets out evenly, and nobody works whom the log names.
    assert compared["people"] == {"before": CASES, "now": 2}
    assert compared["busiest"]["tickets"]["before"] == 1
    assert {person["name"]: person["tickets"] for person in other.load} == {"engineer 1": 3, "engineer 2": 3}
    assert compared["messages"]["staff_sla_breach"]["before"] == 0
    assert compared["messages"]["staff_sla_breach"]["now"] > 0
    for language, said in (("en", "What this cannot know"), ("zh-CN", "重演无法得知的事")):
        words = page(compared | _about(log, own), load_standard(), language=language)
        assert said in words
        assert "priorities.P2.response" in words
        assert len(words.encode()) < 50_000


def _about(log: Path, own: Path) -> dict[str, Any]:
    changed = changed_figures(read_figures(), read_figures(own))
    moment = datetime(2012, 10, 1, tzinfo=UTC)
    return {"log": log.name, "since": moment, "until": None, "changed": changed, "engineers": 2}


def test_what_two_standards_differ_in_is_said_as_it_is_written() -> None:
    present = read_figures()
    own = {
        "calendars": {"office": {"weekly": {"sat": ["09:00-12:00", "14:00-18:00"]}}},
        "escalation": [{"at": 1.0, "tells": ["manager"]}],
    }

    changed = {key: (before, now) for key, before, now in changed_figures(present, overlay(present, own))}

    assert changed["calendars.office.weekly.mon"] == ("09:00-18:00", None)
    assert changed["calendars.office.weekly.sat"] == (None, "09:00-12:00, 14:00-18:00")
    assert changed["escalation.1.at"] == ("0.5", "1.0")
    assert not any(key.startswith("priorities") for key in changed)
