"""The watch list of customers who may be lost, and what was done for them (S-58)."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, insert, select, text

from db.models import CareTaken, Customer, Staff
from db.rows import Row, fetch
from domain.access import MAY_CARE, require_role
from domain.churn import Care, Sign
from domain.exceptions import IllegalTransitionError
from domain.people import Actor
from domain.quality_policies import ChurnPolicy

# What happened before a customer was last cared for is forgiven. A fault is repeated when it is not the first within
# the window.
_WATCHED = """
WITH signs AS (
  SELECT t.customer_id, 'low_score' AS sign, a.answered_at AS at, t.number
  FROM survey_answers a JOIN surveys s ON s.id = a.survey_id JOIN tickets t ON t.id = s.ticket_id
  WHERE a.answered_at >= :since AND a.overall <= :low_score
  UNION ALL
  SELECT t.customer_id, 'broken_promise', c.breached_at, t.number
  FROM sla_clocks c JOIN tickets t ON t.id = c.ticket_id
  WHERE c.breached_at >= :since AND c.kind IN ('response', 'resolution') AND t.state <> 'cancelled'
  UNION ALL
  SELECT customer_id, 'repeat_fault', opened_at, number FROM (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY opened_at, id) AS nth FROM tickets
    WHERE opened_at >= :since AND category = 'product_fault' AND state <> 'cancelled'
  ) faults WHERE nth > 1
  UNION ALL
  SELECT t.customer_id, 'repeat_fault', e.at, t.number FROM ticket_events e JOIN tickets t ON t.id = e.ticket_id
  WHERE e.at >= :since AND e.kind IN ('reopen', 'report_not_fixed')
), cared AS (
  SELECT customer_id, max(at) AS at FROM care_taken WHERE at >= :since GROUP BY customer_id
)
SELECT customer.id, customer.name AS customer_name, customer.tier, customer.region, customer.wants_anonymity,
  count(*) FILTER (WHERE sign = 'low_score') AS low_score,
  count(*) FILTER (WHERE sign = 'repeat_fault') AS repeat_fault,
  count(*) FILTER (WHERE sign = 'broken_promise') AS broken_promise,
  sum((CAST(:points AS jsonb) ->> sign)::int) AS points,
  max(signs.at) AS last_at,
  array_agg(DISTINCT signs.number) AS numbers
FROM signs JOIN customers customer ON customer.id = signs.customer_id LEFT JOIN cared ON cared.customer_id = customer.id
WHERE customer.erased_at IS NULL AND (cared.at IS NULL OR signs.at > cared.at)
  AND (CAST(:only AS bigint) IS NULL OR customer.id = :only)
GROUP BY customer.id
HAVING sum((CAST(:points AS jsonb) ->> sign)::int) >= :least
ORDER BY points DESC, last_at DESC, customer.id
LIMIT :most
"""


def watched(
    connection: Connection, policy: ChurnPolicy, *, low_score: int, now: datetime, limit: int, only: int | None = None
) -> list[Row]:
    """Customers with enough points, the most first: how many of each sign, tickets, when the last one was."""
    return fetch(
        connection,
        text(_WATCHED),
        since=now - policy.within,
        low_score=low_score,
        points=json.dumps(policy.points),
        least=policy.least_points,
        only=only,
        most=limit,
    )


def take_care(
    connection: Connection,
    customer_id: int,
    actor: Actor,
    care: Care,
    *,
    policy: ChurnPolicy,
    low_score: int,
    now: datetime,
) -> None:
    """Keep what was done; the customer leaves the list until something new happens.

    Raises NotPermittedError, or IllegalTransitionError when the customer is not on the list (any more).
    """
    require_role(actor, MAY_CARE, "caring for customers who may be lost")
    connection.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update(key_share=True))
    found = watched(connection, policy, low_score=low_score, now=now, limit=1, only=customer_id)
    if not found:
        raise IllegalTransitionError("this customer is not on the watch list any more")
    signs = {sign.value: found[0][sign.value] for sign in Sign}
    values = {"customer_id": customer_id, "action": care.action.value, "note": care.note, "signs": signs}
    connection.execute(insert(CareTaken).values(**values, at=now, taken_by=actor.id))


def taken(connection: Connection, *, limit: int) -> list[Row]:
    """What was done lately, for whom, by whom; the newest first."""
    query = (
        select(
            CareTaken.__table__,
            Customer.name.label("customer_name"),
            Customer.wants_anonymity,
            Staff.name.label("taken_by_name"),
        )
        .join(Customer, Customer.id == CareTaken.customer_id)
        .join(Staff, Staff.id == CareTaken.taken_by)
        .order_by(CareTaken.id.desc())
        .limit(limit)
    )
    return fetch(connection, query)
