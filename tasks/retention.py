"""The step of data_retention: one batch of what is past its time, in a transaction of its own (S-71)."""

from __future__ import annotations

from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from db import retention
from db.retention import Past
from db.session import transaction
from db.standards import get_standard

KINDS = tuple(Past)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=1)
def let_go(what: Past, now: datetime) -> int:
    """Let all of one kind go, a batch after the other; returns how many went."""
    total = 0
    while True:
        with transaction() as connection:
            gone = retention.let_go(connection, what, standard=get_standard(), now=now)
        total += gone
        if not gone:
            return total
