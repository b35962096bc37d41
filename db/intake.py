"""Intake: a report becomes a ticket with its clocks, or joins the open one about the same fault (S-01 to S-07)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, text

from db import clocks, commands, events, tickets
from db.held import hold
from db.models import Customer, PendingEvent, Ticket
from domain.commands import ChangePriority, ReportAgain
from domain.exceptions import IdempotencyKeyReusedError
from domain.intake import CustomerDetails, OpenTicket, Report, is_same_device, is_same_fault, require_happened
from domain.lifecycle import TicketState
from domain.messages import Medium
from domain.people import SYSTEM, Actor, Role
from domain.sla import ClockKind
from domain.standard import Standard
from domain.tickets import Category, Channel, Impact, Priority, ticket_number
from domain.triage import priority_for, suggest_category, suggest_impact, suggest_safety_risk


@dataclass(frozen=True, slots=True)
class Opened:
    """The ticket that a report became, and the event of it; ``joined`` when it was open already (S-07)."""

    ticket_id: int
    number: str
    event_id: int
    joined: bool = False
    was_repeated: bool = False


def find_or_add_customer(connection: Connection, details: CustomerDetails, *, standard: Standard, now: datetime) -> int:
    """The id of the customer with this phone number or address; added when there is none. Raises InvalidInputError."""
    details = details.normalised(phone_region=standard.organisation.default_phone_region)
    # Two reports of one new customer may come at once; the second waits here and finds the first one's row.
    for address in sorted(filter(None, _addresses(details))):
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))"), {"who": f"customer:{address}"}
        )
    known = _find_customer(connection, details)
    if known is not None:
        return known
    preferred = details.preferred_medium or (Medium.SMS if details.phone else Medium.EMAIL)
    values = {
        "name": details.name,
        "phone": details.phone,
        "email": details.email,
        "tier": details.tier.value,
        "language": details.language or standard.organisation.default_language,
        "preferred_medium": preferred.value,
        "time_zone": details.time_zone or standard.organisation.time_zone,
        "region": details.region,
        "wants_anonymity": details.wants_anonymity,
        "created_at": now,
    }
    return connection.execute(insert(Customer).values(**values).returning(Customer.id)).scalar_one()


def _addresses(details: CustomerDetails) -> tuple[str, str]:
    """An empty text is nobody's; None would be everybody's who has none."""
    return details.phone or "", (details.email or "").lower()


def _find_customer(connection: Connection, details: CustomerDetails) -> int | None:
    phone, email = _addresses(details)
    query = select(Customer.id).where(or_(Customer.phone == phone, func.lower(Customer.email) == email))
    return connection.execute(query.order_by(Customer.id).limit(1)).scalar_one_or_none()


def find_alike(connection: Connection, details: CustomerDetails, report: Report) -> OpenTicket | None:
    """The newest open ticket of the customer with this phone or address about the same device: perhaps the same fault.

    ``details`` are normalised. Nothing else of that customer is told to somebody who knows only their address (S-07).
    """
    customer_id = _find_customer(connection, details)
    if customer_id is None:
        return None
    alike = (ticket for ticket in _open_tickets(connection, customer_id) if is_same_device(ticket, report))
    return max(alike, key=lambda ticket: ticket.id, default=None)


def open_ticket(
    connection: Connection,
    customer_id: int,
    report: Report,
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
    idempotency_key: str | None = None,
    is_again: int | None = None,
) -> Opened:
    """Open a ticket with its suggestions, clocks and first event, or join the open one; the caller commits.

    ``actor`` is whoever takes the report; for the system the event names the customer. ``is_again``: what the customer
    said when asked, the open ticket it is about, or 0 for another fault; not asked, S-07 decides. Raises
    IdempotencyKeyReusedError when the key was used for another report, InvalidInputError for a fault to come.
    """
    require_happened(report.occurred_at, now=now)
    if idempotency_key is not None:
        take_turn(connection, idempotency_key)
        if (known := _find_opened(connection, idempotency_key, customer_id, report)) is not None:
            return known
    connection.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    spoken = " ".join(filter(None, (report.description, report.usage_context, report.wish)))
    category = suggest_category(spoken, standard.triage)
    chosen = report.category or category.value
    for existing in _open_tickets(connection, customer_id):
        if existing.id == is_again or (is_again is None and is_same_fault(existing, report, chosen)):
            return _join(
                connection, existing, report, actor, standard=standard, now=now, idempotency_key=idempotency_key
            )
    is_risk, impact, priority, reason = _urgency(report, spoken, chosen, standard)
    facts = {
        "category": chosen.value,
        # The word it rests on; what was asked rests on none.
        "category_reason": category.reason if report.category is None else chosen.value,
        "priority": priority.value,
        "priority_reason": reason,
    }
    ticket_id = connection.execute(
        insert(Ticket)
        .values(
            customer_id=customer_id,
            channel=report.channel.value,
            region=_region(connection, customer_id),
            category=chosen.value,
            suggested_category=category.value.value,
            category_reason=facts["category_reason"],
            impact=impact.value,
            is_safety_risk=is_risk,
            priority=priority.value,
            suggested_priority=priority.value,
            priority_reason=facts["priority_reason"],
            subject=report.subject,
            opened_at=now,
            **_said(report),
        )
        .returning(Ticket.id)
    ).scalar_one()
    clocks.start(
        connection,
        ticket_id,
        tuple(ClockKind),
        priority=priority,
        channel=report.channel,
        round_no=1,
        standard=standard,
        now=now,
    )
    event_id = _write_opened(connection, ticket_id, facts, actor, idempotency_key, now=now)
    return Opened(ticket_id, ticket_number(ticket_id), event_id)


def take_turn(connection: Connection, idempotency_key: str) -> None:
    """Wait until nobody else is at work with this key, and keep others waiting until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))"), {"key": idempotency_key})


def find_opened(
    connection: Connection, idempotency_key: str, details: CustomerDetails, report: Report
) -> Opened | None:
    """What this report became when it came before. Raises IdempotencyKeyReusedError when it was another report."""
    return _find_opened(connection, idempotency_key, _find_customer(connection, details), report)


def _urgency(report: Report, spoken: str, category: Category, standard: Standard) -> tuple[bool, Impact, Priority, str]:
    """Safety risk, impact, the priority that follows, and the word it rests on; what was asked beats the words."""
    safety = suggest_safety_risk(spoken, standard.triage)
    is_risk = safety.value if report.is_safety_risk is None else report.is_safety_risk
    impact = suggest_impact(spoken, category, standard.triage)
    chosen = report.impact or impact.value
    priority = priority_for(chosen, is_safety_risk=is_risk)
    # The word it rests on, where words decided; what was asked, where that did.
    if is_risk:
        reason = priority.reason if report.is_safety_risk else safety.reason
    else:
        reason = priority.reason if report.impact else impact.reason or priority.reason
    return is_risk, chosen, priority.value, reason


def _join(
    connection: Connection,
    existing: OpenTicket,
    report: Report,
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
    idempotency_key: str | None,
) -> Opened:
    """Add the report to the open ticket; one that has become more urgent since is treated so (S-07, S-11)."""
    held = hold(connection, existing.id)
    reporter = actor if actor.role is not Role.SYSTEM else Actor(Role.CUSTOMER, held.row["customer_id"])
    again = commands.apply_to(
        held, _again(report), reporter, standard=standard, now=now, idempotency_key=idempotency_key
    )
    is_risk, impact, priority, reason = _urgency(report, report.description, existing.category, standard)
    if priority < Priority(held.row["priority"]):
        change = ChangePriority(impact=impact, is_safety_risk=is_risk, reason=f"reported again: {reason}")
        commands.apply_to(held, change, SYSTEM, standard=standard, now=now)
    return Opened(held.id, held.number, again.event_id, joined=True)


def _said(report: Report) -> dict[str, Any]:
    names = ("description", "occurred_at", "usage_context", "wish", "product_model", "serial_number", "order_number")
    return {name: getattr(report, name) for name in names} | {"tags": list(report.tags)}


def _write_opened(
    connection: Connection,
    ticket_id: int,
    facts: dict[str, Any],
    actor: Actor,
    idempotency_key: str | None,
    *,
    now: datetime,
) -> int:
    event = events.NewEvent("opened", actor, now, TicketState.NEW.value, facts=facts, idempotency_key=idempotency_key)
    rows = events.chained_rows(ticket_id, 0, events.GENESIS, [event])
    (event_id,) = events.append(connection, rows)
    events.turn(connection, rows)
    connection.execute(
        insert(PendingEvent), {"event_id": event_id, "ticket_id": ticket_id, "kind": "opened", "due_at": now}
    )
    return event_id


def _again(report: Report) -> ReportAgain:
    return ReportAgain(description=report.description[:2000])


def _find_opened(connection: Connection, key: str, customer_id: int | None, report: Report) -> Opened | None:
    known = commands.find_by_key(connection, key)
    if known is None:
        return None
    ticket = tickets.get(connection, known["ticket_id"])
    said = {
        "opened": ticket["description"] == report.description,
        ReportAgain.name.value: known["payload"] == _again(report).payload(),
    }
    if ticket["customer_id"] != customer_id or not said.get(known["kind"]):
        raise IdempotencyKeyReusedError(f"the idempotency key {key!r} was used for something else; use a new key")
    return Opened(ticket["id"], ticket["number"], known["id"], joined=known["kind"] != "opened", was_repeated=True)


def count_since(connection: Connection, customer_id: int, channel: Channel, *, since: datetime) -> int:
    """How many tickets a customer opened by this channel since then."""
    query = select(func.count()).where(
        Ticket.customer_id == customer_id, Ticket.channel == channel.value, Ticket.opened_at > since
    )
    return connection.execute(query).scalar_one()


def _open_tickets(connection: Connection, customer_id: int) -> list[OpenTicket]:
    query = select(Ticket.id, Ticket.category, Ticket.product_model, Ticket.serial_number, Ticket.subject).where(
        Ticket.customer_id == customer_id, Ticket.closed_at.is_(None), Ticket.state != TicketState.COMPLETED.value
    )
    return [
        OpenTicket(row.id, Category(row.category), row.product_model, row.serial_number, row.subject)
        for row in connection.execute(query)
    ]


def _region(connection: Connection, customer_id: int) -> str | None:
    return connection.execute(select(Customer.region).where(Customer.id == customer_id)).scalar_one()
