"""Intake: a report becomes a ticket with its clocks, or joins the open one about the same fault (S-01 to S-07)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Text, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

import logs
import tracing
from db import clocks, commands, customers, events, openings, tickets, turns
from db.held import hold
from db.models import Customer, Ticket, TicketEvent
from domain.commands import ChangePriority, ReportAgain
from domain.exceptions import ErasedError, IdempotencyKeyReusedError
from domain.intake import CustomerDetails, OpenTicket, Report, is_same_device, is_same_fault, require_happened
from domain.lifecycle import TicketState
from domain.messages import Medium
from domain.people import SYSTEM, Actor, Role
from domain.sla import ClockKind
from domain.standard import Standard
from domain.tickets import Category, Impact, Priority, ticket_number
from domain.triage import Suggestion, priority_for, suggest_category, suggest_impact, suggest_safety_risk

_log = logging.getLogger(logs.OURS)

_ADD_CUSTOMER = insert(Customer).returning(Customer.id)
_LOCK_CUSTOMER = (
    select(Customer.region, Customer.erased_at).where(Customer.id == bindparam("customer")).with_for_update()
)
_OPEN_TICKETS = select(Ticket.id, Ticket.category, Ticket.product_model, Ticket.serial_number, Ticket.subject).where(
    Ticket.customer_id == bindparam("customer"),
    Ticket.closed_at.is_(None),
    Ticket.state != TicketState.COMPLETED.value,
)
_FIRST_KEY = (
    select(TicketEvent.idempotency_key)
    .where(TicketEvent.idempotency_key == func.any(bindparam("keys", type_=ARRAY(Text))))
    .order_by(TicketEvent.id)
    .limit(1)
)
_KNOWN = select(_FIRST_KEY.scalar_subquery(), customers.KNOWN_BY.scalar_subquery())
_SAID = ("description", "occurred_at", "usage_context", "wish", "product_model", "serial_number", "order_number")


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
    turns.take(connection, customer=details)
    known = customers.find_id(connection, phone=details.phone, email=details.email)
    return add_customer(connection, details, standard=standard, now=now) if known is None else known


def add_customer(connection: Connection, details: CustomerDetails, *, standard: Standard, now: datetime) -> int:
    """Add somebody who is not known; ``details`` are normalised, the caller holds the turn for them. Returns the id."""
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
    return connection.execute(_ADD_CUSTOMER, values).scalar_one()


def find_alike(connection: Connection, customer_id: int, report: Report) -> OpenTicket | None:
    """The newest open ticket of a customer about the same device: perhaps the same fault (S-07)."""
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
        turns.take(connection, key=idempotency_key)
        if (known := _find_opened(connection, idempotency_key, customer_id, report)) is not None:
            return known
    region, erased_at = connection.execute(_LOCK_CUSTOMER, {"customer": customer_id}).one()
    if erased_at is not None:
        raise ErasedError("the customer's data were erased meanwhile; report again")
    category = suggest_category(_spoken(report), standard.triage)
    for existing in _open_tickets(connection, customer_id):
        if existing.id == is_again or (
            is_again is None and is_same_fault(existing, report, report.category or category.value)
        ):
            return _join(
                connection, existing, report, actor, standard=standard, now=now, idempotency_key=idempotency_key
            )
    return _open(
        connection,
        customer_id,
        region,
        report,
        category,
        actor,
        standard=standard,
        now=now,
        idempotency_key=idempotency_key,
    )


def open_first_ticket(
    connection: Connection,
    details: CustomerDetails,
    report: Report,
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
    idempotency_key: str,
) -> Opened:
    """Add somebody who is not known, and open their ticket; nothing of theirs can be open yet.

    ``details`` are normalised; the caller holds the turn of the key and of the customer (see ``db.turns``).
    """
    require_happened(report.occurred_at, now=now)
    customer_id = add_customer(connection, details, standard=standard, now=now)
    category = suggest_category(_spoken(report), standard.triage)
    return _open(
        connection,
        customer_id,
        details.region,
        report,
        category,
        actor,
        standard=standard,
        now=now,
        idempotency_key=idempotency_key,
    )


def _open(
    connection: Connection,
    customer_id: int,
    region: str | None,
    report: Report,
    category: Suggestion[Category],
    actor: Actor,
    *,
    standard: Standard,
    now: datetime,
    idempotency_key: str | None,
) -> Opened:
    chosen = report.category or category.value
    is_risk, impact, priority, reason = _urgency(report, _spoken(report), chosen, standard)
    # The word it rests on; what was asked rests on none.
    category_reason = category.reason if report.category is None else chosen.value
    ticket = {
        "customer_id": customer_id,
        "channel": report.channel.value,
        "region": region,
        "category": chosen.value,
        "suggested_category": category.value.value,
        "category_reason": category_reason,
        "impact": impact.value,
        "is_safety_risk": is_risk,
        "priority": priority.value,
        "suggested_priority": priority.value,
        "priority_reason": reason,
        "subject": report.subject,
        "opened_at": now,
        "standard_version": standard.version,
        **{name: getattr(report, name) for name in _SAID},
        "tags": list(report.tags),
    }
    facts = {name: ticket[name] for name in ("category", "category_reason", "priority", "priority_reason")}
    opened = events.NewEvent("opened", actor, now, TicketState.NEW.value, facts=facts, idempotency_key=idempotency_key)
    started = clocks.started(
        tuple(ClockKind),
        priority=priority,
        channel=report.channel,
        round_no=1,
        standard=standard,
        now=now,
    )
    with tracing.span("open", {tracing.EVENT: "opened"}):
        ticket_id, event_id = openings.write(connection, ticket, opened, started)
        number = ticket_number(ticket_id)
        tracing.describe({tracing.TICKET: number})
    _log.info("command", extra={"ticket": number, "event": "opened", "state": TicketState.NEW.value})
    return Opened(ticket_id, number, event_id)


def find_known(
    connection: Connection, idempotency_keys: Sequence[str], details: CustomerDetails, report: Report
) -> tuple[Opened | None, int | None]:
    """What this report became when it came before, and the customer as far as there is one (``details`` normalised).

    Raises IdempotencyKeyReusedError when it was another report.
    """
    known_by = customers.known_by(phone=details.phone, email=details.email)
    used, customer_id = connection.execute(_KNOWN, {"keys": list(idempotency_keys), **known_by}).one()
    opened = None if used is None else _find_opened(connection, used, customer_id, report)
    return opened, customer_id


def _spoken(report: Report) -> str:
    return " ".join(filter(None, (report.description, report.usage_context, report.wish)))


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


def _open_tickets(connection: Connection, customer_id: int) -> list[OpenTicket]:
    return [
        OpenTicket(row.id, Category(row.category), row.product_model, row.serial_number, row.subject)
        for row in connection.execute(_OPEN_TICKETS, {"customer": customer_id})
    ]
