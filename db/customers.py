"""Reading customers; they are added by ``db.intake``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from db.models import Customer
from db.rows import fetch_one
from domain.exceptions import NotFoundError


def get(connection: Connection, customer_id: int) -> dict[str, Any]:
    """A customer. Raises NotFoundError."""
    row = fetch_one(connection, select(Customer.__table__).where(Customer.id == customer_id))
    if row is None:
        raise NotFoundError(f"no customer has the id {customer_id}")
    return row
