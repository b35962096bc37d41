"""What the API shows: one model for each thing, contact data masked for who need not read them (S-71)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, Field

from domain.assignment import may_assign
from domain.commands import PlanKind
from domain.contact import mask_email, mask_phone, shown_name
from domain.lifecycle import COMMANDS, CommandName, TicketState
from domain.messages import Medium
from domain.people import Actor, CustomerTier, Role
from domain.satisfaction import CallbackKind, CallbackState, SurveyMethod, SurveyState
from domain.sla import ClockKind
from domain.tickets import Category, Channel, Impact, Priority

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Ask with it for the next page; null: this was the last.")


class Person(BaseModel):
    """A member of staff by name."""

    id: int
    name: str


class Contact(BaseModel):
    """A customer, and how to reach them."""

    id: int
    name: str = Field(description="`***`: they asked to stay anonymous, and the key's role does not serve them.")
    phone: str = Field(description="E.164; empty: none is known.", examples=["+8613800138000"])
    email: str = Field(examples=["wang.li@example.com"])
    is_masked: bool = Field(description="The key's role does not read contact data: phone and e-mail are masked.")

    @classmethod
    def of(cls, row: Mapping[str, Any], *, prefix: str, open_: bool) -> Self:
        """The contact in a row whose columns begin with ``prefix``; masked unless ``open_``."""
        phone, email = row[f"{prefix}phone"], row[f"{prefix}email"]
        return cls(
            id=row["customer_id" if prefix else "id"],
            name=shown_name(row, f"{prefix}name", to_servers=open_),
            phone=(phone or "") if open_ else mask_phone(phone),
            email=(email or "") if open_ else mask_email(email),
            is_masked=not open_,
        )


class Customer(Contact):
    """A customer (S-02)."""

    tier: CustomerTier
    language: str = Field(examples=["zh-CN"])
    preferred_medium: Medium
    time_zone: str
    region: str | None
    wants_anonymity: bool
    created_at: datetime


def customer(row: Mapping[str, Any], *, open_: bool) -> Customer:
    """The customer of a row."""
    contact = Contact.of(row, prefix="", open_=open_)
    return Customer.model_validate({**row, **contact.model_dump()})


class TicketLine(BaseModel):
    """A ticket in a list."""

    number: str = Field(examples=["TK-00001024"])
    state: TicketState
    priority: Priority
    category: Category
    subject: str
    customer_name: str
    assignee: Person | None
    tier: int
    region: str | None
    channel: Channel
    opened_at: datetime
    closed_at: datetime | None
    due_at: datetime | None = Field(description="The next promise; null: none runs.")


def _assignee(row: Mapping[str, Any]) -> Person | None:
    return Person(id=row["assignee_id"], name=row["assignee_name"]) if row["assignee_id"] is not None else None


def ticket_line(row: Mapping[str, Any], *, open_: bool) -> TicketLine:
    """The ticket of a row of ``db.tickets.list_newest``."""
    return TicketLine.model_validate(
        {**row, "customer_name": shown_name(row, to_servers=open_), "assignee": _assignee(row)}
    )


class Promise(BaseModel):
    """What was promised of a ticket's present round (S-10)."""

    kind: ClockKind
    due_at: datetime | None = Field(description="Null: it waits for the customer.")
    stopped_at: datetime | None
    breached_at: datetime | None


class Option(BaseModel):
    """One way of a plan; counted by ``position`` from 1."""

    position: int
    title: str
    pros: str
    cons: str


class Plan(BaseModel):
    """One revision of the plan (S-21)."""

    revision: int
    kind: PlanKind
    steps: list[str]
    state: str = Field(examples=["proposed"])
    deadline_at: datetime
    appointment_at: datetime | None
    options: list[Option]
    chosen_option: int | None
    objection: str | None


class Ticket(BaseModel):
    """A ticket with everything known of it but its history. Its ETag names its version."""

    number: str = Field(examples=["TK-00001024"])
    state: TicketState
    priority: Priority
    priority_reason: str
    category: Category
    category_reason: str
    impact: Impact
    is_safety_risk: bool
    channel: Channel
    region: str | None
    tier: int
    subject: str
    description: str
    occurred_at: datetime | None
    usage_context: str | None
    wish: str | None
    product_model: str | None
    serial_number: str | None
    order_number: str | None
    tags: list[str]
    customer: Contact
    assignee: Person | None
    opened_at: datetime
    completed_at: datetime | None
    closed_at: datetime | None
    expected_at: datetime | None = Field(description="The new time after a reported delay (S-32).")
    promises: list[Promise]
    plans: list[Plan]
    possible_commands: list[CommandName] = Field(description="What this key may do to it now.")


def ticket(
    row: Mapping[str, Any],
    clocks: Sequence[Mapping[str, Any]],
    plans: Sequence[Mapping[str, Any]],
    actor: Actor,
    *,
    open_: bool,
) -> Ticket:
    """The ticket with its clocks and plans, as this actor may see it."""
    state = TicketState(row["state"])
    possible = [
        name
        for name, traits in COMMANDS.items()
        if state in traits.sources
        and actor.role in traits.by
        and (name is not CommandName.ASSIGN or may_assign(actor, held_by=row["assignee_id"]))
    ]
    whole = {
        **row,
        "customer": Contact.of(row, prefix="customer_", open_=open_),
        "assignee": _assignee(row),
        "promises": clocks,
        "plans": plans,
        "possible_commands": possible,
    }
    return Ticket.model_validate(whole)


class Event(BaseModel):
    """What happened (S-70)."""

    seq: int = Field(description="Its place in the ticket's history, from 1.")
    kind: str = Field(examples=["first_contact"])
    at: datetime
    actor_role: Role
    actor_id: int | None = Field(description="The staff or customer id; null: Aftercare itself.")
    to_state: TicketState
    payload: dict[str, Any] = Field(description="What was asked.")
    facts: dict[str, Any] = Field(description="What followed.")


class Opened(BaseModel):
    """What became of a report (S-07)."""

    number: str = Field(examples=["TK-00001024"])
    customer_id: int
    joined: bool = Field(description="The same fault was open already, and the report was added to it.")
    was_repeated: bool = Field(description="The idempotency key was known: nothing was done again.")


class Applied(BaseModel):
    """What came of a command."""

    number: str = Field(examples=["TK-00001024"])
    state: TicketState
    was_repeated: bool = Field(description="The idempotency key was known: nothing was done again.")


class Survey(BaseModel):
    """A survey of one completion; its scores once it is answered, by dimension and by stage (S-41, S-50)."""

    id: int
    completion_no: int
    method: SurveyMethod
    state: SurveyState
    sent_at: datetime | None
    expires_at: datetime | None
    efficiency: int | None
    attitude: int | None
    solution: int | None
    overall: int | None
    booking: int | None
    on_site: int | None
    follow_up: int | None
    confirmation: int | None
    booking_improvement: str | None
    on_site_improvement: str | None
    follow_up_improvement: str | None
    confirmation_improvement: str | None
    solved_in_one_visit: bool | None
    called_afterwards: bool | None
    best_point: str | None
    most_wanted: str | None
    comment: str | None
    answered_at: datetime | None


class Answered(BaseModel):
    """Whether an answer was stored."""

    survey_id: int
    is_stored: bool = Field(description="False: it was answered before, and the first answer counts.")


class Callback(BaseModel):
    """A call that is owed to a customer, or was made (S-42)."""

    id: int
    ticket_number: str
    kind: CallbackKind
    state: CallbackState
    due_at: datetime
    assigned_to: int | None = Field(description="The id of who is to call.")
    supervisor_name: str | None
    escalated_at: datetime | None = Field(description="When the manager was told that it is late.")
    overall: int | None = Field(description="The score that asked for it.")
    done_at: datetime | None
    done_by: int | None
    reason: str | None
    suggestion: str | None


class Member(BaseModel):
    """A member of staff; whoever has left is not active."""

    id: int
    name: str
    email: str
    role: Role
    is_senior: bool
    team_name: str
    tier: int
    region: str | None = Field(description="Null: serves every region.")
    skills: list[str]
    calendar: str
    is_active: bool
    load: int = Field(description="Open tickets.")
