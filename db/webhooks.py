"""Who is told of events: subscriptions of other systems, their health, and how they end."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.models import WebhookDelivery, WebhookSubscription
from db.rows import Row, fetch, fetch_one
from domain.exceptions import IllegalTransitionError, NotFoundError

_SALT_BYTES = 16
_MOST_OLD = 5
_ACTIVE = WebhookSubscription.ended_at.is_(None)


def subscribe(
    connection: Connection, name: str, url: str, *, kinds: Collection[str], created_by: int | None, now: datetime
) -> Row:
    """Tell this address of every event from now on, or of some kinds only. Raises IllegalTransitionError when it is
    told already."""
    statement = insert(WebhookSubscription).values(
        name=name,
        url=url,
        kinds=sorted(kinds),
        salt=secrets.token_bytes(_SALT_BYTES),
        created_by=created_by,
        created_at=now,
    )
    unless_told = statement.on_conflict_do_nothing(index_elements=["url"], index_where=_ACTIVE)
    added = connection.execute(unless_told.returning(WebhookSubscription.id)).scalar_one_or_none()
    if added is None:
        raise IllegalTransitionError("this address is told already; end that subscription first, or rotate its secret")
    return get(connection, added)


def rotate(connection: Connection, subscription_id: int, *, old_until: datetime, now: datetime) -> Row:
    """Give a subscription a new secret; the one before signs too until then, and so do those before it whose time is
    not over: whoever asks twice has not lost what their receiver knows. Raises NotFoundError."""
    row = get(connection, subscription_id)
    olds = [(row["salt"], old_until), *old_salts(row, now=now)][:_MOST_OLD]
    written = [[salt.hex(), until.isoformat()] for salt, until in olds]
    _change(connection, subscription_id, salt=secrets.token_bytes(_SALT_BYTES), old_salts=written)
    return get(connection, subscription_id)


def old_salts(row: Row, *, now: datetime) -> list[tuple[bytes, datetime]]:
    """The salts before the present one that still count, the newest first, each with its end."""
    known = [(bytes.fromhex(salt), datetime.fromisoformat(until)) for salt, until in row["old_salts"]]
    return [(salt, until) for salt, until in known if now < until]


def resume(connection: Connection, subscription_id: int, *, now: datetime) -> Row:
    """Send again what is owed, with as much patience as at first. Raises NotFoundError."""
    _change(connection, subscription_id, paused_at=None, pause_code=None, failures=0, retry_at=None)
    connection.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.subscription_id == subscription_id)
        .values(due_at=now, attempts=0, first_tried_at=None)
    )
    return get(connection, subscription_id)


def pause(connection: Connection, subscription_id: int, code: str, *, now: datetime) -> None:
    """Send nothing for now; what happens meanwhile stays owed."""
    connection.execute(
        update(WebhookSubscription)
        .where(WebhookSubscription.id == subscription_id, WebhookSubscription.paused_at.is_(None))
        .values(paused_at=now, pause_code=code)
    )


def end(connection: Connection, subscription_id: int, *, now: datetime) -> None:
    """Tell this address nothing any more; what was owed is forgotten. Raises NotFoundError."""
    _change(connection, subscription_id, ended_at=now)
    connection.execute(delete(WebhookDelivery).where(WebhookDelivery.subscription_id == subscription_id))


def tidy(connection: Connection, *, paused_for: timedelta, now: datetime) -> list[str]:
    """End what nobody resumed in this time, and forget what is owed to ended ones; returns their names."""
    left = select(WebhookSubscription.id, WebhookSubscription.name).where(
        _ACTIVE, WebhookSubscription.paused_at <= now - paused_for
    )
    names = []
    for subscription_id, name in connection.execute(left).all():
        end(connection, subscription_id, now=now)
        names.append(name)
    # An event that was being written while its subscription ended has owed it something after all.
    ended = select(WebhookSubscription.id).where(WebhookSubscription.ended_at.is_not(None))
    connection.execute(delete(WebhookDelivery).where(WebhookDelivery.subscription_id.in_(ended)))
    return names


def get(connection: Connection, subscription_id: int) -> Row:
    """A subscription that has not ended, as ``list_all`` has it, with its salts. Raises NotFoundError."""
    row = fetch_one(connection, _shown().where(WebhookSubscription.id == subscription_id))
    if row is None:
        raise NotFoundError(f"no subscription has the id {subscription_id}; see 'aftercare webhook list'")
    return row


def list_all(connection: Connection) -> list[Row]:
    """Subscriptions that have not ended, with how many deliveries they are owed and since when the oldest is due."""
    return fetch(connection, _shown().order_by(WebhookSubscription.id))


def are_there(connection: Connection) -> bool:
    """Whether anybody is to be told anything."""
    return connection.execute(select(WebhookSubscription.id).where(_ACTIVE).limit(1)).first() is not None


def _shown() -> Select[Any]:
    owed = select(func.count()).where(WebhookDelivery.subscription_id == WebhookSubscription.id).scalar_subquery()
    return select(WebhookSubscription.__table__, owed.label("owed")).where(_ACTIVE)


def _change(connection: Connection, subscription_id: int, **values: Any) -> None:
    changed = connection.execute(
        update(WebhookSubscription).where(WebhookSubscription.id == subscription_id, _ACTIVE).values(**values)
    )
    if not changed.rowcount:
        raise NotFoundError(f"no subscription has the id {subscription_id}; see 'aftercare webhook list'")
