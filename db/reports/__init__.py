"""Read-only queries behind the digest, by subject; each costs what happened in its span, not the history (S-61)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from db import appraisal
from db.reports import actions, benchmarks, breaches, callbacks, promises, satisfaction, volume, words
from domain.appraisal import appraise, lists_of
from domain.digest import Counts, compute
from domain.spans import Span
from domain.standard import Standard

_ENOUGH = timedelta(weeks=4)


def digest(connection: Connection, span: Span, standard: Standard) -> dict[str, Any]:
    """All figures of the digest, counted by the database, as JSON values (``domain.digest.compute``)."""
    # Everything is found by the index of its moment; Postgres's own figure is that of turning disks, by which it would
    # rather read whole tables.
    connection.execute(text("SET LOCAL random_page_cost = 1.1"))
    counts = Counts(
        opened=volume.opened(connection, span),
        finished=volume.finished(connection, span),
        open_at=volume.open_at_ends(connection, span),
        promises=promises.judged(connection, span),
        signs=breaches.signs(connection, span),
        breaches=breaches.worst(connection, span),
        asked=satisfaction.asked(connection, span),
        answers=satisfaction.answered(connection, span, low_score=standard.callback.low_score),
        low_scores=satisfaction.lowest(connection, span, low_score=standard.callback.low_score),
        callbacks=callbacks.due(connection, span),
        words=words.frequent_wishes(connection, span, standard.feedback),
        actions=actions.open_at_end(connection, span),
        answered=benchmarks.answered(connection, span, standard),
        informed=benchmarks.informed(connection, span, standard),
        people=_people(connection, span, standard),
    )
    return compute(counts, span, standard)


def _people(connection: Connection, span: Span, standard: Standard) -> dict[str, list[dict[str, Any]]]:
    """Whom to praise and whom to coach (S-57), by at least four weeks: a week says too little. Of a region: nobody."""
    since = min(span.since, span.until - _ENOUGH)
    rows = [] if span.region else appraisal.measured(connection, since=since, until=span.until)
    return lists_of(appraise(rows, standard.appraisal))
