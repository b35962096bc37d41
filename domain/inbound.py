"""What a customer's SMS means: stop, start, a score, or words for a person (S-41)."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

# A single word, as Twilio and the carriers take it; TD and T are what Chinese carriers' notices ask for.
_STOP = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "td", "t", "退订", "退订td"}
)
_START = frozenset({"start", "unstop", "yes", "恢复", "恢复订阅", "订阅"})
_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5}


class Meaning(StrEnum):
    """What an inbound text asks for."""

    STOP = "stop"
    START = "start"
    SCORE = "score"
    WORDS = "words"


def read_text(text: str) -> tuple[Meaning, int | None]:
    """The meaning of a text and, of a score, its number 1 to 5."""
    word = unicodedata.normalize("NFKC", text).strip().strip(".!。！\"'“”").strip().casefold()
    if word in _STOP:
        return Meaning.STOP, None
    if word in _START:
        return Meaning.START, None
    digits = word.removesuffix("分").strip()
    if digits in _NUMERALS or (digits in {"1", "2", "3", "4", "5"}):
        return Meaning.SCORE, _NUMERALS.get(digits) or int(digits)
    return Meaning.WORDS, None
