"""What SendGrid's events say: which attempt, what became of it, who wants no more."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from channels.codes import Codes, failed_later
from domain.delivery import Accepted, Received, Rejected, Remedy, Report, Unsubscribed, read_mark

MARK = "aftercare_mid"

# A message's id in events and logs is that of its answer with the server behind it.
SERVER_PART = re.compile(r"\.(?:filter|recvd)")
ENHANCED_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.\d{1,3}(?!\.?\d)")  # not part of an IP address
DELIVERY_EVENTS = frozenset({"processed", "delivered", "deferred", "bounce", "blocked", "dropped"})
UNSUBSCRIBING = {
    "spamreport": Remedy.COMPLAINED,
    "unsubscribe": Remedy.OPTED_OUT,
    "group_unsubscribe": Remedy.OPTED_OUT,
}
DROP_REASONS = (
    "bounced address",
    "blocked address",
    "spam reporting address",
    "unsubscribed address",
    "spam content",
    "recipient list over package quota",
    "invalid smtpapi header",
    "invalid",
)


def read_event(event: Mapping[str, Any]) -> Received | None:
    """What one event says; None for other people's mail, and for what changes nothing (open, click)."""
    message = read_mark(_text(event, MARK))
    if message is None:
        return None
    status = _text(event, "event")
    if status in UNSUBSCRIBING:
        return Unsubscribed(_key(event), _text(event, "email"), UNSUBSCRIBING[status])
    if status == "bounce" and _text(event, "type") == "blocked":
        status = "blocked"
    if status not in DELIVERY_EVENTS:
        return None
    outcome = None
    if status != "deferred":
        outcome = fate(status, provider_id(event), _text(event, "reason"), _text(event, "status"))
    return Report(_key(event), *message, outcome, status)


def provider_id(mail: Mapping[str, Any]) -> str:
    """The id of an event's or a log row's mail as SendGrid's answer told it."""
    return SERVER_PART.split(_text(mail, "sg_message_id"))[0]


def fate(status: str, vendor_id: str, reason: str, enhanced: str) -> Accepted | Rejected:
    """What a status means. Codes never hold the reason itself: mail servers put addresses into it."""
    if status == "dropped":
        known = next((words for words in DROP_REASONS if reason.lower().startswith(words)), None)
        code = f"dropped {known}" if known else "dropped"
        return failed_later(Codes.SENDGRID_EVENT, code, code, "dropped", provider_id=vendor_id)
    if status in {"bounce", "blocked"}:
        exact = ENHANCED_STATUS.search(enhanced) or ENHANCED_STATUS.search(reason)
        code = f"{status} {exact[0]}" if exact else status
        classes = (f"{status} {exact[1]}.{exact[2]}", f"{status} {exact[1]}") if exact else ()
        return failed_later(Codes.SENDGRID_EVENT, code, code, *classes, status, provider_id=vendor_id)
    return Accepted(vendor_id, delivered=status == "delivered")


def _key(event: Mapping[str, Any]) -> str:
    """What makes the event one: its id, which a few of them lack."""
    parts = [_text(event, name) for name in ("event", "email", "timestamp", "sg_message_id")]
    return _text(event, "sg_event_id") or hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _text(event: Mapping[str, Any], name: str) -> str:
    """A field as text that a database can keep: no NUL, no half of a surrogate pair."""
    value = event.get(name)
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
