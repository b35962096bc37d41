"""What an operator does when a customer asks for a copy of their data, who looked at it, or erasure (S-71)."""

from __future__ import annotations

import json
import stat
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from db.session import transaction
from tests.cli.conftest import ENGINEER, SUPERVISOR, Console
from tests.pictures import picture

PHONE = "+8613800138000"
AS = ("--as", SUPERVISOR)


def _opened(console: Console, folder: Path) -> str:
    console.succeed("ticket", "open", "空调漏水，请尽快", "--name", "王丽", "--phone", PHONE)
    photo = folder / "part.jpg"
    photo.write_bytes(picture())
    console.succeed("ticket", "do", "TK-00000001", "add_note", *AS, "note=王丽 called", "--photo", str(photo))
    return "TK-00000001"


def test_everything_kept_is_written_for_its_owner_only(console: Console, tmp_path: Path) -> None:
    number = _opened(console, tmp_path)
    file = tmp_path / "copy.json"

    console.succeed("customer", "export", PHONE, str(file), *AS)

    kept = json.loads(file.read_text("utf-8"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept["customer"]["name"] == "王丽"
    assert kept["tickets"][0]["description"] == "空调漏水，请尽快"
    assert datetime.fromisoformat(kept["tickets"][0]["opened_at"]).tzinfo is not None
    assert [event["kind"] for event in kept["ticket_events"]] == ["opened", "add_note"]
    assert kept["contact_views"][0]["seen_on"] == "export"
    (photo,) = (tmp_path / "copy.json.photos").iterdir()
    assert photo.name.startswith(number)
    assert stat.S_IMODE(photo.stat().st_mode) == 0o600
    assert "is there already" in console.refuse("customer", "export", PHONE, str(file), *AS)


def test_who_looked_is_listed_and_looks_by_the_command_line_are_looks(console: Console, tmp_path: Path) -> None:
    _opened(console, tmp_path)
    assert "Nobody looked" in console.succeed("customer", "views", PHONE, *AS)

    console.succeed("customer", "export", PHONE, str(tmp_path / "copy.json"), *AS)

    listed = console.succeed("customer", "views", PHONE, *AS)
    assert "export" in listed
    assert "supervisor" in listed


def test_a_look_by_the_command_line_is_recorded_and_not_for_everybody(console: Console, tmp_path: Path) -> None:
    number = _opened(console, tmp_path)

    assert PHONE not in console.succeed("ticket", "show", number)
    assert "--as" in console.refuse("ticket", "show", number, "--contact")
    assert PHONE in console.succeed("ticket", "show", number, "--contact", *AS)

    listed = console.succeed("customer", "views", PHONE, *AS)
    assert listed.count("command line") == 1
    assert number in listed


def test_an_erasure_says_first_what_it_does_and_then_does_it_once(console: Console, tmp_path: Path) -> None:
    number = _opened(console, tmp_path)
    erase = ("customer", "erase", PHONE, *AS, "--reason", "asked by letter")

    assert "--yes" in console.refuse(*erase)
    assert number in console.refuse(*erase, "--yes")
    assert f"Ends {number}" in (said := console.succeed(*erase, "--cancel", number, "--yes"))
    assert "1 photos" in said
    assert "nothing is left" in console.succeed("customer", "erase", "1", *AS, "--reason", "asked", "--yes")

    shown = console.succeed("ticket", "show", number)
    assert "王丽" not in shown
    assert "请尽快" not in shown
    assert "erased" in shown
    console.succeed("db", "check")
    with transaction(console.database) as connection:
        assert connection.execute(text("SELECT count(*) FROM attachments")).scalar_one() == 0


def test_whom_it_is_not_for_and_who_is_not_known_is_said(console: Console, tmp_path: Path) -> None:
    _opened(console, tmp_path)

    assert "is not for the role 'engineer'" in console.refuse(
        "customer", "export", PHONE, str(tmp_path / "x.json"), "--as", ENGINEER
    )
    assert not (tmp_path / "x.json").exists()
    assert "no customer has" in console.refuse("customer", "views", "13900139000", *AS)
    assert "no customer has the id" in console.refuse("customer", "views", "77", *AS)
    assert "reason" in console.refuse("customer", "erase", PHONE, *AS, "--reason", " ", "--yes").lower()
