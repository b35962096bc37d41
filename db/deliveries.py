"""What other systems are still to be told: owed by a trigger with each event, claimed in order, gone when taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, text, tuple_, update

from db.models import WebhookDelivery, WebhookSubscription
from db.rows import Row, fetch
from db.webhooks import pause
from domain.webhooks import Answer, Verdict, wait_after

# A ticket's events are told in their order: only the first that is owed can be claimed.
_CLAIM = text("""
    WITH c AS MATERIALIZED (
        SELECT w.subscription_id, w.ticket_id, w.seq FROM webhook_deliveries w
        WHERE w.subscription_id = :subscription AND w.due_at <= :now AND NOT EXISTS (
            SELECT FROM webhook_deliveries b
            WHERE b.subscription_id = w.subscription_id AND b.ticket_id = w.ticket_id AND b.seq < w.seq
        )
        ORDER BY w.due_at, w.ticket_id LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE webhook_deliveries d
    SET attempts = d.attempts + 1, due_at = :until, first_tried_at = coalesce(d.first_tried_at, :now)
    FROM c, ticket_events e, tickets t
    WHERE (d.subscription_id, d.ticket_id, d.seq) = (c.subscription_id, c.ticket_id, c.seq)
      AND (e.ticket_id, e.seq) = (c.ticket_id, c.seq) AND t.id = c.ticket_id
    RETURNING d.ticket_id, d.seq, d.attempts, d.first_tried_at, t.number AS ticket_number,
              e.kind, e.at, e.to_state, e.actor_role
""")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one claimed delivery; ``answer`` None: it was not tried. ``jitter``: 0 to 1."""

    row: Row
    answer: Answer | None
    jitter: float


def find_reachable(connection: Connection, *, but: Collection[int], now: datetime) -> list[Row]:
    """Subscriptions with something due that are neither paused nor to be left alone for a while."""
    due = select(WebhookDelivery.seq).where(
        WebhookDelivery.subscription_id == WebhookSubscription.id, WebhookDelivery.due_at <= bindparam("now")
    )
    query = select(WebhookSubscription.__table__).where(
        WebhookSubscription.ended_at.is_(None),
        WebhookSubscription.paused_at.is_(None),
        (WebhookSubscription.retry_at.is_(None)) | (WebhookSubscription.retry_at <= bindparam("now")),
        WebhookSubscription.id.not_in(but),
        due.exists(),
    )
    return fetch(connection, query.order_by(WebhookSubscription.id), now=now)


def claim(connection: Connection, subscription_id: int, *, until: datetime, now: datetime, limit: int) -> list[Row]:
    """Take deliveries that are due, the oldest first and one of each ticket; nobody else gets them before ``until``."""
    values = {"subscription": subscription_id, "until": until, "now": now, "most": limit}
    return fetch(connection, _CLAIM, **values)


def settle(
    connection: Connection,
    subscription_id: int,
    attempts: Sequence[Attempt],
    *,
    give_up_after: timedelta,
    now: datetime,
) -> str | None:
    """Forget what was taken, put off the rest, and leave a receiver alone that is out of reach.

    Returns why the subscription was paused now, if it was: one delivery was tried for too long, or it wants no more.
    """
    subscription = _lock(connection, subscription_id)
    taken = [a for a in attempts if a.answer is not None and a.answer.verdict is Verdict.TAKEN]
    _forget(connection, subscription_id, taken)
    has_answered = any(a.answer is not None and a.answer.verdict is not Verdict.OUT_OF_REACH for a in attempts)
    far = next((a for a in attempts if a.answer is not None and a.answer.verdict is Verdict.OUT_OF_REACH), None)
    values: dict[str, Any] = {"last_taken_at": now} if taken else {}
    if far is not None and far.answer is not None:
        failures = min(subscription["failures"] + 1, 1000)
        wait = wait_after(failures, jitter=far.jitter, asked=far.answer.asked)
        values |= {"failures": failures, "retry_at": now + wait, "last_code": far.answer.code}
    elif has_answered:
        values |= {"failures": 0, "retry_at": None}
    code = None
    for attempt in attempts:
        code = _put_off(connection, subscription_id, attempt, give_up_after, now) or code
    if values:
        connection.execute(
            update(WebhookSubscription).where(WebhookSubscription.id == subscription_id).values(**values)
        )
    if code is not None:
        pause(connection, subscription_id, code, now=now)
    return code


def _lock(connection: Connection, subscription_id: int) -> Row:
    query = select(WebhookSubscription.failures).where(WebhookSubscription.id == subscription_id)
    # Not so strong that events which owe it something would wait.
    return fetch(connection, query.with_for_update(key_share=True))[0]


def _forget(connection: Connection, subscription_id: int, taken: Sequence[Attempt]) -> None:
    places = [(a.row["ticket_id"], a.row["seq"]) for a in taken]
    if places:
        connection.execute(
            delete(WebhookDelivery).where(
                WebhookDelivery.subscription_id == subscription_id,
                tuple_(WebhookDelivery.ticket_id, WebhookDelivery.seq).in_(places),
            )
        )


def _put_off(
    connection: Connection, subscription_id: int, attempt: Attempt, give_up_after: timedelta, now: datetime
) -> str | None:
    """Say when a delivery that was not taken is due again; returns a code when that was the last try."""
    row, answer = attempt.row, attempt.answer
    mine = update(WebhookDelivery).where(
        WebhookDelivery.subscription_id == subscription_id,
        WebhookDelivery.ticket_id == row["ticket_id"],
        WebhookDelivery.seq == row["seq"],
        # Whoever took it since, because this sender was slow, has the say.
        WebhookDelivery.attempts == row["attempts"],
    )
    if answer is None:
        connection.execute(mine.values(due_at=now, attempts=row["attempts"] - 1))
        return None
    if answer.verdict is Verdict.TAKEN:
        return None
    # Out of reach: the receiver as a whole waits, and this one is the first that it gets then.
    waits = answer.verdict is Verdict.REFUSED
    wait = wait_after(row["attempts"], jitter=attempt.jitter, asked=answer.asked) if waits else timedelta()
    connection.execute(mine.values(due_at=now + wait, last_code=answer.code))
    is_over = answer.verdict is Verdict.GONE or now - row["first_tried_at"] >= give_up_after
    return answer.code if is_over else None
