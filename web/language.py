"""In which language a page speaks: the one asked for, else its reader's own, else the browser's."""

from __future__ import annotations

from fastapi import Request

from db.standards import get_standard
from templates.render import languages


def remember_reader(request: Request, language: str) -> None:
    """A link told who reads: this page, and one that says why it cannot be shown, speak their language."""
    request.state.reader_language = language


def page_language(request: Request) -> str:
    """``?lang=`` wins, then the reader's own language if known, then the browser's, then the organisation's."""
    offered = languages()
    known: str | None = getattr(request.state, "reader_language", None)
    wishes = [request.query_params.get("lang"), known]
    if known is None:
        header = request.headers.get("accept-language", "")
        wishes += [part.partition(";")[0].strip() for part in header.split(",")]
    for wish in filter(None, wishes):
        for language in offered:
            if language.casefold() == wish.casefold() or language.partition("-")[0] == wish.partition("-")[0]:
                return language
    return get_standard().organisation.default_language


def house(language: str) -> dict[str, str]:
    """What every page says of the organisation: its name in this language, and its time zone."""
    organisation = get_standard().organisation
    name = organisation.name.get(language, organisation.name[organisation.default_language])
    return {"organisation": name, "time_zone": organisation.time_zone}
