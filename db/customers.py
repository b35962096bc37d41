"""Reading customers; they are added by ``db.intake``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from db.models import Customer
from db.rows import fetch, fetch_one
from domain.exceptions import NotFoundError

_GET = select(Customer.__table__).where(Customer.id == bindparam("wanted"))
# The first customer with this number or this address; a part of greater statements too.
KNOWN_BY = (
    select(Customer.id)
    .where(or_(Customer.phone == bindparam("phone"), func.lower(Customer.email) == bindparam("email")))
    .order_by(Customer.id)
    .limit(1)
)


def get(connection: Connection, customer_id: int) -> dict[str, Any]:
    """A customer. Raises NotFoundError."""
    row = fetch_one(connection, _GET, wanted=customer_id)
    if row is None:
        raise NotFoundError(f"no customer has the id {customer_id}")
    return row


def find_id(connection: Connection, *, phone: str | None, email: str | None) -> int | None:
    """The first customer with this number (E.164) or this address in any case."""
    return connection.execute(KNOWN_BY, known_by(phone=phone, email=email)).scalar_one_or_none()


def known_by(*, phone: str | None, email: str | None) -> dict[str, str]:
    """The values of ``KNOWN_BY``. An empty text is nobody's; None would be everybody's who has none."""
    return {"phone": phone or "", "email": (email or "").lower()}


def find(connection: Connection, *, phone: str | None, email: str | None) -> list[dict[str, Any]]:
    """The customers with this number (E.164) or this address in any case."""
    query = select(Customer.__table__).where(
        or_(Customer.phone == (phone or ""), func.lower(Customer.email) == (email or "").lower())
    )
    return fetch(connection, query.order_by(Customer.id))
