"""Knowledge: what an article says, and who reads it (S-62)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.texts import NO_NUL, ShortText
from domain.tickets import Category

MOST_TAGS = 10
_Long = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5000, pattern=NO_NUL)]
_LongOrNone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000, pattern=NO_NUL)]
_ShortOrNone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=NO_NUL)]
_Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=NO_NUL)]


class ArticleState(StrEnum):
    """A draft is read by colleagues on its own page; what is published is offered; what is retired no more."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Audience(StrEnum):
    """Who is offered an article: colleagues only, or customers too."""

    STAFF = "staff"
    CUSTOMERS = "customers"


class Article(BaseModel):
    """A solved typical case, written so that it helps with the next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Annotated[str, StringConstraints(min_length=2, max_length=20)]
    audience: Audience
    title: ShortText
    problem: _Long
    cause: _LongOrNone = ""
    solution: _Long
    category: Category | None = None
    product_model: _ShortOrNone = ""
    tags: Annotated[tuple[_Tag, ...], Field(max_length=MOST_TAGS)] = ()
