"""A mail server's refusals and silences, stage by stage: only what is lost after the last line is unclear."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import UnreadableError, WebhookRequest
from channels.smtp_email import SmtpEmail
from domain.delivery import Accepted, CannotTell, NotSent, Outcome, Rejected, Remedy, Stopped, Unknown
from tests.channels.conftest import ADDRESS, PICTURE, SHEET, attempt_of, letter, raw_server, smtp_at
from tests.vendors.fixtures import free_port
from tests.vendors.smtp_server import PASSWORD, USERNAME, MailServer, PostOffice

UNSUBSCRIBE = "https://aftercare.example/unsubscribe/" + "abcdefghij" * 12


class TestWhatIsHandedOver:
    def test_a_mail_arrives_with_both_forms_and_its_headers(self, mail_server: MailServer, now: datetime) -> None:
        outcome = smtp_at(mail_server).send(letter(7, unsubscribe_url=UNSUBSCRIBE), now=now)

        (mail,) = mail_server.office.mails
        assert outcome == Accepted(mail["Message-ID"])
        assert mail["From"] == "售后 <care@aftercare.example>"
        assert (mail["To"], mail["Subject"]) == (ADDRESS, letter(7).subject)
        assert mail["Date"] == "Tue, 24 Nov 2026 02:00:00 +0000"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert [part.get_content().strip() for part in mail.iter_parts()] == [letter().body, letter().html]
        assert mail_server.office.envelopes == [("care@aftercare.example", [ADDRESS])]

    def test_its_date_is_the_moment_of_sending_in_utc(self, mail_server: MailServer, now: datetime) -> None:
        smtp_at(mail_server).send(letter(), now=now.astimezone(ZoneInfo("Asia/Shanghai")))

        assert mail_server.office.mails[0]["Date"] == "Tue, 24 Nov 2026 02:00:00 +0000"

    def test_a_long_address_to_unsubscribe_is_written_as_it_is(self, mail_server: MailServer, now: datetime) -> None:
        smtp_at(mail_server).send(letter(unsubscribe_url=UNSUBSCRIBE), now=now)

        (raw,) = mail_server.office.raw
        assert f"\r\nList-Unsubscribe: <{UNSUBSCRIBE}>\r\n".encode() in raw
        assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw

    def test_a_resend_is_the_same_mail_and_another_message_is_another(
        self, mail_server: MailServer, now: datetime
    ) -> None:
        smtp = smtp_at(mail_server)
        for message in (letter(1), letter(1, attempt=2), letter(2), letter(1, body="other words")):
            assert isinstance(smtp.send(message, now=now), Accepted)

        first, again, second, other = (mail["Message-ID"] for mail in mail_server.office.mails)
        assert first == again
        assert len({first, second, other}) == 3

    def test_a_picture_stands_beside_its_html_and_a_sheet_is_attached(
        self, mail_server: MailServer, now: datetime
    ) -> None:
        smtp_at(mail_server).send(letter(enclosures=[PICTURE, SHEET]), now=now)

        (mail,) = mail_server.office.mails
        (sheet,) = mail.iter_attachments()
        assert (sheet.get_filename(), sheet.get_content()) == (SHEET.name, SHEET.content)
        words = mail.get_body(("related",))
        assert words is not None
        html, picture = words.iter_parts()
        assert html.get_content().strip() == letter().html
        assert (picture["Content-ID"], picture.get_content_disposition()) == ("<promises>", "inline")
        assert picture.get_content() == PICTURE.content
        text = mail.get_body(("plain",))
        assert text is not None
        assert text.get_content().strip() == letter().body

    def test_lines_that_begin_with_a_dot_arrive_whole(self, mail_server: MailServer, now: datetime) -> None:
        body = ".\r\n..two\r\n.\r\nQUIT\r\nend"
        smtp_at(mail_server).send(letter(body=body, html=None), now=now)

        assert mail_server.office.mails[0].get_content().splitlines() == body.splitlines()

    def test_a_line_break_in_a_subject_makes_no_header(self, mail_server: MailServer, now: datetime) -> None:
        smtp_at(mail_server).send(letter(subject="TK-1\r\nBcc: evil@example.com\n\nbody"), now=now)

        (mail,) = mail_server.office.mails
        assert mail["Bcc"] is None
        assert mail["Subject"] == "TK-1 Bcc: evil@example.com body"
        assert mail_server.office.envelopes[0][1] == [ADDRESS]

    @pytest.mark.parametrize(
        "address",
        [
            *("", "@", "li", "li@", "@example.com", "li@example..com", "王@example.com", "a b@example.com"),
            *("a@example.com, b@example.com", "<li@example.com>"),
            *("li@example.com\r\nBcc: evil@example.com", "li@example.com>\r\nDATA"),
        ],
    )
    def test_an_address_that_no_mail_can_hold_is_bad(
        self, mail_server: MailServer, address: str, now: datetime
    ) -> None:
        outcome = smtp_at(mail_server).send(letter(address=address), now=now)

        assert outcome == Rejected("address", Remedy.BAD_ADDRESS)
        assert mail_server.office.mails == []

    def test_a_domain_beyond_ascii_is_written_in_ascii(self, mail_server: MailServer, now: datetime) -> None:
        smtp_at(mail_server).send(letter(address="li@例子.中国"), now=now)

        assert mail_server.office.envelopes[0][1] == ["li@xn--fsqu00a.xn--fiqs8s"]

    @given(address=st.text(max_size=30) | st.emails())
    def test_no_address_breaks_the_transport(self, address: str) -> None:
        # Nobody listens: what can be written comes as far as the connection.
        smtp = smtp_at(MailServer("127.0.0.1", 1, PostOffice()))

        outcome = smtp.send(letter(address=address), now=datetime.fromisoformat("2026-11-24T02:00:00+00:00"))

        assert outcome in {Rejected("address", Remedy.BAD_ADDRESS), NotSent("no_connection")}


class TestStages:
    @pytest.mark.parametrize(
        ("stage", "reply", "outcome"),
        [
            ("HELO", "421 busy", NotSent("421")),
            ("HELO", "554 no", Stopped("554")),
            ("HELO", "drop", NotSent("no_connection")),
            ("MAIL", "451 4.3.0 later", NotSent("451")),
            ("MAIL", "550 5.7.1 not your sender", Stopped("550 5.7.1")),
            ("MAIL", "530 5.7.0 log in first", Stopped("530 5.7.0")),
            ("MAIL", "552 5.3.4 too large", Rejected("552 5.3.4")),
            ("MAIL", "drop", NotSent("connection_lost")),
            ("RCPT", "450 4.2.0 greylisted", NotSent("450")),
            ("RCPT", "452 4.2.2 full", NotSent("452")),
            ("RCPT", "550 no such user", Rejected("550", Remedy.BAD_ADDRESS)),
            ("RCPT", "550 5.1.1 no such user", Rejected("550 5.1.1", Remedy.BAD_ADDRESS)),
            ("RCPT", "550 5.7.1 policy", Rejected("550 5.7.1", Remedy.OTHER_MEDIUM)),
            ("RCPT", "552 5.2.2 full", Rejected("552 5.2.2", Remedy.TRY_LATER)),
            ("RCPT", "553 5.1.8 your sender", Stopped("553 5.1.8")),
            ("RCPT", "599 news", Rejected("599")),
            ("RCPT", "drop", NotSent("connection_lost")),
            ("DATA", "451 4.3.0 later", NotSent("451")),
            ("DATA", "554 5.5.1 no valid recipients", Rejected("554 5.5.1")),
            ("DATA", "drop", NotSent("connection_lost")),
            ("DOT", "451 4.7.1 later", NotSent("451")),
            ("DOT", "550 5.7.1 spam", Rejected("550 5.7.1", Remedy.OTHER_MEDIUM)),
            ("DOT", "554 spam", Rejected("554", Remedy.OTHER_MEDIUM)),
            ("DOT", "552 5.3.4 too large", Rejected("552 5.3.4")),
            ("DOT", "drop", Unknown("connection_lost")),
            ("DOT", "garbage", Unknown("unreadable_answer")),
        ],
    )
    def test_each_stage_has_its_outcome(
        self, mail_server: MailServer, stage: str, reply: str, outcome: Outcome, now: datetime
    ) -> None:
        smtp = smtp_at(mail_server)
        mail_server.office.order(stage, reply)

        assert smtp.send(letter(), now=now) == outcome
        assert len(mail_server.office.mails) == (1 if outcome == Unknown("connection_lost") else 0)
        assert isinstance(smtp.send(letter(2), now=now), Accepted)

    def test_where_nobody_listens_nothing_has_left(self, now: datetime) -> None:
        smtp = smtp_at(MailServer("127.0.0.1", free_port(), PostOffice()))

        assert smtp.send(letter(), now=now) == NotSent("no_connection")
        assert replace(smtp, host="nobody.invalid").send(letter(), now=now) == NotSent("no_connection")

    @pytest.mark.parametrize(
        "greeting", [b"", b"554 5.7.1 your address is blocked\r\n", b"\xff\xfe\r\n", b"421 busy\r\n"]
    )
    def test_a_greeting_that_is_none_sent_nothing(self, greeting: bytes, now: datetime) -> None:
        with raw_server(lambda connection: connection.sendall(greeting)) as port:
            outcome = smtp_at(MailServer("127.0.0.1", port, PostOffice())).send(letter(), now=now)

        assert isinstance(outcome, Stopped if greeting.startswith(b"5") else NotSent)

    def test_a_server_that_says_nothing_is_waited_for_no_longer_than_the_timeout(self, now: datetime) -> None:
        def wait(connection: socket.socket) -> None:
            connection.recv(1)

        with raw_server(wait) as port:
            assert smtp_at(MailServer("127.0.0.1", port, PostOffice())).send(letter(), now=now) == NotSent(
                "no_connection"
            )

    def test_a_server_that_says_nothing_after_the_last_line_may_have_the_mail(self, now: datetime) -> None:
        def serve(connection: socket.socket) -> None:
            connection.sendall(b"220 hello\r\n")
            lines = connection.makefile("rb")
            for _ in range(3):
                lines.readline()
                connection.sendall(b"250 fine\r\n")
            lines.readline()
            connection.sendall(b"354 go on\r\n")
            while lines.readline() != b".\r\n":
                pass
            lines.readline()

        with raw_server(serve) as port:
            assert smtp_at(MailServer("127.0.0.1", port, PostOffice())).send(letter(), now=now) == Unknown(
                "connection_lost"
            )


class TestSecurity:
    def test_a_login_is_used_where_it_is_given(self, mail_server: MailServer, now: datetime) -> None:
        smtp = smtp_at(mail_server, username=USERNAME, password=PASSWORD)

        assert isinstance(smtp.send(letter(), now=now), Accepted)

    def test_a_refused_login_stops_everything(self, mail_server: MailServer, now: datetime) -> None:
        smtp = smtp_at(mail_server, username=USERNAME, password="wrong")

        assert smtp.send(letter(), now=now) == Stopped("535 5.7.8")
        assert mail_server.office.mails == []

    def test_a_refused_login_is_remembered_when_the_server_hangs_up(self, now: datetime) -> None:
        def serve(connection: socket.socket) -> None:
            lines = connection.makefile("rb")
            for reply in (b"220 hello", b"250-hello\r\n250 AUTH PLAIN LOGIN", b"535 5.7.3 no"):
                connection.sendall(reply + b"\r\n")
                lines.readline()

        with raw_server(serve) as port:
            smtp = smtp_at(MailServer("127.0.0.1", port, PostOffice()), username=USERNAME, password="wrong")
            assert smtp.send(letter(), now=now) == Stopped("535 5.7.3")

    def test_a_login_that_cannot_be_written_stops_everything(self, mail_server: MailServer, now: datetime) -> None:
        smtp = smtp_at(mail_server, username="用户", password=PASSWORD)

        assert smtp.send(letter(), now=now) == Stopped("auth_not_ascii")

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_tls_with_a_trusted_certificate_delivers(
        self, request: pytest.FixtureRequest, security: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        server: MailServer = request.getfixturevalue(f"{security}_server")
        smtp = smtp_at(server, security=security, username=USERNAME, password=PASSWORD)

        assert isinstance(smtp.send(letter(), now=request.getfixturevalue("now")), Accepted)
        assert len(server.office.mails) == 1

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_a_certificate_that_nobody_trusts_sent_nothing(
        self, request: pytest.FixtureRequest, security: str, now: datetime
    ) -> None:
        server: MailServer = request.getfixturevalue(f"{security}_server")
        smtp = smtp_at(server, security=security, username=USERNAME, password=PASSWORD)

        assert smtp.send(letter(), now=now) == NotSent("tls_failed")
        assert server.office.mails == []

    def test_a_server_without_starttls_gets_nothing_in_the_open(self, mail_server: MailServer, now: datetime) -> None:
        smtp = smtp_at(mail_server, security="starttls", username=USERNAME, password=PASSWORD)

        assert smtp.send(letter(), now=now) == Stopped("starttls_missing")

    def test_a_server_that_wants_tls_first_stops_everything(self, starttls_server: MailServer, now: datetime) -> None:
        assert smtp_at(starttls_server).send(letter(), now=now) == Stopped("530")

    def test_a_server_without_logins_stops_everything(self, starttls_server: MailServer, now: datetime) -> None:
        smtp = smtp_at(starttls_server, username=USERNAME, password=PASSWORD)  # it offers them only behind TLS

        assert smtp.send(letter(), now=now) == Stopped("auth_missing")

    def test_the_password_is_never_shown(self, mail_server: MailServer) -> None:
        assert PASSWORD not in repr(smtp_at(mail_server, username=USERNAME, password=PASSWORD))


def test_a_mail_server_can_neither_be_asked_nor_calls_back(mail_server: MailServer) -> None:
    smtp: SmtpEmail = smtp_at(mail_server)

    assert smtp.lookup(attempt_of(letter())) == CannotTell("smtp_has_no_lookup", is_final=True)
    with pytest.raises(UnreadableError):
        smtp.parse_webhook(WebhookRequest("https://aftercare.example", {}, b""))
