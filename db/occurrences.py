"""This file records what happens to a ticket without a command: its event and its notices, under the ticket's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from db import entries, events, outbox
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
    ticket |= {"event_count": rows[0]["seq"], "event_digest": rows[0]["digest"]}
    notices = _notices(held, tells_staff, context or {}, tells_customer)
    entries.write(held.connection, rows, {}, messages=notices, now=now)


def tell(
    held: HeldTicket,
    tells_staff: Sequence[tuple[int, str, MessageKind]],
    context: Mapping[str, Any],
    *,
    now: datetime,
    tells_customer: MessageKind | None = None,
) -> None:
    """Queue notices about the last event of a held ticket."""
    outbox.queue(held.connection, _notices(held, tells_staff, context, tells_customer), now=now)


def _notices(
    held: HeldTicket,
    tells_staff: Sequence[tuple[int, str, MessageKind]],
    context: Mapping[str, Any],
    tells_customer: MessageKind | None,
) -> list[outbox.NewMessage]:
    if tells_customer is None and not tells_staff:
        return []
    ticket = held.row
    words = ticket_context(ticket, held.clocks) | dict(context)
    occasion = f"e{ticket['event_count']}"
    messages = [to_staff(ticket, person, lang, message, occasion, words) for person, lang, message in tells_staff]
    if tells_customer is not None:
        messages.append(to_customer(ticket, tells_customer, occasion, words))
    return messages
