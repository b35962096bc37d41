"""Photos from the workbench: kept as evidence of their step, read by nobody else, and nothing but pictures (S-30)."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from db import attachments
from domain.lifecycle import TicketState
from domain.tickets import ticket_number
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, forms_of, text_of

S = TicketState


def picture(form: str = "JPEG", size: tuple[int, int] = (40, 30), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, form, **more)
    return out.getvalue()


def files(*contents: bytes, name: str = "a.jpg", kind: str = "image/jpeg") -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("photo", (name, content, kind)) for content in contents]


def opened(site: Site, state: TicketState = S.IN_WORK) -> tuple[int, str]:
    with site.desk() as desk:
        ticket_id = desk.bring_to(state)
    return ticket_id, ticket_number(ticket_id)


def kept(site: Site, ticket_id: int) -> list[dict[str, object]]:
    with site.desk() as desk:
        return attachments.list_of(desk.connection, ticket_id)


def test_a_photo_goes_with_the_step_and_is_shown_in_the_history(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site)

    answer = bench.act(number, "log_step", frequent="inspected", files=files(picture(), name="外机.jpg"))

    assert answer.status_code == 303, text_of(answer)
    (photo,) = kept(site, ticket_id)
    with site.desk() as desk:
        assert photo["event_id"] == desk.last_event(ticket_id)["id"]
    path = f"/workbench/photos/{photo['id']}"
    assert f'src="{path}"' in bench.ticket(number).text
    shown = bench.get(path)
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert Image.open(io.BytesIO(shown.content)).size == (40, 30)


def test_where_it_was_taken_and_whatever_hides_behind_it_are_gone(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site)
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    exif[0x010E] = "at home in Lane 5"
    hidden = picture(exif=exif) + b"<script>alert(1)</script>"

    bench.act(number, "log_step", step="s", files=files(hidden))

    content = bench.get(f"/workbench/photos/{kept(site, ticket_id)[0]['id']}").content
    assert b"Lane 5" not in content
    assert b"<script>" not in content


@pytest.mark.parametrize(
    "content",
    [b"<html><script>alert(1)</script>", b"\xff\xd8\xff" + b"x" * 100, b"%PDF-1.7", b"MZ", b"<svg onload=alert(1)>"],
    ids=["html", "half a jpeg", "pdf", "program", "svg"],
)
def test_what_is_no_picture_is_refused_beside_the_field_and_the_words_stay(
    site: Site, bench: Bench, content: bytes
) -> None:
    ticket_id, number = opened(site)
    before = site.everything()

    answer = bench.act(number, "log_step", step="拆下外机", files=files(content))

    assert answer.status_code == 422
    assert 'id="log_step-photo-fault"' in answer.text
    assert forms_of(answer)[f"/workbench/tickets/{number}/log_step"]["step"] == ["拆下外机"]
    assert site.everything() == before
    assert kept(site, ticket_id) == []


def test_one_bad_photo_among_good_ones_keeps_nothing(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site)

    assert bench.act(number, "log_step", step="s", files=files(picture(), b"no")).status_code == 422
    assert kept(site, ticket_id) == []


def test_more_than_four_at_a_time_are_refused(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site)

    answer = bench.act(number, "log_step", step="s", files=files(*(picture(size=(n, 9)) for n in range(5, 10))))

    assert answer.status_code == 422
    assert "一次最多上传4张照片" in text_of(answer)
    assert kept(site, ticket_id) == []


def test_thirty_megabytes_are_refused_before_they_are_read(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site)

    answer = bench.act(number, "log_step", step="s", files=files(b"\xff\xd8\xff" + b"\x00" * (30 << 20)))

    assert answer.status_code in (413, 422)
    assert kept(site, ticket_id) == []


def test_a_path_in_the_name_leads_nowhere(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site)

    bench.act(number, "log_step", step="s", files=files(picture(), name='../../etc/"><img src=x>.jpg'))

    (photo,) = kept(site, ticket_id)
    assert "/" not in str(photo["file_name"])
    assert "<img src=x>" not in bench.ticket(number).text


def test_a_double_tap_keeps_a_photo_once(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site)
    action = f"/workbench/tickets/{number}/log_step"
    form = bench.fill(bench.ticket(number), action, step="s")

    assert [bench.send(action, form, files(picture())).status_code for _ in range(2)] == [303, 303]
    assert len(kept(site, ticket_id)) == 1


def test_a_signed_paper_is_kept_with_the_sign_off(site: Site, bench: Bench) -> None:
    ticket_id, number = opened(site, S.COMPLETED)

    bench.act(
        number, "confirm_completion", signed_by="王丽", files=files(picture("PNG"), name="单据.png", kind="image/png")
    )

    assert len(kept(site, ticket_id)) == 1
    assert site.state(ticket_id) == "closed"


def test_photos_are_asked_for_again_when_something_else_was_wrong(site: Site, bench: Bench) -> None:
    _, number = opened(site)

    answer = bench.act(number, "log_step", step="", files=files(picture()))

    assert answer.status_code == 422
    assert "请重新选择照片" in text_of(answer)


@pytest.mark.parametrize("path", ["/workbench/photos/999999", "/workbench/photos/0", "/workbench/photos/x"])
def test_no_such_photo_is_said_kindly(bench: Bench, path: str) -> None:
    assert bench.get(path).status_code == 404


def test_who_is_not_signed_in_sees_no_photo(site: Site, bench: Bench, make_bench: MakeBench) -> None:
    ticket_id, number = opened(site)
    bench.act(number, "log_step", step="s", files=files(picture()))

    stranger = site.client.get(f"/workbench/photos/{kept(site, ticket_id)[0]['id']}", follow_redirects=False)

    assert stranger.status_code in (303, 401)
    assert not stranger.headers.get("content-type", "").startswith("image/")
