"""The life of a message in the outbox: nothing lost, nothing sent twice, an unclear fate said honestly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class MessageState(StrEnum):
    """Where a message stands."""

    QUEUED = "queued"
    SENDING = "sending"  # claimed; the transport may have it or not
    ACCEPTED = "accepted"  # the transport has it
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the transport may have it; to be looked up, never blindly resent


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transport took the message; ``delivered`` when it can say so at once."""

    provider_id: str
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """The transport refused it for good; ``code`` is the transport's own."""

    code: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It certainly did not leave; it may be tried again."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it left."""

    code: str


Outcome = Accepted | Rejected | NotSent | Unknown

# A settled outcome may only move a message along these lines; anything else is a late or doubled report.
FOLLOWS: Mapping[MessageState, frozenset[MessageState]] = MappingProxyType(
    {
        MessageState.QUEUED: frozenset({MessageState.SENDING}),
        MessageState.SENDING: frozenset(set(MessageState) - {MessageState.SENDING}),
        MessageState.UNKNOWN: frozenset(
            {MessageState.QUEUED, MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.FAILED}
        ),
        MessageState.ACCEPTED: frozenset({MessageState.DELIVERED, MessageState.FAILED}),
        MessageState.DELIVERED: frozenset(),
        MessageState.FAILED: frozenset(),
    }
)


def state_after(outcome: Outcome) -> MessageState:
    """The state to which an outcome settles a message."""
    match outcome:
        case Accepted(delivered=True):
            return MessageState.DELIVERED
        case Accepted():
            return MessageState.ACCEPTED
        case Rejected():
            return MessageState.FAILED
        case NotSent():
            return MessageState.QUEUED
        case Unknown():
            return MessageState.UNKNOWN
