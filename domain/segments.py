"""What an SMS costs: its encoding, its length in that encoding's units, and its segments (3GPP TS 23.038)."""

from __future__ import annotations

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
    """The size of an SMS. One character outside GSM-7 turns all of it to UCS-2; ^{}[]~|\\€ count twice in GSM-7."""
    characters = set(text)
    if characters <= _BASIC | _EXTENDED:
        units, encoding, alone, each = len(text) + sum(char in _EXTENDED for char in text), "GSM-7", 160, 153
    else:
        units, encoding, alone, each = len(text.encode("utf-16-be", "surrogatepass")) // 2, "UCS-2", 70, 67
    return SmsSize(encoding, units, 1 if units <= alone else -(-units // each))
