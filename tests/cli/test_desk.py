"""What a clerk asks for every day: lists, staff, languages and regions."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from db.session import transaction
from tests.cli.conftest import ENGINEER, SUPERVISOR, Console

OPEN = ("ticket", "open", "空调不制冷", "--name", "王丽", "--email", "w@example.com")
TEAM = "东区服务部"


class TestAList:
    def test_by_a_state_that_is_an_end_shows_it_without_further_words(self, console: Console) -> None:
        number = console.succeed(*OPEN).split()[0]
        console.succeed("ticket", "do", number, "cancel", "--as", SUPERVISOR, "reason=a slip")

        assert number in console.succeed("ticket", "list", "--state", "cancelled")
        assert "--closed" in console.succeed("ticket", "list")
        assert number in console.succeed("ticket", "list", "--closed")

    def test_of_nothing_says_so(self, console: Console) -> None:
        assert console.succeed("ticket", "list") == "No tickets.\n"


class TestStaff:
    @pytest.mark.parametrize("name", ["", "  "])
    def test_have_a_name(self, used: Console, name: str) -> None:
        assert "name: " in used.refuse("staff", "add-team", name, "--tier", "1")
        add = ("staff", "add", name, "--role", "agent", "--team", TEAM, "--email", "neu@example.com")
        assert "name: " in used.refuse(*add)

    def test_are_told_apart_by_address_in_any_case(self, used: Console) -> None:
        add = ("staff", "add", "新人", "--role", "agent", "--team", TEAM, "--email", ENGINEER.replace("z", "Z"))

        assert "already" in used.refuse(*add)

    def test_read_a_language_that_there_is(self, used: Console) -> None:
        add = ("staff", "add", "新人", "--role", "agent", "--team", TEAM, "--email", "neu@example.com")

        sentence = used.refuse(*add, "--language", "fr")

        assert "'fr'" in sentence
        assert "en, zh-CN" in sentence
        assert "'fr'" in used.refuse(*OPEN, "--language", "fr")


class TestARegion:
    def test_that_no_team_serves_is_said(self, console: Console) -> None:
        with transaction(console.database) as connection:
            connection.execute(text("UPDATE teams SET region = 'east' WHERE region IS NULL"))

        assert "No team serves the region 'moon'" in console.succeed(*OPEN, "--region", "moon")
        other = ("ticket", "open", "洗衣机漏水", "--name", "b", "--email", "b@example.com", "--region", "east")
        assert "No team" not in console.succeed(*other)
