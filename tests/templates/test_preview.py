"""This file checks that the preview shows every message, and that its pictures are as wide as they say."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from domain.messages import MESSAGES, Audience, MessageKind
from domain.standard import Standard
from templates.check import House
from templates.languages import languages
from templates.preview import WIDTHS, Shown, take_pictures, write_index, write_messages
from templates.screenshots import BrowserError, browser, find_browser


@pytest.fixture
def house(standard: Standard) -> House:
    return House.of(standard)


def test_a_preview_shows_every_message_with_usual_and_with_hostile_data(tmp_path: Path, house: House) -> None:
    shown = write_messages(tmp_path, languages(), house)
    index = write_index(tmp_path, shown, house).read_text("utf-8")

    assert len(shown) == 2 * len(languages()) * len(MessageKind)
    for entry in shown:
        files = [entry.html_file, entry.text_file, *([entry.sms_file] if entry.sms_file else [])]
        assert (entry.sms is not None) == (MESSAGES[entry.kind].audience is Audience.CUSTOMER)
        for file in files:
            assert (tmp_path / file).stat().st_size > 0
            assert f'href="{file}"' in index
    assert "<script" not in index
    assert "&lt;script&gt;" in index
    assert "GSM-7" in index
    assert "UCS-2" in index
    assert "Four questions, one minute" in index  # a preheader


def test_a_preheader_is_shown_as_it_is_read(tmp_path: Path, house: House) -> None:
    shown = {(entry.kind, entry.name): entry for entry in write_messages(tmp_path, ["en"], house)}

    news = shown[MessageKind.TICKET_UPDATES, "the sample's data"]
    assert news.preheader.startswith("Daniel Evans takes your ticket and contacts you by Tue 24 Nov, 18:00.")
    assert all("&amp;" not in entry.preheader for entry in shown.values())


def _too_wide(shown: list[Shown]) -> list[tuple[str, int]]:
    return [(entry.html_file, picture.width) for entry in shown for picture in entry.pictures if picture.too_wide]


@pytest.mark.skipif(find_browser() is None, reason="no chromium on the PATH")
def test_no_mail_is_wider_than_its_screen_whatever_people_write(tmp_path: Path, house: House) -> None:
    kinds = (MessageKind.PLAN_PROPOSED, MessageKind.TICKET_UPDATES, MessageKind.WEEKLY_DIGEST)
    shown = [entry for entry in write_messages(tmp_path, languages(), house) if entry.kind in kinds]

    with browser(find_browser() or "") as started:
        assert len(list(take_pictures(tmp_path, shown, started))) == len(shown)

    assert _too_wide(shown) == []
    for entry in shown:
        for picture in entry.pictures:
            png = (tmp_path / picture.file).read_bytes()
            assert png.startswith(b"\x89PNG")
            assert struct.unpack(">I", png[16:20])[0] == picture.width
        assert {(picture.width, picture.is_dark) for picture in entry.pictures} == {
            (width, is_dark) for width in WIDTHS for is_dark in (False, True)
        }


def test_a_browser_that_is_none_is_said() -> None:
    with pytest.raises(BrowserError, match="the browser"), browser("/bin/true"):
        pass
