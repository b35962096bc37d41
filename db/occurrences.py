"""This file records what happens to a ticket without a command: its event and its notices, under the ticket's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from db import events, outbox
from db.held import HeldTicket
from db.notices import ticket_context, to_customer, to_staff
from domain.messages import MessageKind
from domain.people import Actor


def record(
    held: HeldTicket,
    kind: str,
    actor: Actor,
    *,
    now: datetime,
    facts: Mapping[str, Any],
    tells_customer: MessageKind | None = None,
    tells_staff: Sequence[tuple[int, str, MessageKind]] = (),
    context: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> None:
    """Append an event to a held ticket and queue its notices.

    ``tells_staff``: id, language and message for each member of staff who is told.
    """
    ticket = held.row
    event = events.NewEvent(kind, actor, now, ticket["state"], {}, facts, idempotency_key)
    rows = events.chained_rows(held.id, ticket["event_count"], ticket["event_digest"], [event])
    events.append_with_ticket(held.connection, rows, {})
    ticket |= {"event_count": rows[0]["seq"], "event_digest": rows[0]["digest"]}
    tell(held, tells_staff, context or {}, now=now, tells_customer=tells_customer)


def tell(
    held: HeldTicket,
    tells_staff: Sequence[tuple[int, str, MessageKind]],
    context: Mapping[str, Any],
    *,
    now: datetime,
    tells_customer: MessageKind | None = None,
) -> None:
    """Queue notices about the last event of a held ticket."""
    if tells_customer is None and not tells_staff:
        return
    ticket = held.row
    words = ticket_context(ticket, held.clocks) | dict(context)
    occasion = f"e{ticket['event_count']}"
    messages = [to_staff(ticket, person, lang, message, occasion, words) for person, lang, message in tells_staff]
    if tells_customer is not None:
        messages.append(to_customer(ticket, tells_customer, occasion, words))
    outbox.queue(held.connection, messages, now=now)
