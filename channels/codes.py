"""What a vendor's error code asks for: the codes are data (``errors.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from domain.delivery import NotSent, Rejected, Remedy, Stopped


class Codes(StrEnum):
    """One member per table in ``errors.toml``."""

    TWILIO = "twilio"
    SENDGRID = "sendgrid"
    SENDGRID_EVENT = "sendgrid_event"
    SMTP = "smtp"


class Handover(StrEnum):
    """What a code says about the hand-over itself, where it is no remedy for one recipient."""

    RETRY = "retry"
    STOP = "stop"


Verdict = Remedy | Handover


@cache
def table(codes: Codes) -> Mapping[str, Verdict]:
    """One vendor's codes. Raises ValueError when a verdict is neither a remedy nor a word about the hand-over."""
    text = Path(__file__).with_name("errors.toml").read_text("utf-8")
    words: Mapping[str, str] = tomllib.loads(text)[codes.value]
    return {code: Handover(word) if word in set(Handover) else Remedy(word) for code, word in words.items()}


def refused(
    codes: Codes, code: str, *known_as: str, retry_after: timedelta | None = None
) -> Rejected | NotSent | Stopped:
    """What to do when a vendor refuses a hand-over.

    ``known_as``: the names under which the table may have the code, the most exact first; without, the code itself.
    """
    match _verdict(codes, known_as or (code,)):
        case Handover.RETRY:
            return NotSent(code, retry_after)
        case Handover.STOP:
            return Stopped(code)
        case Remedy() as remedy:
            return Rejected(code, remedy)


def failed_later(codes: Codes, code: str, *known_as: str, provider_id: str) -> Rejected:
    """What to do when a vendor reports that what it had accepted will not arrive.

    It has left us, so it can be neither held back nor stopped: what would have been retried is tried later, and what
    is wrong with the sender is at least said to this recipient by the other medium.
    """
    match _verdict(codes, known_as or (code,)):
        case Handover.RETRY:
            remedy = Remedy.TRY_LATER
        case Handover.STOP:
            remedy = Remedy.OTHER_MEDIUM
        case Remedy() as remedy:
            pass
    return Rejected(code, remedy, provider_id)


def _verdict(codes: Codes, names: tuple[str, ...]) -> Verdict:
    known = table(codes)
    return next((known[name] for name in names if name in known), Remedy.GIVE_UP)
