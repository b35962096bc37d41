"""Reading customers; they are added by ``db.intake``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from db.models import Customer
from db.rows import fetch, fetch_one
from domain.exceptions import NotFoundError

_GET = select(Customer.__table__).where(Customer.id == bindparam("wanted"))


def get(connection: Connection, customer_id: int) -> dict[str, Any]:
    """A customer. Raises NotFoundError."""
    row = fetch_one(connection, _GET, wanted=customer_id)
    if row is None:
        raise NotFoundError(f"no customer has the id {customer_id}")
    return row


def find(connection: Connection, *, phone: str | None, email: str | None) -> list[dict[str, Any]]:
    """The customers with this number (E.164) or this address in any case."""
    query = select(Customer.__table__).where(
        or_(Customer.phone == (phone or ""), func.lower(Customer.email) == (email or "").lower())
    )
    return fetch(connection, query.order_by(Customer.id))
