"""Webhooks: what other systems are told of a ticket's events, how it is signed, and when it is tried again.

Signed as https://www.standardwebhooks.com describes, so that receivers verify it with its libraries.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hmac import digest
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from domain.escalation import AlarmKind
from domain.exceptions import InvalidInputError
from domain.interventions import INTERVENTION
from domain.lifecycle import CommandName
from domain.rate_limit import Network

# Every kind of event: commands, alarms, surveys, callbacks, what operations decide, what was scored and reviewed.
EVENT_KINDS = (
    "opened",
    *(command.value for command in CommandName),
    *(alarm.value for alarm in AlarmKind),
    "survey_sent",
    "survey_reminded",
    "survey_expired",
    "survey_call_requested",
    "survey_answered",
    "callback_assigned",
    "callback_escalated",
    "callback_done",
    INTERVENTION,
    "quality_scored",
    "case_reviewed",
)
# Seconds to wait before each further try, the last one again and again.
RETRY_DELAYS = (5, 60, 300, 1800, 7200)
LONGEST_WAIT = timedelta(days=1)
LONGEST_URL = 1000

# A gateway from IPv6 to IPv4: the way ends at the address inside.
_NAT64 = ip_network("64:ff9b::/96")
# Public in form, but inside a cloud they answer for the machine itself.
_METADATA = frozenset({ip_address("168.63.129.16")})


class Verdict(StrEnum):
    """What a receiver's answer means."""

    TAKEN = "taken"
    REFUSED = "refused"  # this one: tried again later, others go on
    OUT_OF_REACH = "out_of_reach"  # all of them: the receiver is left alone for a while
    GONE = "gone"  # it wants no more


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a delivery. ``code``: a status of HTTP or a word; ``asked``: how long the receiver asks to wait."""

    verdict: Verdict
    code: str
    asked: timedelta | None = None


def read_status(status: int, retry_after: str | None, *, now: datetime) -> Answer:
    """What a status of HTTP says. A redirect is not followed: it is a refusal like any other."""
    asked = _asked(retry_after, now)
    match status:
        case _ if 200 <= status < 300:
            return Answer(Verdict.TAKEN, str(status))
        case 410:
            return Answer(Verdict.GONE, "410")
        case 429 | 502 | 503 | 504:
            return Answer(Verdict.OUT_OF_REACH, str(status), asked)
    return Answer(Verdict.REFUSED, str(status), asked)


def _asked(retry_after: str | None, now: datetime) -> timedelta | None:
    """Seconds or a date (RFC 9110), a day at most; None when it says nothing that can be used."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(wait, LONGEST_WAIT) if wait > timedelta() else None


def wait_after(failures: int, *, jitter: float, asked: timedelta | None = None) -> timedelta:
    """How long to wait after the ``failures``-th failure in a row; ``jitter`` 0 to 1 adds up to a quarter.

    Never shorter than what the receiver asked for.
    """
    seconds = RETRY_DELAYS[min(failures, len(RETRY_DELAYS)) - 1]
    return max(timedelta(seconds=seconds * (1 + jitter / 4)), asked or timedelta())


def secret_of(signing_key: str, salt: bytes) -> bytes:
    """The secret of a subscription. It is kept nowhere: without the house's key the salt is worth nothing."""
    return digest(signing_key.encode(), b"webhook secret\x00" + salt, "sha256")


def written_secret(secret: bytes) -> str:
    """The secret as its receiver keeps it."""
    return f"whsec_{b64encode(secret).decode()}"


def signature(secrets: Sequence[bytes], message_id: str, at: datetime, body: bytes) -> str:
    """The header ``webhook-signature``: one signature for each secret that is valid, the newest first."""
    signed = f"{message_id}.{int(at.timestamp())}.".encode() + body
    return " ".join(f"v1,{b64encode(digest(secret, signed, 'sha256')).decode()}" for secret in secrets)


def headers(secrets: Sequence[bytes], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """What goes before the body; ``at`` is the moment of this try."""
    return {
        "content-type": "application/json",
        "user-agent": "Aftercare",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(secrets, message_id, at, body),
    }


def message_id(ticket_number: str, seq: int) -> str:
    """``TK-00001024_7``: the same however often an event is sent, so that a receiver knows it again."""
    return f"{ticket_number}_{seq}"


def payload(event: Mapping[str, Any]) -> bytes:
    """What is told of an event: which, when, and what it did to the ticket. No name, no address, nobody's words:
    a receiver that may know more asks the API."""
    told = {
        "type": f"ticket.{event['kind']}",
        "timestamp": event["at"].astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "ticket": event["ticket_number"],
            "seq": event["seq"],
            "kind": event["kind"],
            "state": event["to_state"],
            "actor_role": event["actor_role"],
        },
    }
    return json.dumps(told, separators=(",", ":")).encode()


def may_be_reached(address: str, inside: Sequence[Network]) -> bool:
    """Whether a webhook may go to this IP address: it is public, or the operator has named its network.

    Loopback, private, link-local, multicast and a cloud's metadata addresses are not public, in whatever form of IPv6
    they are wrapped.
    """
    real = _unwrapped(ip_address(address.partition("%")[0]))
    if _lies_in(real, inside):
        return True
    is_relayed = isinstance(real, IPv6Address) and (real.sixtofour is not None or not int(real) >> 32)
    return real.is_global and not real.is_multicast and not is_relayed and real not in _METADATA


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address):
        return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.ipv4_mapped or address
    return address


def _lies_in(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def check_url(url: str, inside: Sequence[Network]) -> None:
    """Raise InvalidInputError unless webhooks may be sent to this address.

    A name may lead anywhere: where it leads is looked at with each sending. Without TLS only to an address that is
    written as a number and lies in a network that the operator has named.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidInputError("url", "is no address of a page") from error
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    if parts.scheme not in {"https", "http"} or not host or port == 0 or not plain:
        raise InvalidInputError("url", "must be an address like https://crm.example.com/hooks/aftercare")
    if parts.username is not None or parts.fragment:
        raise InvalidInputError("url", "must have no user, password or # in it")
    try:
        number = ip_address(host)
    except ValueError:
        number = None
    if number is not None and not may_be_reached(host, inside):
        raise InvalidInputError("url", "leads to an address that is not public")
    if parts.scheme == "http" and (number is None or not _lies_in(number, inside)):
        raise InvalidInputError("url", "must begin with https://")
