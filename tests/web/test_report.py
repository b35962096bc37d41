"""The public form: a report becomes one ticket, whatever happens on the way, and a stranger learns nothing by it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text

from db import attachments, events, form_photos
from db.session import transaction
from domain.pictures import LARGEST
from tests.pictures import bomb, picture, picture_with_position
from tests.web.conftest import Site

KEY = "0123456789abcdef0123456789abcdef"
GOOD = {
    "form_key": KEY,
    "step": "send",
    "name": "Ann Smith",
    "phone": "+44 20 7946 0958",
    "language": "en",
    "description": "The fridge leaks",
    "impact": "partial",
    "danger": "no",
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-CN"])
Files = list[tuple[str, tuple[str, bytes, str]]]


def send(site: Site, files: Files | None = None, *, language: str = "en", **typed: str) -> Response:
    # A part without a name makes the form multipart even without photos, as a browser sends it.
    sent = files or [("photo", ("", b"", "application/octet-stream"))]
    return site.client.post("/report", params={"lang": language}, data=GOOD | typed, files=sent, follow_redirects=False)


def photo(name: str = "tap.jpg", content: bytes | None = None) -> tuple[str, tuple[str, bytes, str]]:
    return ("photo", (name, picture() if content is None else content, "image/jpeg"))


def rows(site: Site, table: str) -> list[dict[str, Any]]:
    with transaction(site.database) as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings()]


def accepted(site: Site, answer: Response) -> str:
    """The page after a report that was taken."""
    assert answer.status_code == 303, answer.text
    return site.client.get(answer.headers["location"]).text


def other_key(number: int) -> str:
    return f"{number:032x}"


@LANGUAGES
def test_the_empty_form_stores_nothing_and_sets_no_cookie(site: Site, language: str) -> None:
    before = site.everything()

    shown = site.client.get("/report", params={"lang": language})

    assert shown.status_code == 200
    assert f'<html lang="{language}">' in shown.text
    assert len(shown.content) < 50_000
    assert "set-cookie" not in shown.headers
    assert "<script" not in shown.text
    assert site.everything() == before
    assert re.search(r'name="form_key" value="[0-9a-f]{32}"', shown.text)


def test_a_report_becomes_a_ticket_with_everything_that_was_said(site: Site) -> None:
    answer = send(
        site,
        [photo(content=picture_with_position())],
        category="complaint",
        danger="yes",
        occurred_at="2026-01-02T09:30",
        usage_context="cooling",
        wish="a new one",
        product_model="KF-35",
        serial_number="SN 1",
        order_number="O-7",
        region="east",
        medium="sms",
        anonymous="1",
    )
    page = accepted(site, answer)

    (ticket,) = rows(site, "tickets")
    (customer,) = rows(site, "customers")
    assert (ticket["channel"], ticket["category"], ticket["suggested_category"]) == (
        "web",
        "complaint",
        "product_fault",
    )
    assert (ticket["priority"], ticket["is_safety_risk"], ticket["impact"]) == ("P1", True, "partial")
    assert (ticket["product_model"], ticket["serial_number"], ticket["order_number"]) == ("KF-35", "SN 1", "O-7")
    assert (ticket["usage_context"], ticket["wish"]) == ("cooling", "a new one")
    assert ticket["occurred_at"].isoformat() == "2026-01-02T01:30:00+00:00"
    assert (customer["phone"], customer["language"], customer["region"]) == ("+442079460958", "en", "east")
    assert customer["wants_anonymity"]
    with transaction(site.database) as connection:
        (kept,) = attachments.list_of(connection, ticket["id"])
        (opened,) = events.list_of(connection, ticket["id"])
        assert kept["event_id"] == opened["id"]
        assert b"Exif" not in attachments.get(connection, kept["id"]).content
    assert rows(site, "form_photos") == []
    assert ticket["number"] in page
    assert "The fridge leaks" in page
    assert "They contact you by" in page
    assert "/progress/" in page


@LANGUAGES
def test_the_receipt_speaks_the_readers_language_and_leads_to_the_progress(site: Site, language: str) -> None:
    page = accepted(site, send(site, language=language))

    link = re.search(r'href="(/progress/[^"]+)"', page)
    assert link
    assert f'<html lang="{language}">' in page
    assert site.client.get(link[1]).status_code == 200


def test_a_double_tap_and_a_reload_make_one_ticket(site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(site, serial_number="SN 1"), range(8)))

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(rows(site, "tickets")) == 1


def test_the_same_form_with_other_words_is_sent_only_after_asking(site: Site) -> None:
    accepted(site, send(site))
    again = send(site, description="The oven stays cold")

    assert again.status_code == 422
    assert "sent already" in again.text
    key = re.search(r'name="form_key" value="([0-9a-f]{32})"', again.text)
    assert key
    assert key[1] != KEY
    accepted(site, send(site, form_key=key[1], description="The oven stays cold"))
    assert len(rows(site, "tickets")) == 2


@LANGUAGES
def test_every_fault_stands_beside_its_field_and_nothing_is_stored(site: Site, language: str) -> None:
    before = site.everything()

    answer = send(site, language=language, name="", phone="12", impact="", wish="<b>kept</b>", occurred_at="never")

    assert answer.status_code == 422
    for name in ("name", "phone", "impact", "occurred_at"):
        assert f'id="{name}-fault"' in answer.text
        assert f'href="#{name}"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 4
    assert "&lt;b&gt;kept&lt;/b&gt;" in answer.text
    assert "The fridge leaks" in answer.text
    assert 'value="12"' in answer.text
    assert site.everything() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GIF89a<script>", "no JPEG, PNG or WebP"),
        (b"", "no JPEG, PNG or WebP"),
        (picture()[:200], "damaged"),
        (bomb(), "too many pixels"),
        (picture() + bytes(LARGEST), "larger than 10 MB"),
        (bytes(30 * 1024 * 1024), "larger than 10 MB"),
    ],
)
def test_a_file_that_is_no_photo_is_refused_beside_its_field(site: Site, content: bytes, said: str) -> None:
    answer = send(site, [photo("../../x.jpg", content)])

    assert answer.status_code == 422
    assert said in answer.text
    assert rows(site, "tickets") == []
    assert rows(site, "form_photos") == []


def test_photos_are_kept_while_something_else_is_mended(site: Site) -> None:
    first = send(site, [photo("a.jpg"), photo("b.png", picture("PNG"))], name="")
    assert "a.jpg" in first.text
    assert "b.png" in first.text
    dropped = rows(site, "form_photos")[0]["id"]

    page = accepted(site, send(site, drop=str(dropped)))

    assert "<dt>Photos</dt><dd>1</dd>" in page
    with transaction(site.database) as connection:
        assert [p["file_name"] for p in attachments.list_of(connection, rows(site, "tickets")[0]["id"])] == ["b.png"]


def test_more_than_six_photos_are_too_many_and_six_are_kept(site: Site) -> None:
    seven = [photo(f"{number}.jpg", picture(size=(64 + number, 48))) for number in range(7)]

    answer = send(site, seven)

    assert answer.status_code == 422
    assert "At most 6 photos" in answer.text
    assert len(rows(site, "form_photos")) == 6
    assert "<dt>Photos</dt><dd>6</dd>" in accepted(site, send(site))


def test_the_photos_of_one_form_are_not_seen_or_dropped_by_another(site: Site) -> None:
    send(site, [photo("mine.jpg")], name="")
    (mine,) = rows(site, "form_photos")

    answer = send(site, form_key=other_key(1), name="", drop=str(mine["id"]))

    assert "mine.jpg" not in answer.text
    assert len(rows(site, "form_photos")) == 1


def test_photos_of_a_form_that_was_given_up_are_forgotten_after_a_day(site: Site) -> None:
    send(site, [photo("old.jpg")], name="")
    with transaction(site.database) as connection:
        connection.execute(text("UPDATE form_photos SET added_at = added_at - interval '25 hours'"))

    send(site, [photo("new.png", picture("PNG"))], name="", form_key=other_key(1))

    assert [row["file_name"] for row in rows(site, "form_photos")] == ["new.png"]
    assert form_photos.KEPT_FOR.days == 1


def test_switching_the_language_keeps_what_was_typed(site: Site) -> None:
    answer = send(site, [photo("a.jpg")], language="zh-CN", step="show", name="")

    assert answer.status_code == 200
    assert "问题反馈" in answer.text
    assert "The fridge leaks" in answer.text
    assert "a.jpg" in answer.text
    assert "-fault" not in answer.text


class TestAKnownFault:
    """S-07: the sender is asked before a report joins; of the open ticket nothing is told but number and device."""

    @pytest.fixture
    def number(self, site: Site) -> str:
        accepted(site, send(site, serial_number="SN 1", product_model="KF-35", description="SECRET words"))
        return str(rows(site, "tickets")[0]["number"])

    def test_the_sender_is_asked_and_everything_typed_is_kept(self, site: Site, number: str) -> None:
        answer = send(site, [photo()], form_key=other_key(2), serial_number="sn 1", wish="soon")

        assert answer.status_code == 200
        assert f"Is this {number}?" in answer.text
        assert "SECRET" not in answer.text
        assert 'name="wish" value="soon"' in answer.text
        assert "1 photo" in answer.text
        assert len(rows(site, "tickets")) == 1

    def test_yes_adds_words_and_photos_to_the_open_ticket(self, site: Site, number: str) -> None:
        asked: dict[str, str] = {"form_key": other_key(2), "serial_number": "SN 1"}
        send(site, [photo()], **asked)

        page = accepted(site, send(site, step="same", alike=number, **asked))

        assert number in page
        assert "/progress/" not in page
        (ticket,) = rows(site, "tickets")
        with transaction(site.database) as connection:
            again = events.list_of(connection, ticket["id"])[-1]
            (kept,) = attachments.list_of(connection, ticket["id"])
        assert (again["kind"], kept["event_id"]) == ("report_again", again["id"])
        assert accepted(site, send(site, step="same", alike=number, **asked)) == page

    def test_no_opens_another_even_with_the_same_words(self, site: Site, number: str) -> None:
        accepted(
            site, send(site, form_key=other_key(2), serial_number="SN 1", description="SECRET words", step="another")
        )

        assert len(rows(site, "tickets")) == 2

    def test_whoever_knows_only_the_contact_or_only_the_device_is_told_nothing(self, site: Site, number: str) -> None:
        answers = [
            send(site, form_key=other_key(3), serial_number="SN 2", product_model="KF-35"),
            send(site, form_key=other_key(4), phone="+44 20 7946 0959", serial_number="SN 1"),
        ]

        for answer in answers:
            assert answer.status_code == 303
            assert number not in site.client.get(answer.headers["location"]).text

    def test_naming_another_ticket_joins_nothing(self, site: Site, number: str) -> None:
        accepted(site, send(site, form_key=other_key(5), phone="+44 20 7946 0959", description="other"))

        answer = send(site, form_key=other_key(6), phone="+44 20 7946 0959", step="same", alike=number)

        accepted(site, answer)
        assert len(rows(site, "tickets")) == 3

    def test_the_same_words_without_a_device_join_without_naming_the_ticket(self, site: Site) -> None:
        accepted(site, send(site))
        page = accepted(site, send(site, form_key=other_key(7)))

        assert len(rows(site, "tickets")) == 1
        assert "TK-" not in page
        assert "/progress/" not in page


class TestAStrangerWithTheNumberOfACustomer:
    """Whoever types a known phone number has not shown that it is theirs."""

    def test_changes_nothing_of_the_customer(self, site: Site) -> None:
        accepted(site, send(site, email="ann@example.com"))
        before = rows(site, "customers")

        accepted(
            site,
            send(
                site,
                form_key=other_key(1),
                name="Mallory",
                email="mallory@example.com",
                language="zh-CN",
                medium="email",
                anonymous="1",
                description="Something else",
            ),
        )

        assert rows(site, "customers") == before

    def test_gets_no_link_and_reads_nothing(self, site: Site) -> None:
        accepted(site, send(site, name="Ann Smith", email="ann@example.com", description="Private matter"))

        page = accepted(site, send(site, form_key=other_key(1), name="Mallory", description="Something else"))

        assert "/progress/" not in page
        for secret in ("Ann", "ann@example.com", "Private"):
            assert secret not in page


def test_one_customer_may_open_so_many_a_day(site: Site) -> None:
    for number in range(5):
        accepted(site, send(site, form_key=other_key(number), description=f"Problem {number}"))

    answer = send(site, form_key=other_key(9), description="One more")

    assert answer.status_code == 422
    assert "call us" in answer.text
    assert len(rows(site, "tickets")) == 5


def test_a_program_that_fills_in_everything_opens_nothing(site: Site) -> None:
    answer = send(site, [photo()], website="https://spam.example")

    assert answer.status_code == 422
    assert "spam.example" not in answer.text
    assert rows(site, "tickets") == []
    assert rows(site, "form_photos") == []


def test_a_receipt_opens_for_a_day_and_only_with_its_key(site: Site) -> None:
    accepted(site, send(site))

    assert site.client.get(f"/report/sent/{other_key(1)}").status_code == 410
    assert site.client.get("/report/sent/x%00y").status_code in {404, 410}
    with transaction(site.database) as connection:
        connection.execute(text("ALTER TABLE ticket_events DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE ticket_events SET at = at - interval '25 hours'"))
        connection.execute(text("ALTER TABLE ticket_events ENABLE TRIGGER ALL"))
    assert site.client.get(f"/report/sent/{KEY}").status_code == 410


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "{{97*131}}", "😀", "\u202eevil", "=cmd()", "a\x00b"])
def test_strange_words_are_text_or_refused_and_never_a_crash(site: Site, words: str) -> None:
    answer = send(site, name=words, description=words + " ok", product_model=words, form_key="x" * 99)

    page = answer.text if answer.status_code == 422 else accepted(site, answer)
    assert "<script" not in page
    assert "12707" not in page


def test_what_is_no_form_is_refused_without_a_crash(site: Site) -> None:
    answers = [
        site.client.post("/report", json=GOOD),
        site.client.post(
            "/report", content=b"\xff=\xfe", headers={"content-type": "application/x-www-form-urlencoded"}
        ),
        site.client.post("/report", content=b"x", headers={"content-type": "multipart/form-data"}),
        site.client.post("/report", files=[photo(f"{n}.jpg") for n in range(40)]),
    ]

    assert {answer.status_code for answer in answers} <= {400, 422}
    assert rows(site, "tickets") == []


@LANGUAGES
def test_every_page_leads_to_what_is_kept_of_a_customer(site: Site, language: str) -> None:
    form = site.client.get("/report", params={"lang": language})
    page = site.client.get("/privacy", params={"lang": language})

    assert form.text.count(f'href="/privacy?lang={language}"') == 2
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
