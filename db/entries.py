"""What one command or occurrence leaves on a held ticket: event, ticket, clocks and messages in one statement.

A round trip costs more than what it writes; the four have no order among them that anybody could see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Table, TextClause, bindparam, text

from db import bulk, events, outbox
from db.models import Message, SlaClock, Ticket, TicketEvent

_EVENTS, _TICKETS, _CLOCKS, _MESSAGES = (
    cast("Table", model.__table__) for model in (TicketEvent, Ticket, SlaClock, Message)
)


def write(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    changes: Mapping[str, Any],
    *,
    messages: Sequence[outbox.NewMessage],
    moved_clocks: Sequence[Mapping[str, Any]] = (),
    now: datetime,
) -> int:
    """Write chained rows, the ticket with its changes, count and digest, columns of its clocks, and its messages.

    The caller holds the ticket's lock. Returns the first event's id. Raises DomainError when a message lacks something
    its words need.
    """
    first, *others = rows
    changes = {**changes, "event_count": rows[-1]["seq"], "event_digest": rows[-1]["digest"]}
    values = {f"new_{name}": value for name, value in changes.items()}
    values |= {f"event_{name}": value for name, value in first.items()}
    owed = [outbox.row_of(message, now=now) for message in messages]
    if owed:
        values["owed"] = bulk.document(owed)
    if moved_clocks:
        values["moved"] = bulk.document(moved_clocks)
    statement = _statement(
        tuple(first),
        tuple(sorted(changes)),
        tuple(owed[0]) if owed else (),
        tuple(moved_clocks[0]) if moved_clocks else (),
    )
    event_id: int = connection.execute(statement, values).scalar_one()
    if others:
        events.append(connection, others)
    return event_id


def write_many(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    last_rows: Sequence[Mapping[str, Any]],
    *,
    messages: Sequence[outbox.NewMessage],
    moved_clocks: Sequence[Mapping[str, Any]],
    followed_up: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    """The same for many held tickets at once, none of which changes otherwise.

    ``last_rows``: each ticket's last chained row; ``followed_up``: those after which Aftercare has something to do.
    """
    turned = [{"id": r["ticket_id"], "event_count": r["seq"], "event_digest": r["digest"]} for r in last_rows]
    owed = [outbox.row_of(message, now=now) for message in messages]
    places = [{"ticket_id": row["ticket_id"], "seq": row["seq"]} for row in followed_up]
    statement = _many(tuple(rows[0]), tuple(turned[0]), tuple(owed[0]) if owed else (), tuple(moved_clocks[0]))
    documents = {"events": rows, "turned": turned, "moved": moved_clocks, "followed": places}
    documents |= {"owed": owed} if owed else {}
    connection.execute(statement, {name: bulk.document(document) for name, document in documents.items()})


@cache
def _many(
    event: tuple[str, ...], ticket: tuple[str, ...], message: tuple[str, ...], clock: tuple[str, ...]
) -> TextClause:
    parts = [
        f"event AS ({bulk.insert_sql(_EVENTS, event, 'events', None)} RETURNING id, ticket_id, seq, kind, at)",
        f"turned AS ({bulk.update_sql(_TICKETS, ticket, 'turned')})",
        f"moved AS ({bulk.update_sql(_CLOCKS, clock, 'moved')})",
    ]
    if message:
        parts.append(f"owed AS ({bulk.insert_sql(_MESSAGES, message, 'owed', 'dedupe_key')})")
    return text(
        f"WITH {', '.join(parts)} "  # noqa: S608  names come from the models
        "INSERT INTO pending_events (event_id, ticket_id, kind, due_at) "
        "SELECT event.id, event.ticket_id, event.kind, event.at FROM event "
        "JOIN jsonb_to_recordset(CAST(:followed AS jsonb)) AS f(ticket_id bigint, seq integer) USING (ticket_id, seq)"
    )


@cache
def _statement(
    event: tuple[str, ...], ticket: tuple[str, ...], message: tuple[str, ...], clock: tuple[str, ...]
) -> TextClause:
    bound = [bindparam(f"event_{name}", type_=_EVENTS.c[name].type) for name in event]
    bound += [bindparam(f"new_{name}", type_=_TICKETS.c[name].type) for name in ticket]
    parts = [
        f"event AS (INSERT INTO ticket_events ({', '.join(event)}) "  # noqa: S608  names come from the models
        f"VALUES ({', '.join(f':event_{name}' for name in event)}) RETURNING id)"
    ]
    if message:
        parts.append(f"owed AS ({bulk.insert_sql(_MESSAGES, message, 'owed', 'dedupe_key')})")
    if clock:
        parts.append(f"moved AS ({bulk.update_sql(_CLOCKS, clock, 'moved')})")
    settings = ", ".join(f"{name} = :new_{name}" for name in ticket)
    return text(
        f"WITH {', '.join(parts)} "  # noqa: S608  names come from the models
        f"UPDATE tickets SET {settings} WHERE id = :event_ticket_id RETURNING (SELECT id FROM event)"
    ).bindparams(*bound)
