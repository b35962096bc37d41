"""Help before anybody has to report: articles that fit what was typed, and the page of whoever was helped (S-62)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from clock import utc_now
from db import articles
from db.rows import Row
from domain.articles import Audience
from templates.render import render_page
from web.language import house, page_language

ASK = "help"
_HELPED = re.compile(r"helped-([1-9][0-9]{0,9})")


def offered(connection: Connection, values: Mapping[str, str]) -> Sequence[Row]:
    """What customers may read that fits the report; nothing to try out for somebody in danger."""
    from db import article_search  # the segmenter is not needed for any other page

    if values["danger"] == "yes":
        return []
    return article_search.find(connection, values["description"], audience=Audience.CUSTOMERS)


def helped_by(step: str) -> int | None:
    """The article that helped, when the form says so."""
    match = _HELPED.fullmatch(step)
    return int(match[1]) if match else None


def thank(request: Request, connection: Connection, article_id: int, *, form_key: str) -> HTMLResponse:
    """Count it, once for each form, and say that nothing more is needed. Raises NotFoundError."""
    articles.note_help(connection, article_id, form_key=form_key, now=utc_now())
    language = page_language(request)
    return HTMLResponse(render_page("report_helped", language=language, **house(language)))
