"""What a command must be told: shown by name, read by type, people named by address."""

from __future__ import annotations

import pytest

from cli import told
from cli.failure import CommandError
from domain.commands import build_command
from domain.lifecycle import CommandName
from tests.cli.conftest import ENGINEER, SUPERVISOR, Console


@pytest.fixture
def number(console: Console) -> str:
    """An acknowledged ticket's number."""
    opened = console.succeed("ticket", "open", "空调不制冷", "--name", "王丽", "--email", "w@example.com")
    number = opened.split()[0]
    console.succeed("ticket", "do", number, "acknowledge", "--as", SUPERVISOR)
    return number


class TestValues:
    @pytest.mark.parametrize("words", ["12345", "true", "null", '["a"]', '{"a": 1}', '"quoted"', "1e5", "a=b"])
    def test_of_text_are_the_words_as_they_stand(self, words: str) -> None:
        command = build_command(CommandName.ADD_NOTE, told.read(CommandName.ADD_NOTE, [f"note={words}"]))

        assert command.payload() == {"note": words}

    def test_of_other_types_are_read_as_what_they_are(self) -> None:
        pairs = ["kind=repair", "deadline_at=2026-11-25T18:00+08:00", "steps=疏通排水管", 'options=[{"title": "A"}]']

        payload = build_command(CommandName.PROPOSE_PLAN, told.read(CommandName.PROPOSE_PLAN, pairs)).payload()

        assert payload["steps"] == ["疏通排水管"]
        assert payload["options"][0]["title"] == "A"

    @pytest.mark.parametrize(
        ("pairs", "said"),
        [
            (["note=a", "note=b"], "note is given twice"),
            (["just words"], "is no name=value"),
            (["=a"], "is no name=value"),
        ],
    )
    def test_that_are_none_or_come_twice_are_refused(self, pairs: list[str], said: str) -> None:
        with pytest.raises(CommandError, match=said):
            told.read(CommandName.ADD_NOTE, pairs)

    def test_that_are_no_list_are_refused(self) -> None:
        with pytest.raises(CommandError, match="no JSON list"):
            told.read(CommandName.PROPOSE_PLAN, ["steps=[one, two]"])

    @pytest.mark.parametrize("command", CommandName)
    def test_of_every_command_can_be_explained(self, command: CommandName) -> None:
        for _, kind, needed, _ in told.explain(command):
            assert kind != "value"
            assert needed


class TestAnAssignee:
    @pytest.mark.parametrize("who", [ENGINEER, ENGINEER.upper(), "张伟"])
    def test_is_named_by_address_in_any_case_or_by_name(self, console: Console, number: str, who: str) -> None:
        assign = ("ticket", "do", number, "assign", "--as", SUPERVISOR.upper(), "reason=near", f"assignee={who}")

        assert "is assigned" in console.succeed(*assign)
        sheet = console.succeed("ticket", "show", number)
        assert "assignee: 张伟" in sheet
        assert "孙静 (supervisor)" in sheet
        assert "engineer 6" not in sheet

    def test_that_nobody_knows_is_refused(self, console: Console, number: str) -> None:
        assign = ("ticket", "do", number, "assign", "--as", SUPERVISOR, "reason=r", "assignee=nobody@example.com")

        assert "nobody@example.com" in console.refuse(*assign)

    def test_is_taken_by_no_command_that_needs_none(self, console: Console, number: str) -> None:
        note = ("ticket", "do", number, "add_note", "--as", SUPERVISOR, "note=n", f"assignee={ENGINEER}")

        assert "assignee: this command takes no such value" in console.refuse(*note)


class TestTheCommand:
    def test_shows_what_a_command_takes(self, console: Console) -> None:
        shown = console.succeed("ticket", "commands", "propose_plan")

        for words in ("deadline_at", "moment with zone", "repair", "steps", "yes", "no"):
            assert words in shown

    def test_refuses_an_empty_key(self, console: Console, number: str) -> None:
        assert "--key" in console.refuse("ticket", "do", number, "add_note", "--as", SUPERVISOR, "note=n", "--key", "")
        opening = ("ticket", "open", "漏水", "--name", "w", "--email", "w@example.com", "--key", " ")
        assert "--key" in console.refuse(*opening)
