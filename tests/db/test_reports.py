"""The digest's figures: counted by the database, and once more with pandas from the plain tables (S-61)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from db import alarms, digests, erasure, reports
from db.session import engine
from domain.spans import Span, days_between, month_of, week_of
from domain.standard import Standard, load_standard
from replay.engine import Replay
from replay.history_map import load_map
from replay.log_reader import read_log
from tests.conftest import read_cast
from tests.desk import Desk
from tests.figures import by_pandas, read_tables
from tests.lives import Life

SHANGHAI = "Asia/Shanghai"
WEEK = week_of(date(2026, 11, 24), SHANGHAI)
# In New York the clocks went back on the first Sunday of November: its week has an hour more.
AUTUMN = week_of(date(2026, 11, 1), "America/New_York")
SPANS = [
    AUTUMN,
    AUTUMN.within("west"),
    month_of(date(2026, 10, 1), "Europe/Berlin"),
    days_between(date(2026, 10, 20), date(2026, 10, 28), SHANGHAI),
]


@pytest.fixture(scope="module")
def lived(shared_database: str, standard: Standard) -> Iterator[Desk]:
    """Some weeks of tickets around the weeks in which clocks change; lived once, and gone with this file."""
    dice = random.Random(61)
    begin = AUTUMN.before - timedelta(days=1)
    with engine(shared_database).connect() as connection:
        transaction = connection.begin()
        desk = Desk(connection, standard, begin, read_cast(connection).supervisor)
        for _ in range(45):
            Life(desk, dice, begin + timedelta(minutes=dice.randint(0, 60 * 24 * 16))).live()
        alarms.raise_due(connection, standard=standard, now=AUTUMN.until + timedelta(days=20))
        yield desk
        transaction.rollback()


def _counted(connection: Connection, span: Span, standard: Standard) -> dict[str, Any]:
    """The digest as pandas says it: without cases, targets and headline, which count nothing."""
    digest = reports.digest(connection, span, standard)
    names = ("volume", "sla", "satisfaction", "callbacks")
    return {name: digest[name] for name in names} | {
        "breach_causes": {row.pop("cause"): row for row in digest["breach_causes"]},
        "benchmarks": {name: mark["share"] for name, mark in digest["benchmarks"].items()},
        "trend": [{name: value for name, value in period.items() if name != "label"} for period in digest["trend"]],
    }


def test_every_figure_of_every_span_is_what_pandas_counts(lived: Desk) -> None:
    tables = read_tables(lived.connection)

    for span in SPANS:
        assert _counted(lived.connection, span, lived.standard) == by_pandas(tables, span, lived.standard), span.label

    digest = reports.digest(lived.connection, AUTUMN, lived.standard)  # chance has made something to count
    assert digest["volume"]["opened"]["now"] > 10
    assert len(digest["breach_causes"]) > 5
    assert len(digest["sla"]["by_team"]) > 2
    assert digest["satisfaction"]["stages"]["on_site"]["given"]["now"] > 0
    assert None not in digest["trend"][-1].values()


def test_the_cases_are_the_worst_first_and_add_up(lived: Desk) -> None:
    digest = reports.digest(lived.connection, AUTUMN, lived.standard)

    scores = [row["overall"] for row in digest["low_scores"]]
    assert scores == sorted(scores)
    assert set(scores) <= {1, 2, 3}
    priorities = [row["priority"] for row in digest["breaches"]]
    missed = sum(digest["sla"][kind]["missed"]["now"] for kind in ("response", "resolution"))
    assert priorities == sorted(priorities)
    assert len(priorities) == min(20, missed)
    assert sum(cause["now"] for cause in digest["breach_causes"]) == missed
    assert digest["trend"][-1]["resolution_share"] == digest["sla"]["resolution"]["share"]["now"]


# The last that asks about these lives: what is erased stays so until the file is done.
def test_an_erased_customer_stays_counted(lived: Desk) -> None:
    over = "SELECT id, customer_id FROM tickets WHERE state = 'closed' ORDER BY id LIMIT 8"
    before = reports.digest(lived.connection, AUTUMN, lived.standard)

    for row in lived.connection.execute(text(over)).all():
        now = AUTUMN.until + timedelta(days=30)
        erasure.erase_customer(
            lived.connection, row.customer_id, lived.clerk, "asked", standard=lived.standard, now=now
        )

    after = reports.digest(lived.connection, AUTUMN, lived.standard)
    for part in ("volume", "sla", "satisfaction", "benchmarks"):
        assert after[part] == before[part]


def test_the_replayed_log_of_a_real_help_desk_is_counted_alike(shared_material: Path, database: str) -> None:
    log_map = load_map("helpdesk_log")
    standard = load_standard(under=log_map.standard)
    rows, _ = read_log(shared_material / "data" / "helpdesk_log.csv.gz", log_map)
    cut = rows[12000:12120]

    with engine(database).connect() as connection:
        Replay(connection, log_map, standard).play(cut, [], progress=lambda _: None)
        tables = read_tables(connection)
        middle = cut[len(cut) // 2].at.date()
        span = week_of(middle, "Europe/Rome")
        assert _counted(connection, span, standard) == by_pandas(tables, span, standard)
        assert reports.digest(connection, span, standard)["sla"]["response"]["met"]["now"] > 0


def test_a_week_without_anything_has_no_shares_rather_than_zeros(desk: Desk) -> None:
    digest = reports.digest(desk.connection, WEEK, desk.standard)

    assert digest["volume"]["opened"] == {"now": 0, "before": 0}
    assert digest["sla"]["response"]["share"] == {"now": None, "before": None}
    assert digest["satisfaction"]["means"]["overall"] == {"now": None, "before": None}
    assert digest["benchmarks"]["answered"]["share"] is None


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
def test_a_week_begins_and_ends_at_midnight_where_the_organisation_is(desk: Desk, zone: str) -> None:
    # In New York the clocks went back on the Sunday before: that week has an hour more.
    week = week_of(date(2026, 11, 1), zone)
    midnight = datetime(2026, 10, 26, tzinfo=ZoneInfo(zone))
    next_midnight = datetime(2026, 11, 2, tzinfo=ZoneInfo(zone))
    instant = timedelta(microseconds=1)
    for moment in (midnight - instant, midnight, next_midnight - instant, next_midnight):
        desk.open(at=datetime.fromtimestamp(moment.timestamp(), ZoneInfo("UTC")))

    digest = reports.digest(desk.connection, week, desk.standard)

    assert digest["volume"]["opened"] == {"now": 2, "before": 1}
    assert (week.since, week.until, week.label) == (midnight, next_midnight, "2026-W44")


def test_only_active_managers_get_the_digest(desk: Desk) -> None:
    desk.connection.execute(text("UPDATE staff SET is_active = false WHERE email LIKE 'grace%'"))

    assert [reader.language for reader in digests.readers(desk.connection)] == ["zh-CN"]
