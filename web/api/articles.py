"""Knowledge by the API: the published articles that fit a question best (S-62)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from db.session import transaction
from domain.access import MAY_WRITE_ARTICLES, require_role
from domain.articles import Audience
from domain.tickets import Category
from web.api import shapes
from web.api.asked import Known

router = APIRouter(prefix="/articles", tags=["articles"])


class Article(BaseModel):
    """A solved typical case."""

    model_config = ConfigDict(extra="ignore")

    id: int
    language: str = Field(examples=["zh-CN"])
    audience: Audience
    title: str
    problem: str
    cause: str
    solution: str
    category: Category | None
    product_model: str | None
    tags: list[str]
    ticket_number: str | None
    published_at: datetime
    helped_customers: int
    helped_tickets: int


@router.get("")
def find_articles(
    caller: Known,
    q: Annotated[str, Query(min_length=1, max_length=500, examples=["空调不制冷"])],
    audience: Annotated[Audience | None, Query(description="Only what these may read.")] = None,
    limit: Annotated[int, Query(ge=1, le=20)] = 5,
) -> shapes.Page[Article]:
    """The published articles that share words with a question, Chinese too, or have nearly that title; best first."""
    from db import article_search  # the segmenter is needed here only

    require_role(caller.actor, MAY_WRITE_ARTICLES, "reading articles")
    with transaction() as connection:
        rows = article_search.find(connection, q, audience=audience, limit=limit)
    return shapes.Page(items=[Article.model_validate(row) for row in rows], next_cursor=None)
