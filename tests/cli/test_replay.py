"""``aftercare replay`` as an operator uses it: what is wrong is said before the first replay, results are not lost."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import AFTERCARE, Console

HEADER = "Case ID,Activity,Resource,Complete Timestamp,customer,product,seriousness_2\n"
ROW = "Case 1,Assign seriousness,V1,2012/10/09 14:50:17.000,C,P,Value 1\n"
REPLAY = ("replay", "log.csv", "--map", "helpdesk_log")


@pytest.fixture
def log(console: Console) -> Path:
    """A log of one row in the command's folder."""
    path = console.home / "log.csv"
    path.write_text(HEADER + ROW)
    return path


class TestBeforeTheFirstReplay:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--standard", "missing.toml"), "missing.toml: no such file"),
            (("--standard", "log.csv"), "not readable as TOML"),
            (("--standard", "slow.toml"), "slow.toml: priorities.P2.response: '4 hours' is no duration"),
            (("--standard", "typo.toml"), "typo.toml: priorities.P2.respond: no such figure"),
            (("--page", "page.html"), "name the other with --standard or --engineers"),
            (("--engineers", "2", "--page", "missing/page.html"), "--page: missing/page.html: there is no folder"),
            (("--report", "."), "is a folder"),
            (("--report", "missing/report.json"), "there is no folder"),
            (("--database-url", "nonsense"), "--database-url: must begin with postgresql://"),
            (("--database-url", "postgresql://u:secret@127.0.0.1:1/x"), "mend --database-url"),
        ],
    )
    def test_whatever_is_wrong_is_said(
        self, console: Console, log: Path, arguments: tuple[str, ...], said: str
    ) -> None:
        (console.home / "slow.toml").write_text('[priorities.P2]\nresponse = "4 hours"\n')
        (console.home / "typo.toml").write_text('[priorities.P2]\nrespond = "4h"\n')

        sentence = console.refuse(*REPLAY, *arguments)

        assert said in sentence
        assert "secret" not in sentence
        assert not (console.home / "postgres").exists()

    def test_one_database_for_two_standards_is_refused(self, console: Console, log: Path) -> None:
        (console.home / "own.toml").write_text('[priorities.P1]\nresponse = "20m"\n')
        url = console.database.replace("+psycopg", "")

        assert "--standard needs two databases" in console.refuse(
            *REPLAY, "--database-url", url, "--standard", "own.toml"
        )

    def test_a_database_with_tickets_is_refused(self, console: Console, log: Path) -> None:
        console.succeed("ticket", "open", "漏水了", "--name", "w", "--email", "w@example.com")

        sentence = console.refuse(*REPLAY, "--database-url", console.database.replace("+psycopg", ""))

        assert "there are tickets in it" in sentence


def test_a_log_of_which_no_row_can_be_used_fails_with_the_reason_after_its_report(console: Console) -> None:
    (console.home / "log.csv").write_text(HEADER + ROW.replace("Assign seriousness", "Dance"))

    done = console.run(*REPLAY, "--report", "report.json")

    assert done.returncode == 1
    assert "none of the 1 rows could be used" in done.stderr
    assert "Dance" in done.stderr
    assert json.loads((console.home / "report.json").read_text())["rejected"] == 1


def test_two_replays_on_one_home_do_not_disturb_each_other_nor_the_first_commands(console: Console, log: Path) -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AFTERCARE_", "PREFECT_"))}
    env = inherited | {"AFTERCARE_HOME": str(console.home)}
    (console.home / "own.toml").write_text('[priorities.P1]\nresponse = "20m"\n')
    what_if = (*REPLAY, "--standard", "own.toml", "--engineers", "2", "--page", "page.html", "--language", "zh-CN")

    both = [
        subprocess.Popen(
            [str(AFTERCARE), *arguments],
            env=env,
            cwd=console.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in (REPLAY, what_if, ("ticket", "list"))
    ]

    for process in both:
        _, err = process.communicate(timeout=240)
        assert process.returncode == 0, err
    page = (console.home / "page.html").read_text("utf-8")
    assert '<html lang="zh-CN">' in page
    assert "own, 2 engineers" in page
    assert "priorities.P1.response" in page
