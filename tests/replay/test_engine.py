"""A replay commits many rows at once and reads a ticket once: neither may show in what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from db import clocks, events, tickets
from db.session import engine
from domain.standard import load_standard
from replay.engine import Replay
from replay.history_map import load_map
from replay.log_reader import read_log

MAP = load_map("helpdesk_log")
HEADER = "Case ID,Activity,Resource,Complete Timestamp,customer,product,seriousness_2\n"
# Case 1 is taken up again long after it was closed; case 2 runs late meanwhile, and is worked on after that.
HISTORY = [
    ("1", "Assign seriousness", "2012/01/09 10:00"),
    ("1", "Take in charge ticket", "2012/01/09 11:00"),
    ("1", "Resolve ticket", "2012/01/10 10:00"),
    ("1", "Closed", "2012/01/11 10:00"),
    ("2", "Assign seriousness", "2012/03/26 09:00"),
    ("2", "Take in charge ticket", "2012/04/02 09:30"),
    ("1", "Wait", "2012/04/02 10:00"),
    ("2", "Wait", "2012/04/02 11:00"),
    ("2", "Take in charge ticket", "2012/04/03 11:00"),
    ("3", "Assign seriousness", "2012/04/03 12:00"),
]


def _play(connection: Connection, folder: Path) -> Replay:
    log = folder / "log.csv"
    lines = [f"{case},{activity},V1,{at}:00.000,C{case},P,Value 2\n" for case, activity, at in HISTORY]
    log.write_text(HEADER + "".join(lines))
    replay = Replay(connection, MAP, load_standard(under=MAP.standard))
    replay.play(*read_log(log, MAP), progress=lambda _: None)
    return replay


def test_a_refused_row_is_undone_without_those_that_are_committed_with_it(database: str, tmp_path: Path) -> None:
    with engine(database).connect() as connection:
        replay = _play(connection, tmp_path)

        assert replay.tally.is_complete
        assert [line for line, _ in replay.tally.rejected_lines] == [8]
        assert len(replay.cases) == 3
        assert list(events.find_flaws(connection)) == []


def test_a_ticket_that_is_kept_is_what_the_database_says(database: str, tmp_path: Path) -> None:
    with engine(database).connect() as connection:
        replay = _play(connection, tmp_path)

        assert replay.kept
        for ticket_id, held in replay.kept.items():
            said = tickets.get(connection, ticket_id, for_update=True)
            kept = {**held.row, "assignee_is_active": said["assignee_is_active"]}
            assert kept == said
            by_id = {row["id"]: row for row in clocks.of_ticket(connection, ticket_id, said["round"])}
            assert {row["id"]: row for row in held.clocks} == by_id


@pytest.mark.parametrize("batch", [1, 3])
def test_how_many_rows_are_committed_at_once_changes_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("replay.engine.BATCH", batch)

    with engine(database).connect() as connection:
        replay = _play(connection, tmp_path)

        assert [line for line, _ in replay.tally.rejected_lines] == [8]
        assert list(events.find_flaws(connection)) == []
