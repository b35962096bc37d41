"""The life of a message in the outbox: nothing lost, nothing sent twice, an unclear fate said honestly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
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
    MERGED = "merged"  # said by another message of the same ticket
    WITHHELD = "withheld"  # not sent on purpose: the recipient opted out, or it is not true any more


class Remedy(StrEnum):
    """What a transport's refusal asks for; each transport's error codes name one (``channels/errors.toml``)."""

    BAD_ADDRESS = "bad_address"  # nothing can ever arrive there: remember it, use the other medium
    OPTED_OUT = "opted_out"  # the recipient told the vendor to stop: remember it, use the other medium
    COMPLAINED = "complained"  # the recipient called it spam: remember it, use the other medium
    OTHER_MEDIUM = "other_medium"  # this one did not get through: use the other medium
    TRY_LATER = "try_later"  # out of reach for now: twice more over hours, then the other medium
    GIVE_UP = "give_up"  # our own fault, or a code nobody knows: never again by itself, staff see it


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transport took the message; ``delivered`` when it can say so at once."""

    provider_id: str
    delivered: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """The transport refused it; ``code`` is the transport's own."""

    code: str
    remedy: Remedy = Remedy.GIVE_UP
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """It certainly did not leave; it may be tried again, after ``retry_after`` where the vendor asked for a wait."""

    code: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """The vendor refuses everything (credentials, account, sender): it did not leave, and nothing else would."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it left."""

    code: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """A look-up found no trace.

    ``is_certain``: so it never left. Without: the vendor's list may lag, and only a second look later counts.
    """

    is_certain: bool = False


@dataclass(frozen=True, slots=True)
class CannotTell:
    """A look-up could not be made; ``code`` says why. ``is_final``: nor can it be made later, there is none."""

    code: str
    is_final: bool = False


Outcome = Accepted | Rejected | NotSent | Stopped | Unknown
Found = Accepted | Rejected | NotFound | CannotTell


@dataclass(frozen=True, slots=True)
class Report:
    """What a vendor says of one attempt, unasked, perhaps late, twice or out of order; ``key`` makes it one."""

    key: str
    message_id: int
    attempt: int
    outcome: Accepted | Rejected | None  # None: nothing that changes its fate, for example "deferred"
    status: str  # the vendor's own word


@dataclass(frozen=True, slots=True)
class InboundText:
    """An SMS that somebody sent us; ``sender`` in E.164."""

    key: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """Somebody told the vendor that they want no more surveys and digests by e-mail, or called one spam."""

    key: str
    address: str
    remedy: Remedy


Received = Report | InboundText | Unsubscribed

# A settled outcome may only move a message along these lines; anything else is a late or doubled report.
FOLLOWS: Mapping[MessageState, frozenset[MessageState]] = MappingProxyType(
    {
        MessageState.QUEUED: frozenset({MessageState.SENDING}),
        MessageState.SENDING: frozenset(set(MessageState) - {MessageState.SENDING}),
        MessageState.UNKNOWN: frozenset(
            {MessageState.QUEUED, MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.FAILED}
        ),
        # A carrier may refuse what the vendor took: then the other medium is tried.
        MessageState.ACCEPTED: frozenset({MessageState.DELIVERED, MessageState.FAILED, MessageState.QUEUED}),
        MessageState.DELIVERED: frozenset(),
        MessageState.FAILED: frozenset(),
        MessageState.MERGED: frozenset(),
        MessageState.WITHHELD: frozenset(),
    }
)

# What certainly did not leave is tried again after these many seconds, the last one again and again.
RETRY_DELAYS = (5, 30, 120, 600, 3600)
# Somebody out of reach: again after these many seconds, then by the other medium.
LATER_DELAYS = (1800, 7200)


def message_mark(message_id: int, attempt: int) -> str:
    """``1024-2``: what a vendor carries along with one attempt and tells with each of its reports."""
    return f"{message_id}-{attempt}"


def read_mark(mark: str) -> tuple[int, int] | None:
    """Message id and attempt of a mark; None when it is none of ours."""
    message_id, dash, attempt = mark.partition("-")
    if not dash or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (message_id, attempt)):
        return None
    return int(message_id), int(attempt)


def retry_delay(
    not_sent: int, *, jitter: float, asked: timedelta | None = None, give_up_after: timedelta
) -> timedelta | None:
    """How long to wait after not leaving for the ``not_sent``-th time; None: it has been tried for long enough.

    ``jitter`` 0 to 1 adds up to a quarter. Never shorter than what the vendor ``asked`` for. What a stopped channel or
    the night held back does not count.
    """
    waited = sum(RETRY_DELAYS[: not_sent - 1]) + max(0, not_sent - 1 - len(RETRY_DELAYS)) * RETRY_DELAYS[-1]
    seconds = RETRY_DELAYS[min(not_sent, len(RETRY_DELAYS)) - 1]
    if waited + seconds > give_up_after.total_seconds():
        return None
    return max(timedelta(seconds=seconds * (1 + jitter / 4)), asked or timedelta(0))


def state_after(outcome: Accepted | Rejected) -> MessageState:
    """The state to which a vendor's word settles a message when nothing else can be tried."""
    match outcome:
        case Accepted(delivered=True):
            return MessageState.DELIVERED
        case Accepted():
            return MessageState.ACCEPTED
        case Rejected():
            return MessageState.FAILED


@dataclass(frozen=True, slots=True)
class Retry:
    """The same message by the same medium again, after ``delay``."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class SwitchMedium:
    """The same message by the recipient's other medium, now."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Nothing more is tried; staff are told."""


def after_rejection(remedy: Remedy, *, out_of_reach: int, can_switch: bool) -> Retry | SwitchMedium | Fail:
    """What follows a refusal. ``out_of_reach``: how often that was said before, by this medium; ``can_switch``: the
    other medium is open and was not tried yet."""
    if remedy is Remedy.TRY_LATER and out_of_reach < len(LATER_DELAYS):
        return Retry(timedelta(seconds=LATER_DELAYS[out_of_reach]))
    if remedy is Remedy.GIVE_UP or not can_switch:
        return Fail()
    return SwitchMedium()
