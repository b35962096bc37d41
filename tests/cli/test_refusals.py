"""Whatever an operator or a clerk gets wrong: one sentence on stderr that says what, exit code 1, no traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import fasteners
import pytest
from sqlalchemy import text

from db.session import transaction
from tests.cli.conftest import ENGINEER, SUPERVISOR, Console

OPEN = ("ticket", "open", "空调不制冷", "--name", "王丽")


@pytest.fixture(scope="module")
def ticket(used: Console) -> str:
    """The number of a new ticket."""
    return used.succeed(*OPEN, "--phone", "13800138000").split()[0]


class TestATicket:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("show", "TK-00099999"), "no ticket has the number TK-00099999"),
            (("show", "TK-9999999999"), "no ticket has the number TK-9999999999"),
            (("show", "nonsense"), "'nonsense' is no ticket number"),
            (("show", "TK-0"), "no ticket number"),
            (("show", "99999999999999999999"), "no ticket number"),
            (("do", "TK-00099999", "add_note", "--as", SUPERVISOR, "note=n"), "no ticket has the number"),
            (("list", "--assignee", "nobody@example.com"), "no active member of staff has the address"),
        ],
    )
    def test_that_does_not_exist_is_said(self, used: Console, arguments: tuple[str, ...], said: str) -> None:
        assert said in used.refuse("ticket", *arguments)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("complete", "--as", SUPERVISOR, "summary=s", "tested=true"), "'complete' is not possible while"),
            (("escalate_tier", "--as", ENGINEER, "assignee_id=1", "reason=r"), "not for the role 'engineer'"),
            (("confirm_completion", "--as", "customer", "signed_by=w"), "possible now: "),
            (("close", "--as", SUPERVISOR), "it is for: system"),
            (("add_note", "--as", "nobody@example.com", "note=n"), "no active member of staff has the address"),
            (("change_priority", "--as", SUPERVISOR, "impact=minor"), "reason: is missing"),
            (("change_priority", "--as", SUPERVISOR, "impact=huge", "reason=r"), "impact: "),
            (("add_note", "--as", SUPERVISOR, "note=n", "colour=red"), "colour: this command takes no such value"),
            (("add_note", "--as", SUPERVISOR), "note: is missing"),
            (("add_note", "--as", SUPERVISOR, "note="), "note: "),
            (("add_note", "--as", SUPERVISOR, "just words"), "'just words' is no name=value"),
            (
                ("report_delay", "--as", SUPERVISOR, "reason=r", "contingency=c", "expected_at=2030-01-01T10:00"),
                "expected_at: ",
            ),
            (
                ("report_delay", "--as", SUPERVISOR, "reason=r", "contingency=c", "expected_at=tomorrow"),
                "expected_at: ",
            ),
            (("add_note", "--as", SUPERVISOR, "note=n", "--photo", "missing.png"), "missing.png: No such file"),
        ],
    )
    def test_refuses_a_command_with_the_reason(
        self, used: Console, ticket: str, arguments: tuple[str, ...], said: str
    ) -> None:
        assert said in used.refuse("ticket", "do", ticket, *arguments)

    def test_is_not_assigned_to_somebody_of_an_absurd_id(self, used: Console) -> None:
        number = used.succeed("ticket", "open", "洗衣机漏水", "--name", "w", "--phone", "13800138005").split()[0]
        used.succeed("ticket", "do", number, "acknowledge", "--as", SUPERVISOR)

        for person, said in (("98765", "no active member of staff has the id 98765"), (str(10**30), "assignee_id: ")):
            assign = ("ticket", "do", number, "assign", "--as", SUPERVISOR, "reason=r", f"assignee_id={person}")
            assert said in used.refuse(*assign)

    def test_takes_no_photo_that_is_none(self, used: Console, ticket: str) -> None:
        note = ("ticket", "do", ticket, "add_note", "--as", SUPERVISOR, "note=with a photo")
        (used.home / "page.png").write_text("<html>")
        (used.home / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(10 * 1024 * 1024))
        (used.home / "empty.png").write_bytes(b"")

        assert "no JPEG, PNG or WebP" in used.refuse(*note, "--photo", "page.png")
        assert "larger than 10 MB" in used.refuse(*note, "--photo", "huge.png")
        assert "no JPEG, PNG or WebP" in used.refuse(*note, "--photo", "empty.png")
        assert "Is a directory" in used.refuse(*note, "--photo", ".")
        assert "with a photo" not in used.succeed("ticket", "show", ticket)

    def test_keeps_its_idempotency_key_for_one_command(self, used: Console, ticket: str) -> None:
        note = ("ticket", "do", ticket, "add_note", "--as", SUPERVISOR, "--key", "k-1")
        used.succeed(*note, "note=one")

        assert "(done before)" in used.succeed(*note, "note=one")
        assert "used for another command" in used.refuse(*note, "note=two")

    def test_is_not_commanded_by_a_word_that_is_no_command(self, used: Console, ticket: str) -> None:
        done = used.run("ticket", "do", ticket, "explode", "--as", SUPERVISOR)

        assert done.returncode == 2  # the usage error of every command line
        assert "'explode' is not one of" in done.stderr
        assert "Traceback" not in done.stderr


class TestAReport:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--phone", "12"), "phone: no such phone number exists"),
            (("--phone", "abc"), "phone: not a phone number"),
            (("--email", "nobody@"), "email: not an e-mail address"),
            ((), "give a phone number or an e-mail address"),
            (("--phone", "13800138001", "--as", "nobody@example.com"), "no active member of staff has the address"),
            (("--phone", "13800138001", "--product", "x" * 201), "product_model: "),
        ],
    )
    def test_that_lacks_something_is_refused(self, used: Console, arguments: tuple[str, ...], said: str) -> None:
        assert said in used.refuse(*OPEN, *arguments)

    def test_without_words_is_refused(self, used: Console) -> None:
        assert "description: " in used.refuse("ticket", "open", " ", "--name", "w", "--phone", "13800138002")


class TestSurveysAndCallbacks:
    SCORES = ("--efficiency", "5", "--attitude", "5", "--solution", "5")

    def test_a_score_of_six_is_refused(self, used: Console, ticket: str) -> None:
        assert "overall: " in used.refuse("survey", "answer", ticket, *self.SCORES, "--overall", "6")

    def test_a_ticket_without_a_survey_is_said(self, used: Console, ticket: str) -> None:
        assert ticket in used.refuse("survey", "answer", ticket, *self.SCORES, "--overall", "5")

    @pytest.mark.parametrize(
        ("number", "said"), [("98765", "no callback has the id 98765"), (str(10**30), "out of range")]
    )
    def test_an_unknown_callback_is_said(self, used: Console, number: str, said: str) -> None:
        assert said in used.refuse("callback", "done", number, "--as", SUPERVISOR, "--reason", "r")


class TestStaff:
    ADD = ("staff", "add", "新人", "--role", "agent")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--email", "neu@example.com", "--team", "nowhere"), "no team 'nowhere'; known are 东区服务部"),
            (("--email", "none", "--team", "东区服务部"), "email: "),
            (("--email", ENGINEER, "--team", "东区服务部"), "already"),
            (("--email", "n@example.com", "--team", "东区服务部", "--calendar", "moon"), "no calendar 'moon'"),
            (("--email", "n@example.com", "--team", "东区服务部", "--role", "customer"), "no role of staff"),
        ],
    )
    def test_that_cannot_be_added_is_said(self, used: Console, arguments: tuple[str, ...], said: str) -> None:
        assert said in used.refuse(*self.ADD, *arguments)

    def test_a_team_is_added_once(self, used: Console) -> None:
        assert "already" in used.refuse("staff", "add-team", "东区服务部", "--tier", "1")


class TestTheStandard:
    @pytest.mark.parametrize(
        ("figures", "said"),
        [
            ('[priorities.P1]\nresponse = "90 minutes"', "priorities.P1.response: '90 minutes' is no duration"),
            ('[priorities.P1]\nresponse = "30h"', "the response time is longer than the resolution time"),
            ("[callback]\nlow_score = 9", "callback.low_score: "),
            ("[calback]\nlow_score = 3", "calback: no such figure"),
            ("this is no TOML", "not readable as TOML"),
        ],
    )
    def test_with_an_absurd_figure_is_refused(self, used: Console, figures: str, said: str) -> None:
        own = used.home / "own.toml"
        own.write_text(figures)

        sentence = used.refuse("ticket", "list", AFTERCARE_STANDARD=str(own))

        assert said in sentence
        assert "own.toml" in sentence

    def test_that_is_missing_is_refused(self, used: Console) -> None:
        assert "missing.toml: no such file" in used.refuse("ticket", "list", AFTERCARE_STANDARD="missing.toml")

    def test_that_is_a_folder_is_refused(self, used: Console) -> None:
        assert "not readable" in used.refuse("ticket", "list", AFTERCARE_STANDARD=str(used.home))


class TestTheDatabase:
    @pytest.mark.parametrize(
        "arguments",
        [("ticket", "list"), ("db", "upgrade"), ("db", "check"), ("staff", "list"), (*OPEN, "--phone", "13800138000")],
    )
    def test_that_is_down_is_said(self, used: Console, arguments: tuple[str, ...]) -> None:
        url = "postgresql://clerk:secret@127.0.0.1:1/aftercare"

        sentence = used.refuse(*arguments, AFTERCARE_DATABASE_URL=url)

        assert "no database answers at postgresql://clerk:***@127.0.0.1:1/aftercare" in sentence
        assert "secret" not in sentence

    @pytest.mark.parametrize(
        "url",
        [
            "mysql://localhost/aftercare",
            "localhost/aftercare",
            "postgresql://localhost:port/aftercare",
            "postgresql://[::1/aftercare",
            "postgresql://localhost/aftercare?nonsense=1",
        ],
    )
    def test_whose_address_is_none_is_refused(self, used: Console, url: str) -> None:
        assert "AFTERCARE_DATABASE_URL" in used.refuse("ticket", "list", AFTERCARE_DATABASE_URL=url)

    @pytest.mark.parametrize("arguments", [("ticket", "list"), ("db", "check"), ("db", "seed"), ("callback", "list")])
    def test_that_was_not_migrated_is_said(
        self, used: Console, empty_database: str, arguments: tuple[str, ...]
    ) -> None:
        url = empty_database.replace("+psycopg", "")

        assert "run 'aftercare db upgrade'" in used.refuse(*arguments, AFTERCARE_DATABASE_URL=url)

    def test_of_a_later_version_is_not_touched(self, console: Console) -> None:
        with transaction(console.database) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        sentence = console.refuse("ticket", "list")

        assert "9999, which this version does not know" in sentence
        assert console.refuse("db", "upgrade") == sentence

    def test_whose_tables_differ_is_described(self, console: Console) -> None:
        with transaction(console.database) as connection:
            connection.execute(text("ALTER TABLE customers DROP COLUMN region"))
            connection.execute(text("ALTER TABLE staff ADD COLUMN hobby text"))
            connection.execute(text("ALTER TABLE staff ALTER COLUMN name DROP NOT NULL"))

        shown = console.run("db", "check").stdout

        assert "schema: column customers.region is missing" in shown
        assert "schema: column staff.hobby is not of this version" in shown
        assert "schema: column staff.name may be empty and must not" in shown

    def test_whose_history_was_altered_is_found_by_check_and_doctor(self, console: Console) -> None:
        number = console.succeed(*OPEN, "--phone", "13800138000").split()[0]
        with transaction(console.database) as connection:
            connection.execute(text("ALTER TABLE ticket_events DISABLE TRIGGER USER"))
            connection.execute(text("UPDATE ticket_events SET facts = '{}'"))

        check, doctor = console.run("db", "check"), console.run("doctor")

        assert check.returncode == doctor.returncode == 1
        assert f"history: {number}: event 1 was altered" in check.stdout
        assert f"{number}: event 1 was altered" in doctor.stdout


class TestTheSettings:
    @pytest.mark.parametrize(
        ("variables", "said"),
        [
            ({"AFTERCARE_STANDARD": ""}, "AFTERCARE_STANDARD: is empty"),
            ({"AFTERCARE_TEMPLATES": " "}, "AFTERCARE_TEMPLATES: is empty"),
            ({"AFTERCARE_HOME": ""}, "AFTERCARE_HOME: is empty"),
            ({"AFTERCARE_PUBLIC_URL": "foo"}, "AFTERCARE_PUBLIC_URL: must be an address like https://"),
            ({"AFTERCARE_PUBLIC_URL": "https://"}, "AFTERCARE_PUBLIC_URL: must be"),
            ({"AFTERCARE_PUBLIC_URL": "https://a b.example"}, "AFTERCARE_PUBLIC_URL: must be"),
            ({"AFTERCARE_PUBLIC_URL": "ftp://a.example"}, "AFTERCARE_PUBLIC_URL: must be"),
            ({"AFTERCARE_PUBLIC_URL": "https://a.example?x=1"}, "AFTERCARE_PUBLIC_URL: must be"),
            ({"AFTERCARE_WEB_PORT": "4300", "AFTERCARE_PREFECT_PORT": "4300"}, "are both 4300"),
            ({"TWILIO_AUTH_TOKEN": "geheim sache"}, "TWILIO_AUTH_TOKEN: has a blank"),
            ({"SENDGRID_API_KEY": "geheim\u200b"}, "SENDGRID_API_KEY: has a blank"),
            ({"TWILIO_ACCOUNT_SID": "geheim\n"}, "TWILIO_ACCOUNT_SID: has a blank"),
        ],
    )
    def test_that_can_only_be_a_slip_are_refused(self, used: Console, variables: dict[str, str], said: str) -> None:
        sentence = used.refuse("ticket", "list", **variables)

        assert said in sentence
        assert "geheim" not in sentence

    def test_with_a_home_that_cannot_be_made_are_refused(self, used: Console) -> None:
        (used.home / "a_file").write_text("x")
        home = str(used.home / "a_file" / "home")

        for arguments in (("up",), ("demo",)):
            assert "AFTERCARE_HOME" in used.refuse(*arguments, AFTERCARE_HOME=home)


class TestTheDoctor:
    def test_says_durations_as_people_write_them(self, console: Console) -> None:
        console.succeed(*OPEN, "--phone", "13800138000")

        shown = console.run("doctor").stdout

        assert "P1 " in shown
        assert "day," not in shown
        assert "0:30:00" not in shown

    def test_sends_whoever_finds_failed_messages_to_their_list(self, console: Console) -> None:
        number = console.succeed(*OPEN, "--phone", "13800138000").split()[0]
        console.succeed("ticket", "do", number, "acknowledge", "--as", SUPERVISOR)
        with transaction(console.database) as connection:
            connection.execute(
                text(
                    "UPDATE messages SET state = 'failed', error_code = '30003', body = 'x', address = '+8613800138000'"
                )
            )

        shown = console.run("doctor").stdout

        assert "failed" in shown
        assert "aftercare message list" in shown
        assert "30003" in console.succeed("message", "list")

    def test_keeps_the_cause_of_a_failed_connection(self, console: Console) -> None:
        shown = console.run("doctor", AFTERCARE_DATABASE_URL="postgresql://u:secret@127.0.0.1:1/x").stdout

        assert "refused" in shown
        assert "secret" not in shown


class TestUp:
    def test_is_refused_while_a_port_is_in_use(self, used: Console) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])

            assert f"port {port}" in used.refuse("up", AFTERCARE_PREFECT_PORT=port)
            sentence = used.refuse("up", AFTERCARE_WEB_PORT=port, AFTERCARE_PREFECT_PORT=str(_free_port()))

        assert f"port {port}" in sentence
        assert "AFTERCARE_WEB_PORT" in sentence

    def test_is_refused_a_second_time_on_the_same_home(self, used: Console, tmp_path: Path) -> None:
        lock = fasteners.InterProcessLock(tmp_path / "up.lock")
        assert lock.acquire(blocking=False)

        try:
            assert "is up already" in used.refuse("up", AFTERCARE_HOME=str(tmp_path))
        finally:
            lock.release()

    @pytest.mark.parametrize("port", ["0", "70000", "web"])
    def test_is_refused_with_a_port_that_is_none(self, used: Console, port: str) -> None:
        assert "AFTERCARE_WEB_PORT" in used.refuse("up", AFTERCARE_WEB_PORT=port)


class TestReplay:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("missing.csv", "--map", "helpdesk_log"), "missing.csv: no such log"),
            (("missing.csv", "--map", "missing"), "missing: no such map"),
            (("other.csv", "--map", "helpdesk_log"), "the log has no column"),
            ((".", "--map", "helpdesk_log"), "not readable"),
            (("other.csv", "--map", "other.csv"), "not readable as TOML"),
        ],
    )
    def test_of_what_is_no_log_is_refused(self, used: Console, arguments: tuple[str, ...], said: str) -> None:
        (used.home / "other.csv").write_text("a;b\n1;2\n")

        assert said in used.refuse("replay", *arguments)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
