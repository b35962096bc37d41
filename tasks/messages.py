"""The steps of delivery after the claim: hand over, record the fate, look up what is unclear."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy.exc import OperationalError

import logs
import tracing
from channels.base import Outgoing, Sent, Transport
from db import doubts, enclosures, fates, handovers, outbox
from db.fates import Attempt
from db.rows import Row
from db.session import transaction
from db.standards import get_standard
from domain.delivery import CannotTell, Found, NotSent, Outcome, Stopped, Unknown
from domain.messages import Medium
from domain.tickets import ticket_number
from settings import SettingsError
from tasks import story, words
from tasks.transports import transport

_log = logging.getLogger(logs.OURS)
BATCH = 200
# A vendor answers in tens of milliseconds, most of which a thread waits.
SENDERS = 40
# Seconds after which the fates known so far are recorded; what a kill in between loses is looked up.
_SETTLE_EVERY = 0.2
_PATIENCE = (0.1, 0.5, 2.0)  # seconds
# Vendors are asked about so many at a time; what is to be sent does not wait long for it.
_LOOKS = 40


@task(cache_policy=NO_CACHE, retries=0)
@story.traced("send messages")
def send_messages(medium: Medium, message_ids: Sequence[int], send_by: float, now: datetime) -> Counter[str]:
    """Hand messages over, many at a time, and record each fate; never retried: a crash leaves ``sending``, which is
    looked up.

    Returns how many had which outcome.
    """
    through = transport(medium)
    with transaction() as connection:
        rows = outbox.frozen(connection, message_ids)
        files = enclosures.of_messages(connection, message_ids) if medium is Medium.EMAIL else {}
    by_address: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_address[row["address"]].append(row | {"enclosures": files.get(row["id"], ())})
    sending = _Sending(through, send_by, now)
    pending = {_pool().submit(copy_context().run, sending.in_order, letters) for letters in by_address.values()}
    outcomes: Counter[str] = Counter()
    while pending:
        done, pending = wait(pending, timeout=_SETTLE_EVERY)
        attempts = [attempt for future in done for attempt in future.result()]
        _settle(attempts, medium, through.name, now)
        outcomes.update(type(attempt.outcome).__name__.lower() for attempt in attempts)
    return outcomes


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(SENDERS, thread_name_prefix="sender")


def _settle(attempts: Sequence[Attempt], medium: Medium, provider: str, now: datetime) -> None:
    """Record outcomes; tried again when two workers stood in each other's way or the database was away for a moment."""
    for patience in (*_PATIENCE, None):
        try:
            with transaction() as connection:
                fates.settle(connection, attempts, provider=provider, policy=get_standard().delivery, now=now)
                handovers.keep(connection, _timed(attempts, medium, provider, now))
            return
        except OperationalError:
            if patience is None:
                raise
            time.sleep(patience)


def _timed(attempts: Sequence[Attempt], medium: Medium, provider: str, now: datetime) -> list[Row]:
    fixed = {"at": now, "medium": medium.value, "provider": provider}
    return [
        fixed | {"outcome": type(a.outcome).__name__.lower(), "took": a.took, "waited": a.waited}
        for a in attempts
        if a.took is not None
    ]


@dataclass
class _Sending:
    """One hand-over of many messages; when the vendor refuses us, the rest is not even tried."""

    through: Transport
    send_by: float
    now: datetime
    stopped: Stopped | None = None

    def in_order(self, rows: Sequence[Row]) -> list[Attempt]:
        """Hand over one reader's messages in the order in which they were owed."""
        return [self._attempt(row) for row in rows]

    def _attempt(self, row: Row) -> Attempt:
        attempt = partial(Attempt, row["id"], row["attempts"], jitter=random.random())  # noqa: S311
        if self.stopped is not None:
            return attempt(self.stopped)
        began = time.monotonic()
        if began > self.send_by:
            return attempt(NotSent("too_late"))
        outcome = self._send(row)
        return attempt(outcome, took=time.monotonic() - began, waited=self._waited(row))

    def _waited(self, row: Row) -> float | None:
        if row["attempts"] > 1:  # its vendor's fault, or by design
            return None
        claimed = self.send_by - get_standard().delivery.unknown_after.total_seconds() / 2  # as claims.py reckons
        owed_until_claim: timedelta = self.now - max(row["queued_at"], row["send_after"])
        return owed_until_claim.total_seconds() + time.monotonic() - claimed

    def _send(self, row: Row) -> Outcome:
        with tracing.span(f"send {row['kind']}", self._says(row), kind="client", caused_by=row["traceparent"]):
            try:
                outcome = self.through.send(_outgoing(row), now=self.now)
            except Exception as error:  # noqa: BLE001  whatever a transport did not foresee, only this one is in doubt
                outcome = Unknown(f"crashed: {type(error).__name__}")
            word = type(outcome).__name__.lower()
            tracing.describe({"aftercare.outcome": word})
        facts = {"ticket": _number(row), "message_id": row["id"], "kind": row["kind"], "medium": row["medium"]}
        _log.info("send", extra=facts | {"vendor": self.through.name, "outcome": word})
        if isinstance(outcome, Stopped):
            self.stopped = outcome
        return outcome

    def _says(self, row: Row) -> tracing.Attributes:
        return {
            tracing.TICKET: _number(row),
            "messaging.system": self.through.name,
            "messaging.operation.type": "send",
            "messaging.message.id": str(row["id"]),
            "aftercare.message.kind": row["kind"],
            "aftercare.message.medium": row["medium"],
        }


def _number(row: Row) -> str | None:
    return ticket_number(row["ticket_id"]) if row["ticket_id"] else None


def are_doubts_due(*, now: datetime) -> bool:
    """Whether a message's fate is to be looked up."""
    with transaction() as connection:
        return doubts.are_due(connection, now=now)


@task(cache_policy=NO_CACHE, retries=0)
def look_up_doubts(now: datetime) -> Counter[str]:
    """Ask the transports about messages whose fate is unclear; returns how many had which result."""
    policy = get_standard().delivery
    results: Counter[str] = Counter()
    with transaction() as connection:
        unclear = doubts.claim(connection, policy=policy, now=now, limit=_LOOKS)
    for doubt, found in zip(unclear, _pool().map(_look_up, unclear), strict=True):
        provider = doubt.row["provider"]
        with transaction() as connection:
            results[doubts.settle(connection, doubt, found, provider=provider, policy=policy, now=now)] += 1
    return results


def _look_up(doubt: doubts.Doubt) -> Found:
    """Ask the transport that had the message; another one, chosen since, knows nothing of it."""
    try:
        through = transport(Medium(doubt.row["medium"]))
    except SettingsError:
        return CannotTell("not_configured")
    if through.name != doubt.row["provider"]:
        return CannotTell("another_transport", is_final=True)
    return through.lookup(_sent(doubt.row, doubt.known_ids))


def _outgoing(row: Row) -> Outgoing:
    return Outgoing(
        id=row["id"],
        attempt=row["attempts"],
        medium=Medium(row["medium"]),
        address=row["address"],
        subject=row["subject"],
        body=row["body"],
        html=row["html"],
        # RFC 8058 asks for https; without a public address there is nothing a mail program could reach.
        unsubscribe_url=link if (link := words.unsubscribe_link(row) or "").startswith("https://") else None,
        enclosures=row["enclosures"],
    )


def _sent(row: Row, known_ids: frozenset[str]) -> Sent:
    return Sent(
        id=row["id"],
        attempt=row["attempts"],
        address=row["address"],
        subject=row["subject"],
        body=row["body"],
        started_at=row["sending_at"],
        provider_id=row["provider_id"],
        known_ids=known_ids,
    )
