"""The steps of telling other systems of events: claim what is owed, hand it over signed, record what came of it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

from prefect import task
from prefect.cache_policies import NO_CACHE

from channels.webhooks import hand_over
from db import deliveries, webhooks
from db.deliveries import Attempt
from db.rows import Row
from db.session import transaction
from db.standards import get_standard
from domain.webhooks import Answer, Verdict, headers, message_id, payload, secret_of
from settings import get_settings

# Of one receiver at a time, and how many of them at once: enough for thousands an hour, and no flood.
BATCH, _AT_ONCE = 50, 8
# What a killed sender had taken is told again after this time; later than half of it nothing is begun.
_LEASE = timedelta(minutes=3)


Told = tuple[Counter[str], str | None]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was claimed for one receiver. ``begin_by``: on ``time.monotonic``."""

    subscription: Row
    deliveries: list[Row]
    begin_by: float

    @property
    def tickets(self) -> list[str]:
        """The numbers of the tickets it tells of."""
        return [row["ticket_number"] for row in self.deliveries]


def has_subscribers() -> bool:
    """Whether anybody is to be told anything."""
    with transaction() as connection:
        return webhooks.are_there(connection)


def tidy_subscriptions(now: datetime) -> list[str]:
    """End what was paused and never resumed; returns the names."""
    with transaction() as connection:
        return webhooks.tidy(connection, paused_for=get_standard().webhooks.end_after, now=now)


def claim_deliveries(*, but: Collection[int], now: datetime) -> list[Batch]:
    """Claim what is due, a batch for each receiver but those that are being told already.

    A receiver that was out of reach gets one to try.
    """
    batches = []
    with transaction() as connection:
        for subscription in deliveries.find_reachable(connection, but=but, now=now):
            begin_by = time.monotonic() + _LEASE.total_seconds() / 2
            limit = 1 if subscription["failures"] else BATCH
            rows = deliveries.claim(connection, subscription["id"], until=now + _LEASE, now=now, limit=limit)
            if rows:
                batches.append(Batch(subscription, rows, begin_by))
    return batches


@task(cache_policy=NO_CACHE, retries=0)
def tell_receiver(batch: Batch, now: datetime) -> Told:
    """Hand a batch over; never retried: what a crash leaves is due again in a few minutes.

    Returns how many had which outcome, and why the subscription was paused, if it was.
    """
    telling = _Telling(batch, now)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="webhook") as threads:
        attempts = list(threads.map(telling.attempt, batch.deliveries))
    with transaction() as connection:
        code = deliveries.settle(
            connection,
            batch.subscription["id"],
            attempts,
            give_up_after=get_standard().webhooks.give_up_after,
            now=now,
        )
    outcomes = Counter(str(attempt.answer.verdict) if attempt.answer else "put off" for attempt in attempts)
    return outcomes, code


class _Telling:
    """One batch: when the receiver is out of reach, the rest is not even tried."""

    def __init__(self, batch: Batch, now: datetime) -> None:
        subscription = batch.subscription
        key = get_settings().signing_key()
        salts = [subscription["salt"], *(salt for salt, _ in webhooks.old_salts(subscription, now=now))]
        self._secrets = [secret_of(key, salt) for salt in salts]
        self._url = subscription["url"]
        self._begin_by = batch.begin_by
        self._now = now
        self._began = time.monotonic()
        self._is_out_of_reach = Event()

    def attempt(self, row: Row) -> Attempt:
        """Hand one over, if there is still sense in it."""
        answer = None
        if not self._is_out_of_reach.is_set() and time.monotonic() < self._begin_by:
            answer = self._hand_over(row)
        return Attempt(row, answer, random.random())  # noqa: S311

    def _hand_over(self, row: Row) -> Answer:
        at = self._now + timedelta(seconds=time.monotonic() - self._began)
        body = payload(row)
        mark = message_id(row["ticket_number"], row["seq"])
        answer = hand_over(
            self._url,
            headers(self._secrets, mark, at, body),
            body,
            inside=get_settings().inside_networks,
            seconds=get_standard().webhooks.answer_within.total_seconds(),
            now=at,
        )
        if answer.verdict in {Verdict.OUT_OF_REACH, Verdict.GONE}:
            self._is_out_of_reach.set()
        return answer
