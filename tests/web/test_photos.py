"""Photos on the customer's progress page: those of what they may see, of their own ticket alone (S-30)."""

from __future__ import annotations

import re

from db import attachments
from domain.lifecycle import CommandName, TicketState
from domain.messages import LinkPurpose
from domain.pictures import read_picture
from tests.pictures import picture
from tests.web.conftest import Site


def _with_photo(site: Site, *, is_internal: bool = False) -> tuple[int, int]:
    with site.desk() as desk:
        ticket_id = desk.bring_to(TicketState.IN_WORK)
        desk.give(ticket_id, CommandName.LOG_STEP, step="换压缩机", is_internal=is_internal)
        event_id = desk.last_event(ticket_id)["id"]
        photo = read_picture("旧件.jpg", picture())
        return ticket_id, attachments.add(desk.connection, ticket_id, event_id, photo, now=desk.now)


def _progress(site: Site, ticket_id: int) -> str:
    return site.link(LinkPurpose.PROGRESS, ticket_id)


def test_a_photo_stands_with_its_step_and_opens(site: Site) -> None:
    ticket_id, _ = _with_photo(site)

    page = site.client.get(_progress(site, ticket_id)).text

    (address,) = set(re.findall(r'<img src="([^"]+)"', page))
    photo = site.client.get(address)
    assert photo.status_code == 200
    assert photo.headers["content-type"] == "image/jpeg"
    assert photo.headers["cache-control"] == "no-store"
    assert photo.content.startswith(b"\xff\xd8\xff")


def test_a_photo_of_an_internal_step_is_not_there(site: Site) -> None:
    ticket_id, photo_id = _with_photo(site, is_internal=True)
    path = _progress(site, ticket_id)

    assert "<img" not in site.client.get(path).text
    assert site.client.get(f"{path}/photos/{photo_id}").status_code == 404


def test_a_photo_of_another_ticket_is_not_there(site: Site) -> None:
    _, photo_id = _with_photo(site)
    with site.desk() as desk:
        other = desk.open(phone="+8613900139000")

    assert site.client.get(f"{_progress(site, other)}/photos/{photo_id}").status_code == 404


def test_a_link_for_something_else_shows_no_photo(site: Site) -> None:
    ticket_id, photo_id = _with_photo(site)
    token = site.link(LinkPurpose.PLAN, ticket_id, 1).rpartition("/")[2]

    assert site.client.get(f"/progress/{token}/photos/{photo_id}").status_code == 410
    assert site.client.get(f"{_progress(site, ticket_id)}/photos/one").status_code == 404
    assert site.client.get(f"{_progress(site, ticket_id)}/photos/{10**30}").status_code == 404
