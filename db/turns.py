"""Whose turn it is: locks on what has no row yet, held until the transaction ends."""

from __future__ import annotations

from sqlalchemy import Connection, text

from domain.intake import CustomerDetails

# Several in one round trip, in the order of the array.
_TAKE = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(name, kind)) "
    "FROM unnest(CAST(:names AS text[]), CAST(:kinds AS bigint[])) AS turns(name, kind)"
)
_CUSTOMER, _KEY = 0, 1


def take(connection: Connection, *, key: str | None = None, customer: CustomerDetails | None = None) -> None:
    """Wait until nobody else is at work with this idempotency key, or adds this customer (normalised)."""
    turns = [(key, _KEY)] if key is not None else []
    if customer is not None:
        # In one order, so that two who wait for both never wait for each other.
        addresses = sorted(filter(None, (customer.phone, (customer.email or "").lower())))
        turns += [(f"customer:{address}", _CUSTOMER) for address in addresses]
    connection.execute(_TAKE, {"names": [name for name, _ in turns], "kinds": [kind for _, kind in turns]})
