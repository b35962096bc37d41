"""What an SMS costs: its encoding, its length in that encoding's units, and its segments (3GPP TS 23.038)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")


@dataclass(frozen=True, slots=True)
class SmsSize:
    """GSM-7: 160 septets alone, 153 each when several. UCS-2: 70 UTF-16 units alone, 67 each when several."""

    encoding: str
    units: int
    segments: int


def sms_size(text: str) -> SmsSize:
    """The size of an SMS.

    One character outside GSM-7 turns all of it to UCS-2. The characters ``^{}[]~|\\€`` count twice in GSM-7, and those
    beyond the basic plane, like emoji, twice in UCS-2.
    """
    if set(text) <= _BASIC | _EXTENDED:
        sizes = [2 if char in _EXTENDED else 1 for char in text]
        encoding, alone, each = "GSM-7", 160, 153
    else:
        sizes = [2 if ord(char) > 0xFFFF else 1 for char in text]
        encoding, alone, each = "UCS-2", 70, 67
    units = sum(sizes)
    return SmsSize(encoding, units, 1 if units <= alone else _packed(sizes, each))


def _packed(sizes: Iterable[int], each: int) -> int:
    """How many segments hold characters of these sizes in their order; none is torn over two segments."""
    segments, free = 1, each
    for size in sizes:
        if size > free:
            segments, free = segments + 1, each
        free -= size
    return segments
