"""Knowledge: what an article says, who reads it, and how it comes from a solved case without the customer (S-62)."""

from __future__ import annotations

import re
from collections.abc import Iterable
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


_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Seven digits and more, set apart or not: telephone numbers, orders, identity cards; no model has so many.
_NUMBER = re.compile(r"\+?\d(?:[\s()./-]{0,2}\d){6,}")
_GONE = "***"


def without_personal_data(text: str, known: Iterable[str | None] = ()) -> str:
    """The text without addresses, long numbers and what is ``known`` of the customer; somebody still reads it over."""
    for word in sorted((word for word in known if word and len(word) > 1), key=len, reverse=True):
        text = re.sub(re.escape(word), _GONE, text, flags=re.IGNORECASE)
    return _NUMBER.sub(_GONE, _EMAIL.sub(_GONE, text))
