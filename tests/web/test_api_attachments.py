"""Photos by the API: with the step or note that says what they show, once, and without what they carry beside it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from db import events
from db.session import transaction
from domain.lifecycle import CommandName, TicketState
from domain.people import Role
from domain.pictures import LARGEST
from tests.pictures import bomb, picture, picture_with_position
from tests.web.conftest import Api, MakeApi, Site, paths_of, problem_of
from web.api.door import MOST_UPLOADED

C = CommandName
PHOTO = picture()


@pytest.fixture
def number(site: Site) -> str:
    """A ticket in diagnosis."""
    with site.desk() as desk:
        return str(desk.ticket(desk.bring_to(TicketState.DIAGNOSING))["number"])


def _last(api: Api, number: str) -> dict[str, Any]:
    event: dict[str, Any] = api.get(f"/tickets/{number}/events", limit=100).json()["items"][-1]
    return event


def test_a_photo_comes_with_its_step_and_is_read_again(site: Site, api: Api, number: str) -> None:
    sent = api.upload(number, picture_with_position(), name="C:\\fakepath\\电容.jpg", step="the old capacitor")
    assert sent.status_code == 201, sent.text
    listed = api.get(f"/tickets/{number}/attachments").json()["items"]
    seen = api.get(f"/tickets/{number}/attachments/{sent.json()['id']}")

    assert listed == [sent.json()]
    event = _last(api, number)
    assert (event["seq"], event["kind"], event["payload"]) == (
        sent.json()["event_seq"],
        "log_step",
        {"step": "the old capacitor"},
    )
    assert sent.json()["file_name"] == "电容.jpg"
    assert (seen.headers["content-type"], len(seen.content)) == ("image/jpeg", sent.json()["size"])
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert seen.headers["content-disposition"].startswith("attachment;")
    assert not Image.open(BytesIO(seen.content)).getexif()
    assert b"home of the customer" not in seen.content
    assert sent.headers["etag"] == f'"{event["seq"]}"'
    with transaction(site.database) as connection:
        assert list(events.find_flaws(connection)) == []


def test_a_photo_that_is_known_is_not_sent_again(api: Api, number: str) -> None:
    address = f"/tickets/{number}/attachments/{api.upload(number, PHOTO, note='n').json()['id']}"
    tag = api.get(address).headers["etag"]

    again = api.get(address, if_none_match=tag)

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert api.get(address, if_none_match='"other"').content


class TestOnce:
    def test_a_photo_sent_twice_with_one_key_is_kept_once(self, api: Api, number: str) -> None:
        first, again = (api.upload(number, PHOTO, once="k", step="s") for _ in range(2))

        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert len(api.get(f"/tickets/{number}/attachments").json()["items"]) == 1

    def test_another_photo_with_the_same_key_is_refused(self, api: Api, number: str) -> None:
        api.upload(number, PHOTO, once="k", step="s")

        for answer in (
            api.upload(number, picture(size=(9, 9)), once="k", step="s"),
            api.upload(number, PHOTO, once="k", step="other"),
            api.upload(number, PHOTO, once="k", note="s"),
        ):
            assert answer.status_code == 409
            assert problem_of(answer)["type"] == "urn:aftercare:problem:key-reused"
        assert len(api.get(f"/tickets/{number}/attachments").json()["items"]) == 1

    def test_a_key_that_logged_the_step_without_a_photo_is_refused(self, api: Api, number: str) -> None:
        api.give(number, C.LOG_STEP, step="s", once="k")

        assert api.upload(number, PHOTO, once="k", step="s").status_code == 409
        assert api.get(f"/tickets/{number}/attachments").json()["items"] == []

    def test_nothing_is_added_to_a_ticket_that_has_changed(self, api: Api, number: str) -> None:
        seen = api.get(f"/tickets/{number}").headers["etag"]
        api.give(number, C.ADD_NOTE, note="n")

        answer = api.upload(number, PHOTO, step="s", if_match=seen)

        assert answer.status_code == 412
        assert _last(api, number)["kind"] == "add_note"


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.jpg", "no JPEG"),
        (b"<script>alert(1)</script>", "a.jpg", "no JPEG"),
        (b"GIF89a" + b"\0" * 50, "a.jpg", "no JPEG"),
        (PHOTO[:300], "a.jpg", "broken"),
        (bomb(), "a.png", "million pixels"),
        (b"\xff\xd8\xff" + b"0" * LARGEST, "a.jpg", "larger than 10 MB"),
    ],
    ids=["empty", "markup", "another type", "broken", "bomb", "too large"],
)
def test_what_is_no_photo_leaves_nothing_behind(
    site: Site, api: Api, number: str, content: bytes, name: str, said: str
) -> None:
    before = site.everything()

    answer = api.upload(number, content, name=name, step="s")

    assert paths_of(answer) == {"body.photo"}
    assert said in answer.text
    assert {t: r for t, r in site.everything().items() if t != "api_keys"} == {
        t: r for t, r in before.items() if t != "api_keys"
    }


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "body.step"),
        ({"step": "a", "note": "b"}, "body.step"),
        ({"step": " "}, "body.step"),
        ({"note": "a\x00b"}, "body.note"),
        ({"note": "x" * 2001}, "body.note"),
    ],
)
def test_what_it_shows_must_be_said(api: Api, number: str, fields: dict[str, str], wrong: str) -> None:
    assert paths_of(api.upload(number, PHOTO, **fields)) == {wrong}


class TestTheForm:
    def test_without_a_photo_is_refused(self, site: Site, api: Api, number: str) -> None:
        headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k"}
        address = f"/api/v1/tickets/{number}/attachments"

        for form in ({"files": {"step": (None, "s")}}, {"files": {"photo": (None, "words"), "step": (None, "s")}}):
            assert paths_of(site.client.post(address, headers=headers, **form)) == {"body.photo"}  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "body", [b"", b"--x\r\n", b"--x--\r\n", b"nonsense", b"--x\r\nContent-Disposition: y\r\n\r\n"]
    )
    @pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
    def test_that_is_broken_is_said(self, site: Site, api: Api, number: str, body: bytes, kind: str) -> None:
        headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k", "Content-Type": kind}

        answer = site.client.post(f"/api/v1/tickets/{number}/attachments", content=body, headers=headers)

        assert all(path.startswith("body") for path in paths_of(answer))

    @pytest.mark.parametrize("kind", ["application/json", "image/jpeg", "application/x-www-form-urlencoded", ""])
    def test_is_the_only_one_taken(self, site: Site, api: Api, number: str, kind: str) -> None:
        headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k", "Content-Type": kind}

        answer = site.client.post(f"/api/v1/tickets/{number}/attachments", content=PHOTO, headers=headers)

        assert answer.status_code == 415
        assert problem_of(answer)["type"] == "urn:aftercare:problem:not-a-form"

    @pytest.mark.parametrize("chunked", [False, True])
    def test_of_30_mb_is_refused_unread(self, site: Site, api: Api, number: str, chunked: bool) -> None:
        asked = 0

        def chunks() -> Any:
            nonlocal asked
            for _ in range(30):
                asked += 1
                yield b"x" * 1_000_000

        headers = {
            "Authorization": f"Bearer {api.key}",
            "Idempotency-Key": "k",
            "Content-Type": "multipart/form-data; boundary=x",
        }
        content = chunks() if chunked else b"x" * (MOST_UPLOADED + 1)

        answer = site.client.post(f"/api/v1/tickets/{number}/attachments", content=content, headers=headers)

        assert answer.status_code == 413
        assert problem_of(answer)["type"] == "urn:aftercare:problem:photo-too-large"

    def test_is_larger_than_others_may_be_only_here(self, site: Site, api: Api, number: str) -> None:
        headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k", "Content-Type": "application/json"}
        for path in (f"/tickets/{number}/commands/log_step", f"/tickets/{number}/attachments/1", "/tickets"):
            answer = site.client.post(f"/api/v1{path}", content=b"x" * 65_000, headers=headers)
            assert answer.status_code == 413


class TestWho:
    @pytest.mark.parametrize(
        ("role", "step", "note", "look"),
        [
            (Role.ENGINEER, 201, 201, 200),
            (Role.QUALITY_INSPECTOR, 403, 201, 200),
            (Role.ADMINISTRATOR, 403, 201, 403),
        ],
    )
    def test_may_add_and_see(
        self, api: Api, make_api: MakeApi, number: str, role: Role, step: int, note: int, look: int
    ) -> None:
        known = api.upload(number, PHOTO, step="s").json()["id"]
        other = make_api(role=role)

        assert other.upload(number, PHOTO, step="s").status_code == step
        assert other.upload(number, PHOTO, note="n").status_code == note
        assert other.get(f"/tickets/{number}/attachments/{known}").status_code == look

    def test_asks_for_another_tickets_photo_finds_none(self, site: Site, api: Api, number: str) -> None:
        known = api.upload(number, PHOTO, step="s").json()["id"]
        with site.desk() as desk:
            other = desk.ticket(desk.open())["number"]

        for address in (f"/tickets/{other}/attachments/{known}", f"/tickets/{number}/attachments/{known + 1}"):
            assert api.get(address).status_code == 404
        assert api.upload("TK-00099999", PHOTO, step="s").status_code == 404
