"""Photos are kept with their event, once, and only the ticket they belong to gives them out (S-30, S-40)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from db import attachments, events
from domain.exceptions import NotFoundError
from domain.pictures import Photo, read_picture
from tests.desk import Desk
from tests.pictures import picture


def _kept(desk: Desk, ticket_id: int, photo: Photo) -> int:
    event_id = events.list_of(desk.connection, ticket_id)[-1]["id"]
    return attachments.add(desk.connection, ticket_id, event_id, photo, now=desk.now)


def test_a_photo_is_kept_once_with_its_event(desk: Desk) -> None:
    ticket_id = desk.open()
    photo = read_picture("tap.jpg", picture())

    first, second = _kept(desk, ticket_id, photo), _kept(desk, ticket_id, photo)

    assert first == second
    (listed,) = attachments.list_of(desk.connection, ticket_id)
    assert (listed["file_name"], listed["size"]) == ("tap.jpg", len(photo.content))
    assert listed["sha256"] == sha256(photo.content).digest()
    assert attachments.get(desk.connection, first) == photo


def test_a_photo_of_another_ticket_is_not_given_out(desk: Desk) -> None:
    mine, other = desk.open(), desk.open("洗衣机漏水")
    photo = _kept(desk, mine, read_picture("tap.jpg", picture()))

    assert attachments.get(desk.connection, photo, ticket_id=mine)
    with pytest.raises(NotFoundError):
        attachments.get(desk.connection, photo, ticket_id=other)
    with pytest.raises(NotFoundError):
        attachments.get(desk.connection, photo + 1)
