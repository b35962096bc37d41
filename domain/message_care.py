"""What staff see of the outbox, and what a person does about a message that did not arrive by itself."""

from __future__ import annotations

from enum import StrEnum

from domain.courtesy import REFUSED
from domain.delivery import MessageState, Remedy
from domain.messages import Audience

S = MessageState


class Shelf(StrEnum):
    """The part of the outbox that somebody looks at."""

    NEEDS_A_PERSON = "needs_a_person"
    OWED = "owed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"
    ALL = "all"


class Advice(StrEnum):
    """What to do about a message."""

    NOTHING = "nothing"
    WAIT = "wait"
    TELL_COLLEAGUE = "tell_colleague"
    FIND_OUT = "find_out"  # it may have arrived; sent again it may come twice
    ASK_ADDRESS = "ask_address"
    ASK_WISH = "ask_wish"
    CALL = "call"


# Why a message is withheld that somebody took back.
CANCELLED = "cancelled"
# Withheld for a reason that nobody need do anything about.
AS_IT_SHOULD_BE = frozenset({"declined", "out_of_date", "erased", CANCELLED})
MAY_BE_RESENT = (S.FAILED, S.UNKNOWN, S.WITHHELD)
_NO_ADDRESS = frozenset({Remedy.BAD_ADDRESS.value, "no_address"})


def advise(state: MessageState, code: str | None, audience: Audience) -> Advice:
    """What a person does about a message in this state; ``code`` says why it is in it."""
    if state in (S.QUEUED, S.SENDING):
        return Advice.WAIT
    if state not in MAY_BE_RESENT or code in AS_IT_SHOULD_BE:
        return Advice.NOTHING
    if audience is Audience.STAFF:
        return Advice.TELL_COLLEAGUE
    if state is S.UNKNOWN:
        return Advice.FIND_OUT
    if code in _NO_ADDRESS:
        return Advice.ASK_ADDRESS
    return Advice.ASK_WISH if code in REFUSED else Advice.CALL
