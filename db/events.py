"""The event log: what happened to a ticket, in order, chained so that no record can be altered unnoticed (S-70)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, update

import tracing
from db import bulk
from db.models import Ticket, TicketEvent
from db.rows import fetch
from domain.exceptions import IllegalTransitionError
from domain.lifecycle import CommandName, TicketState, replay
from domain.people import Actor

GENESIS = b""
ERASED = "erased"
# What stands where the words of an erased event stood.
NO_WORDS = {"erased": True}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event before it has its place in the chain. ``payload``: what was asked; ``facts``: what followed."""

    kind: str
    actor: Actor
    at: datetime
    to_state: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None


def chained_rows(ticket_id: int, count: int, digest: bytes, events: Sequence[NewEvent]) -> list[dict[str, Any]]:
    """Rows for ``ticket_events`` that follow the ``count`` events whose last digest is ``digest``."""
    rows = []
    for seq, event in enumerate(events, start=count + 1):
        row = {
            "ticket_id": ticket_id,
            "seq": seq,
            "kind": event.kind,
            "actor_role": event.actor.role.value,
            "actor_id": event.actor.id,
            "at": event.at,
            "to_state": event.to_state,
            "payload": dict(event.payload),
            "facts": dict(event.facts),
            "idempotency_key": event.idempotency_key,
            "traceparent": tracing.traceparent(),  # no part of the record: the digest leaves it out
        }
        digest = link(digest, row)
        rows.append({**row, "digest": digest})
    return rows


def link(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """The digest of an event: SHA-256 over the digest before it and everything that it records."""
    return sha256(previous + _written(row, row["payload"], row["facts"], row["idempotency_key"])).digest()


def _fingerprint(row: Mapping[str, Any]) -> str:
    """A hash of what stays of an event whose words are erased, its digest too."""
    return sha256(_written(row, row["facts"], bytes(row["digest"]).hex())).hexdigest()


def _written(row: Mapping[str, Any], *more: Any) -> bytes:
    """What, by whom, when and where it led, and what else, as the hashes take it."""
    at = row["at"].astimezone(UTC).isoformat()
    record = [row["ticket_id"], row["seq"], row["kind"], row["actor_role"], row["actor_id"], at, row["to_state"], *more]
    return json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def erase_words(
    connection: Connection,
    ticket: Mapping[str, Any],
    actor: Actor,
    reason: str,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> None:
    """Take the words out of a locked ticket's events, and write these changes of its row (S-71).

    An event "erased" is chained to the history first; it names each of them with a hash of what stays.
    """
    had_words = [
        row
        for row in list_of(connection, ticket["id"])
        if row["kind"] != ERASED and (row["payload"] not in ({}, NO_WORDS) or row["idempotency_key"] is not None)
    ]
    facts = {"reason": reason, "redacted": {str(row["seq"]): _fingerprint(row) for row in had_words}}
    event = NewEvent(ERASED, actor, now, ticket["state"], {}, facts)
    (row,) = rows = chained_rows(ticket["id"], ticket["event_count"], ticket["event_digest"], [event])
    append(connection, rows)
    turned = {**changes, "event_count": row["seq"], "event_digest": row["digest"]}
    connection.execute(update(Ticket).where(Ticket.id == ticket["id"]).values(**turned))
    connection.execute(
        update(TicketEvent)
        .where(TicketEvent.ticket_id == ticket["id"], TicketEvent.seq.in_([row["seq"] for row in had_words]))
        .values(payload=NO_WORDS, idempotency_key=None)
    )


_APPEND = insert(TicketEvent).returning(TicketEvent.id)
_TABLE = cast("Table", TicketEvent.__table__)
_OF_TICKET = select(TicketEvent.__table__).where(TicketEvent.ticket_id == bindparam("ticket")).order_by(TicketEvent.seq)


def append(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write chained rows; the caller holds the ticket's lock and updates its count and digest. Returns their ids."""
    if len(rows) == 1:
        return [connection.execute(_APPEND, rows[0]).scalar_one()]
    written = bulk.insert_many(connection, _TABLE, rows, returning=("ticket_id", "seq", "id"))
    by_place = {(ticket_id, seq): event_id for ticket_id, seq, event_id in written}
    return [by_place[row["ticket_id"], row["seq"]] for row in rows]


def list_of(connection: Connection, ticket_id: int) -> list[dict[str, Any]]:
    """All events of a ticket, oldest first."""
    return fetch(connection, _OF_TICKET, ticket=ticket_id)


def list_after(connection: Connection, ticket_id: int, *, seq: int, limit: int) -> list[dict[str, Any]]:
    """The events of a ticket that follow the one with this place in its history, oldest first."""
    query = select(TicketEvent.__table__).where(TicketEvent.ticket_id == ticket_id, TicketEvent.seq > seq)
    return fetch(connection, query.order_by(TicketEvent.seq).limit(limit))


def find_flaws(connection: Connection, *, batch: int = 500) -> Iterable[str]:
    """A sentence for each ticket whose log was altered, has a gap, or does not replay to its state (S-70)."""
    last_id = 0
    while tickets := connection.execute(
        select(Ticket.id, Ticket.number, Ticket.state, Ticket.event_count, Ticket.event_digest)
        .where(Ticket.id > last_id)
        .order_by(Ticket.id)
        .limit(batch)
    ).all():
        last_id = tickets[-1].id
        events = fetch(
            connection,
            select(TicketEvent.__table__)
            .where(TicketEvent.ticket_id.between(tickets[0].id, last_id))
            .order_by(TicketEvent.ticket_id, TicketEvent.seq),
        )
        by_ticket: dict[int, list[Mapping[str, Any]]] = {}
        for event in events:
            by_ticket.setdefault(event["ticket_id"], []).append(event)
        for ticket in tickets:
            flaw = _flaw(ticket.state, ticket.event_count, ticket.event_digest, by_ticket.get(ticket.id, []))
            if flaw:
                yield f"{ticket.number}: {flaw}"


def flaw_of(connection: Connection, ticket: Mapping[str, Any]) -> str | None:
    """What is wrong with the history of one ticket, or None."""
    digest = bytes(ticket["event_digest"])
    return _flaw(ticket["state"], ticket["event_count"], digest, list_of(connection, ticket["id"]))


def _flaw(state: str, count: int, digest: bytes, events: Sequence[Mapping[str, Any]]) -> str | None:
    if len(events) != count:
        return f"has {len(events)} events, its row says {count}"
    redacted: dict[str, str] = {}
    for event in events:
        if event["kind"] == ERASED:
            redacted |= event["facts"].get("redacted", {})
    previous = GENESIS
    for event in events:
        has_words = event["payload"] != NO_WORDS or event["idempotency_key"] is not None
        if (known := redacted.get(str(event["seq"]))) is None:
            is_as_written = link(previous, event) == event["digest"]
        else:
            # Its digest is that of the words it had; the "erased" event, whose own digest holds, vouches for the rest.
            is_as_written = not has_words and event["kind"] != ERASED and _fingerprint(event) == known
        if not is_as_written:
            return f"event {event['seq']} was altered"
        previous = event["digest"]
    if previous != digest:
        return "the last event is not the one its row names"
    commands = [(CommandName(e["kind"]), TicketState(e["to_state"])) for e in events if e["kind"] in set(CommandName)]
    try:
        replayed = replay(commands)
    except IllegalTransitionError as error:
        return str(error)
    return None if replayed == state else f"its events lead to '{replayed.value}', its row says '{state}'"
