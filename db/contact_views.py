"""Who looked at how a customer is reached, and when; nothing of it is changed afterwards (S-71)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from db.models import ContactView
from domain.people import Actor

# Whoever looks again so soon is still at the same work.
SAME_LOOK = timedelta(minutes=10)


def note(
    connection: Connection,
    actor: Actor,
    customer_ids: Sequence[int],
    *,
    ticket_id: int | None = None,
    where: str,
    now: datetime,
) -> None:
    """Record that a member of staff was shown the contact data of these customers, in the transaction that read them.

    ``where``: the page or command. Once in SAME_LOOK for each customer and place.
    """
    recently = select(ContactView.customer_id).where(
        ContactView.staff_id == actor.id,
        ContactView.customer_id.in_(customer_ids),
        ContactView.seen_on == where,
        ContactView.at > now - SAME_LOOK,
    )
    known = set(connection.execute(recently).scalars())
    rows = [
        {"staff_id": actor.id, "customer_id": customer_id, "ticket_id": ticket_id, "seen_on": where, "at": now}
        for customer_id in dict.fromkeys(customer_ids)
        if customer_id not in known
    ]
    if rows:
        connection.execute(insert(ContactView), rows)
