"""What a ticket is about: channel, category, impact and priority, and its number (S-01, S-03, S-04, S-10)."""

from __future__ import annotations

import re
from enum import StrEnum

from domain.exceptions import InvalidInputError


class Channel(StrEnum):
    """How the problem came in (S-01)."""

    HOTLINE = "hotline"
    CHAT = "chat"
    WECHAT = "wechat"
    APP = "app"
    EMAIL = "email"
    STORE = "store"
    WEB = "web"
    SMS = "sms"


class Category(StrEnum):
    """Exactly one of four (S-04)."""

    PRODUCT_FAULT = "product_fault"
    USAGE_QUESTION = "usage_question"
    COMPLAINT = "complaint"
    GUARANTEE = "guarantee"


class Impact(StrEnum):
    """How much of the product's use is lost (S-10)."""

    CORE_USE_LOST = "core_use_lost"
    PARTIAL = "partial"
    MINOR = "minor"


class Priority(StrEnum):
    """How urgent; P1 is the most urgent and sorts first (S-10)."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


def ticket_number(ticket_id: int) -> str:
    """``TK-00001024``: of fixed width, because the Prefect UI filters resources by prefix."""
    return f"TK-{ticket_id:08d}"


def ticket_id(number: str) -> int:
    """The id behind a number. Raises InvalidInputError when it is none."""
    match = re.fullmatch(r"(?:TK-)?0*([1-9]\d{0,9})", number.strip().upper())
    if not match:
        raise InvalidInputError("ticket", f"{number!r} is no ticket number; write it like TK-00001024")
    return int(match[1])
