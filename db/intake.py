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
from domain.intake import CustomerDetails, OpenTicket, Report, is_same_fault, require_happened
from domain.lifecycle import TicketState
from domain.messages import Medium
from domain.people import SYSTEM, Actor, Role
from domain.sla import ClockKind
from domain.standard import Standard
from domain.tickets import Category, Impact, Priority, ticket_number
from domain.triage import priority_for, suggest_category, suggest_impact, suggest_safety_risk


@dataclass(frozen=True, slots=True)
class Opened:
    """The ticket that a report became; ``joined`` when it was open already (S-07)."""

    ticket_id: int
    number: str
    joined: bool = False
    was_repeated: bool = False


def find_or_add_customer(connection: Connection, details: CustomerDetails, *, standard: Standard, now: datetime) -> int:
    """The id of the customer with this phone number or address; added when there is none. Raises InvalidInputError."""
    details = details.normalised(phone_region=standard.organisation.default_phone_region)
    # An empty text is nobody's; None would be everybody's who has none.
    phone, email = details.phone or "", (details.email or "").lower()
    query = select(Customer.id).where(or_(Customer.phone == phone, func.lower(Customer.email) == email))
    # Two reports of one new customer may come at once; the second waits here and finds the first one's row.
    for address in sorted(filter(None, (phone, email))):
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))"), {"who": f"customer:{address}"}
        )
    known = connection.execute(query.order_by(Customer.id).limit(1)).scalar_one_or_none()
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


def open_ticket(
    connection: Connection,
    customer_id: int,
    report: Report,
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
    idempotency_key: str | None = None,
) -> Opened:
    """Open a ticket with its suggestions, clocks and first event, or join the open one; the caller commits.

    ``actor`` is whoever takes the report; for the system the event names the customer. Raises
    IdempotencyKeyReusedError when the key was used for another report, InvalidInputError for a fault to come.
    """
    require_happened(report.occurred_at, now=now)
    if idempotency_key is not None:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))"), {"key": idempotency_key})
        if (known := _find_opened(connection, idempotency_key, customer_id, report)) is not None:
            return known
    connection.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    spoken = " ".join(filter(None, (report.description, report.usage_context, report.wish)))
    category = suggest_category(spoken, standard.triage)
    for existing in _open_tickets(connection, customer_id):
        if is_same_fault(existing, report, category.value):
            return _join(
                connection, existing, report, actor, standard=standard, now=now, idempotency_key=idempotency_key
            )
    is_risk, impact, priority, reason = _urgency(report, spoken, category.value, standard)
    facts = {
        "category": category.value.value,
        "category_reason": category.reason,
        "priority": priority.value,
        "priority_reason": reason,
    }
    ticket_id = connection.execute(
        insert(Ticket)
        .values(
            customer_id=customer_id,
            channel=report.channel.value,
            region=_region(connection, customer_id),
            category=category.value.value,
            suggested_category=category.value.value,
            category_reason=category.reason,
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
    _write_opened(connection, ticket_id, facts, actor, idempotency_key, now=now)
    return Opened(ticket_id, ticket_number(ticket_id))


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
    commands.apply_to(held, _again(report), reporter, standard=standard, now=now, idempotency_key=idempotency_key)
    is_risk, impact, priority, reason = _urgency(report, report.description, existing.category, standard)
    if priority < Priority(held.row["priority"]):
        change = ChangePriority(impact=impact, is_safety_risk=is_risk, reason=f"reported again: {reason}")
        commands.apply_to(held, change, SYSTEM, standard=standard, now=now)
    return Opened(held.id, held.number, joined=True)


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
) -> None:
    event = events.NewEvent("opened", actor, now, TicketState.NEW.value, facts=facts, idempotency_key=idempotency_key)
    rows = events.chained_rows(ticket_id, 0, events.GENESIS, [event])
    (event_id,) = events.append(connection, rows)
    events.turn(connection, rows)
    connection.execute(
        insert(PendingEvent), {"event_id": event_id, "ticket_id": ticket_id, "kind": "opened", "due_at": now}
    )


def _again(report: Report) -> ReportAgain:
    return ReportAgain(description=report.description[:2000])


def _find_opened(connection: Connection, key: str, customer_id: int, report: Report) -> Opened | None:
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
    return Opened(ticket["id"], ticket["number"], joined=known["kind"] != "opened", was_repeated=True)


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
