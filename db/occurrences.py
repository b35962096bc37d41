"""This file records what happens to a ticket without a command: its event and its notices, under the ticket's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from db import clocks, events, outbox
from db.notices import ticket_context, to_customer, to_staff
from domain.messages import MessageKind
from domain.people import Actor


def record(
    connection: Connection,
    ticket: dict[str, Any],
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
    """Append an event to a locked ticket and queue its notices; ``ticket`` keeps count and digest up to date.

    ``tells_staff``: id, language and message for each member of staff who is told.
    """
    event = events.NewEvent(kind, actor, now, ticket["state"], {}, facts, idempotency_key)
    rows = events.chained_rows(ticket["id"], ticket["event_count"], ticket["event_digest"], [event])
    events.append(connection, rows)
    ticket["event_count"], ticket["event_digest"] = rows[0]["seq"], rows[0]["digest"]
    events.turn(connection, rows)
    if tells_customer is None and not tells_staff:
        return
    words = ticket_context(ticket, clocks.of_ticket(connection, ticket["id"], ticket["round"])) | dict(context or {})
    occasion = f"e{ticket['event_count']}"
    messages = [to_staff(ticket, person, lang, message, occasion, words) for person, lang, message in tells_staff]
    if tells_customer is not None:
        messages.append(to_customer(ticket, tells_customer, occasion, words))
    outbox.queue(connection, messages, now=now)
