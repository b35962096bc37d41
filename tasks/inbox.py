"""The step that handles what vendors posted to us: reports on messages, texts of customers, unsubscriptions."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy.exc import SQLAlchemyError

import tracing
from db import inbound, inbox
from db.session import transaction
from db.standards import get_standard
from domain.exceptions import DomainError
from tasks import story

BATCH = 200


def inbox_pending() -> int:
    """How many entries nobody has handled."""
    with transaction() as connection:
        return inbox.count_pending(connection)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=1)
@story.traced("take in")
def handle_inbox(now: datetime) -> Counter[str]:
    """Handle what came, each entry in a transaction of its own; returns how many had which result."""
    results: Counter[str] = Counter()
    standard = get_standard()
    for _ in range(BATCH):
        with transaction() as connection:
            claimed = inbox.claim(connection, limit=1)
            if not claimed:
                break
            entry = claimed[0]
            says = {"messaging.system": entry["source"], "aftercare.inbox.kind": entry["kind"]}
            try:
                with (
                    connection.begin_nested(),
                    tracing.span(f"take in {entry['kind']}", says, caused_by=entry["traceparent"]),
                ):
                    said = inbox.read(entry)
                    result = inbound.handle(connection, entry["source"], said, standard=standard, now=now)
            except (DomainError, SQLAlchemyError, LookupError, TypeError, ValueError) as error:
                # Kept with its problem for a person to see; it must not hold up what came after it.
                result = f"problem: {type(error).__name__}"
            inbox.settle(connection, {entry["id"]: result}, now=now)
            results[result] += 1
    return results
