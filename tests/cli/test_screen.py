"""What people wrote is printed as they wrote it: no markup, no control codes, nothing cut in a pipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.screen import Grid, Screen, clean, fold
from tests.cli.conftest import ENGINEER, SUPERVISOR, Console

LOG_HEADER = "Case ID,Activity,Resource,Complete Timestamp,customer,product,seriousness_2\n"


class TestTheWordsOfACustomer:
    def test_are_no_markup(self, console: Console) -> None:
        said = "It says [/] and [bold]nothing[/bold] [link=x]"
        opened = console.succeed("ticket", "open", said, "--name", "[red]Evil[/]", "--email", "e@example.com")
        number = opened.split()[0]
        console.succeed("ticket", "do", number, "add_note", "--as", SUPERVISOR, "note=[/i] [nope]")

        assert said in console.succeed("ticket", "list")
        sheet = console.succeed("ticket", "show", number)

        assert "[red]Evil[/]" in sheet
        assert "[/i] [nope]" in sheet

    def test_command_no_terminal(self, console: Console) -> None:
        said = "Title \x1b]0;pwned\x07 \x1b[2J \x9b31m \u202egnorw"
        number = console.succeed("ticket", "open", said, "--name", "A\x1bB", "--email", "e@example.com").split()[0]

        shown = console.succeed("ticket", "list") + console.succeed("ticket", "show", number)

        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
        assert "␛]0;pwned␇" in shown

    def test_in_a_refusal_are_shown_literally(self, console: Console) -> None:
        assert "[/b]" in console.refuse("ticket", "show", "[/b]\x1b")

    def test_in_a_log_survive_the_replay(self, console: Console) -> None:
        (console.home / "log[1].csv").write_text(
            LOG_HEADER
            + "Case 1,Assign seriousness,[/b] Eve,2012/10/09 14:50:17.000,[red]C,P,Value 1\n"
            + "Case 1,Dance [/b],V1,2012/10/09 14:51:01.000,[red]C,P,Value 1\n"
        )

        told = console.succeed("replay", "log[1].csv", "--map", "helpdesk_log", "--report", "r.json")

        assert "Dance [/b]" in told
        assert (console.home / "r.json").exists()


class TestATable:
    def test_in_a_pipe_is_as_wide_as_its_rows(self, console: Console) -> None:
        description = "The " + "very " * 60 + "end"
        number = console.succeed("ticket", "open", description, "--name", "w", "--email", "e@example.com").split()[0]

        assert description in console.succeed("ticket", "show", number, COLUMNS="80")

    def test_on_a_narrow_terminal_never_cuts_what_is_copied(self, capsys: pytest.CaptureFixture[str]) -> None:
        screen = Screen()
        screen.width = 40
        grid = Grid("Address", "Name", "Duty", whole={"Address"})
        grid.row("a.very.long.name.indeed@aftercare.example", "A name of several words", "always")

        screen.show(grid)

        assert "a.very.long.name.indeed@aftercare.example" in capsys.readouterr().out
        assert screen.width == 40

    def test_of_staff_shows_ids_and_whole_addresses(self, console: Console) -> None:
        shown = console.succeed("staff", "list", COLUMNS="60")

        assert ENGINEER in shown
        assert "Id" in shown


class TestFolding:
    LINK = "http://127.0.0.1:8080/t/eyJhbGciOiJIUzI1NiJ9.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

    @pytest.mark.parametrize(
        "text", ["您好，您的报修已受理。详情：{}。谢谢您的耐心等待", "Look at {} please, and answer"]
    )
    def test_keeps_links_whole_and_ends_no_line_in_a_blank(self, text: str) -> None:
        lines = list(fold(text.format(self.LINK), 30))

        assert any(self.LINK in line for line in lines)
        assert [line for line in lines if line != line.rstrip()] == []
        assert "".join("".join(lines).split()) == "".join(text.format(self.LINK).split())

    def test_counts_chinese_characters_as_two_cells(self) -> None:
        assert list(fold("空调不制冷昨天开始", 10)) == ["空调不制冷", "昨天开始"]


def test_clean_keeps_lines_only_where_it_is_told(tmp_path: Path) -> None:
    assert clean("a\r\nb\tc\x00\udc80") == "a ⏎ b c␀\ufffd"
    assert clean("a\nb", lines=True) == "a\nb"
