"""What is kept of a customer, what for, how long, who sees it, and how to have it corrected or erased (S-71)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from db.form_photos import KEPT_FOR
from db.standards import get_standard
from templates.render import render_page
from web.language import house, page_language

router = APIRouter()


@router.get("/privacy")
def privacy(request: Request) -> HTMLResponse:
    """The page, with the figures of the standard."""
    language, standard = page_language(request), get_standard()
    html = render_page(
        "privacy",
        language=language,
        **house(language),
        link_days=standard.links.progress.days,
        retention=standard.retention,
        unsent_hours=int(KEPT_FOR.total_seconds()) // 3600,
        contact_email=standard.organisation.contact_email,
        contact_phone=standard.organisation.contact_phone,
    )
    return HTMLResponse(html)
