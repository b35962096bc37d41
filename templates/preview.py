"""This file lays out every message in a folder to look at: mails, texts, SMS, pictures, and an index of them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from domain.messages import MESSAGES, Audience, Medium, MessageKind
from domain.segments import SmsSize, sms_size
from templates.check import House, arguments, mail_block
from templates.environment import rendered
from templates.languages import word
from templates.plain_text import one_line
from templates.render import render_message
from templates.screenshots import Browser
from templates.variants import Case, hostile, sample

WIDTHS = (600, 320)


@dataclass(frozen=True)
class PictureFile:
    """A screenshot beside the mail it shows."""

    file: str
    width: int
    is_dark: bool
    too_wide: int


@dataclass
class Shown:
    """One message with one kind of data, and where its files lie, seen from the index."""

    language: str
    kind: MessageKind
    name: str
    subject: str
    preheader: str
    html: str
    html_file: str
    text_file: str
    sms: str | None = None
    sms_file: str | None = None
    size: SmsSize | None = None
    pictures: list[PictureFile] = field(default_factory=list)


def write_messages(out: Path, languages: Sequence[str], house: House) -> list[Shown]:
    """Write each message as ``.html`` and ``.txt``, its SMS as ``.sms.txt``. Raises WordsError."""
    shown = []
    for language in languages:
        (out / language).mkdir(parents=True, exist_ok=True)
        for kind in MessageKind:
            shown.append(_write(out, kind, sample(kind, language=language), "", house, language))
            shown.append(_write(out, kind, hostile(kind, language=language), "-hostile", house, language))
    return shown


def _write(out: Path, kind: MessageKind, case: Case, mark: str, house: House, language: str) -> Shown:
    given = arguments(case, house, language=language)
    mail = render_message(kind, Medium.EMAIL, **given)
    stem = f"{language}/{kind.value}{mark}"
    entry = Shown(
        language,
        kind,
        case.name,
        mail.subject or "",
        one_line(unescape(mail_block(kind, "preheader", given))),
        mail.html or "",
        f"{stem}.html",
        f"{stem}.txt",
    )
    (out / entry.html_file).write_text(entry.html, "utf-8")
    (out / entry.text_file).write_text(f"{entry.subject}\n\n{mail.text}", "utf-8")
    if MESSAGES[kind].audience is Audience.CUSTOMER:
        entry.sms, entry.sms_file = render_message(kind, Medium.SMS, **given).text, f"{stem}.sms.txt"
        entry.size = sms_size(entry.sms)
        (out / entry.sms_file).write_text(entry.sms + "\n", "utf-8")
    return entry


def take_pictures(out: Path, shown: Sequence[Shown], browser: Browser) -> Iterator[None]:
    """Write the screenshots of each message, and yield after each message. Raises BrowserError."""
    for entry in shown:
        for width in WIDTHS:
            for is_dark in (False, True):
                picture = browser.picture(entry.html, width=width, is_dark=is_dark)
                file = f"{entry.html_file.removesuffix('.html')}-{width}-{'dark' if is_dark else 'light'}.png"
                (out / file).write_bytes(picture.png)
                entry.pictures.append(PictureFile(file, width, is_dark, picture.too_wide))
        yield


def write_index(out: Path, shown: Sequence[Shown], house: House) -> Path:
    """Write ``index.html``, which lists all of it, and return its path. Raises WordsError."""
    tags = list(dict.fromkeys(entry.language for entry in shown))
    values = {
        "language": tags[0],
        "sms_segments": house.sms_segments,
        "languages": [{"tag": tag, "name": word(tag, "language", "name"), "kinds": _kinds(tag, shown)} for tag in tags],
    }
    index = out / "index.html"
    index.write_text(rendered("layouts/preview.html", values, autoescape=True), "utf-8")
    return index


def _kinds(language: str, shown: Sequence[Shown]) -> list[dict[str, Any]]:
    cases: dict[MessageKind, list[Shown]] = {}
    for entry in shown:
        if entry.language == language:
            cases.setdefault(entry.kind, []).append(entry)
    return [
        {"name": kind.value, "label": word(language, "message", kind.value), "cases": found}
        for kind, found in cases.items()
    ]
