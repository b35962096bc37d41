"""The steps of the weekly digest: compute the figures, queue one e-mail per manager (S-61)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from db import outbox, reports
from db.outbox import NewMessage
from db.session import transaction
from domain.messages import Medium, MessageKind
from domain.spans import Span, last_full_week
from settings import get_standard
from templates.render import render_markdown


def week_before(now: datetime) -> Span:
    """The last full week at ``now`` in the organisation's zone."""
    return last_full_week(now, get_standard().organisation.time_zone)


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def load_figures(week: Span) -> dict[str, Any]:
    """All figures of the digest."""
    with transaction() as connection:
        return reports.digest(connection, week, get_standard())


@task(cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def queue_digests(figures: dict[str, Any], now: datetime) -> int:
    """Queue the digest for every manager, in their language; once per manager and week. Returns how many are new."""
    with transaction() as connection:
        messages = [
            NewMessage(
                dedupe_key=f"digest:{figures['week']}:staff{manager['id']}",
                kind=MessageKind.WEEKLY_DIGEST,
                medium=Medium.EMAIL,
                language=manager["language"],
                context={"digest": figures},
                staff_id=manager["id"],
            )
            for manager in reports.managers(connection)
        ]
        return outbox.queue(connection, messages, now=now)


def as_markdown(figures: dict[str, Any]) -> str:
    """The digest as it is shown in the Prefect UI: figures and ticket numbers, no names of customers."""
    organisation = get_standard().organisation
    return render_markdown(
        "weekly_digest",
        language=organisation.default_language,
        time_zone=organisation.time_zone,
        digest=figures,
    )
