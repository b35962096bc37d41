"""``aftercare templates``: no database is asked, faults are listed, the preview can be looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.messages import MessageKind
from tests.cli.conftest import Console

# Words must be checked where there is no database: in a build, on a writer's machine.
NO_DATABASE = {"AFTERCARE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere"}


@pytest.fixture
def words(console: Console) -> Path:
    """The operator's own folder of words, empty."""
    folder = console.home / "words"
    folder.mkdir()
    console.env |= {"AFTERCARE_TEMPLATES": str(folder), **NO_DATABASE}
    return folder


def test_our_own_words_are_fine_and_their_segments_are_listed(console: Console) -> None:
    said = console.succeed("templates", "check", **NO_DATABASE)

    assert "All templates are fine: en, zh-CN." in said
    assert "No SMS needs more than 4 segments." in said
    assert "ticket_updates" in said


def test_each_fault_is_a_line_with_its_place(console: Console, words: Path) -> None:
    (words / "en" / "ticket_closed").mkdir(parents=True)
    (words / "en" / "ticket_closed" / "sms.txt").write_text("Closed {{ tickt_number }}")
    (words / "de").mkdir()
    (words / "de" / "labels.toml").write_text("[language]\n")

    done = console.run("templates", "check")

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert f"{words}/en/ticket_closed/sms.txt:1: UndefinedError: 'tickt_number' is undefined" in lines
    assert f"{words}/de/survey_thanks/email.html: no such file" in lines
    assert f"{words}/de/labels.toml:1: no 'name' in [language]" in lines
    assert len(set(lines)) == len(lines)
    assert f"{len(lines)} faults are in the templates" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_none_is_said(console: Console) -> None:
    assert "AFTERCARE_TEMPLATES: " in console.refuse("templates", "check", AFTERCARE_TEMPLATES="/no/such/folder")


def test_a_preview_lays_everything_out(console: Console) -> None:
    said = console.succeed("templates", "preview", "--out", "look", "--language", "zh-CN", **NO_DATABASE)

    folder = console.home / "look"
    assert "look/index.html" in said
    assert (folder / "index.html").is_file()
    assert {path.name.split(".")[0] for path in (folder / "zh-CN").iterdir()} >= {kind.value for kind in MessageKind}
    assert not (folder / "en").exists()


def test_a_preview_without_a_browser_says_so_and_goes_on(console: Console) -> None:
    console.env |= {"PATH": str(console.home), **NO_DATABASE}

    said = console.succeed("templates", "preview", "--png")

    assert "No screenshots: there is no chromium on the PATH." in said
    assert (console.home / "build" / "templates" / "index.html").is_file()


def test_a_preview_that_cannot_be_made_says_why(console: Console, words: Path) -> None:
    assert "there is no language 'xx'" in console.refuse("templates", "preview", "--language", "xx")

    (console.home / "file").write_text("in the way")
    assert "cannot write to file" in console.refuse("templates", "preview", "--out", "file")

    (words / "en" / "ticket_closed").mkdir(parents=True)
    (words / "en" / "ticket_closed" / "sms.txt").write_text("{% if %}")
    assert f"{words}/en/ticket_closed/sms.txt:1: " in console.refuse("templates", "preview")
