"""What a customer's SMS means: stop, start, a score, or words for a person (S-41)."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

# A single word or phrase, as Twilio and the carriers take it; TD and T are what notices of Chinese carriers ask for.
_STOP = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "td", "t", "退订", "退訂", "td退订"}
    | {"t退订", "退订td", "回t退订", "回td退订", "取消订阅", "拒收", "停止", "停止发送", "不再接收"}
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
    # Brackets, blanks, dots and invisible characters say nothing.
    word = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
    if word in _STOP:
        return Meaning.STOP, None
    if word in _START:
        return Meaning.START, None
    digits = word.removesuffix("分")
    if digits in _NUMERALS or (digits in {"1", "2", "3", "4", "5"}):
        return Meaning.SCORE, _NUMERALS.get(digits) or int(digits)
    return Meaning.WORDS, None
