"""Reading tickets: one with everything a rule or a notice needs, or lists; changes are made by ``db.commands``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from db.models import Customer, Plan, PlanOption, SlaClock, Staff, Ticket
from db.rows import fetch, fetch_one
from domain.exceptions import NotFoundError
from domain.lifecycle import TicketState
from domain.tickets import Channel, Priority, ticket_number

_Assignee = aliased(Staff)


# What a customer said at length is read when a ticket is shown, not when it is worked on.
_LONG = frozenset({"description", "usage_context", "wish", "occurred_at", "order_number", "tags"})


def _with_people(*, leave_out: frozenset[str] = frozenset()) -> Select[Any]:
    return (
        select(
            *(column for column in Ticket.__table__.c if column.name not in leave_out),
            Customer.name.label("customer_name"),
            Customer.language.label("customer_language"),
            Customer.time_zone.label("customer_time_zone"),
            Customer.preferred_medium,
            Customer.phone.label("customer_phone"),
            Customer.email.label("customer_email"),
            Customer.tier.label("customer_tier"),
            Customer.wants_anonymity,
            _Assignee.name.label("assignee_name"),
            _Assignee.language.label("assignee_language"),
            _Assignee.is_active.label("assignee_is_active"),
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(_Assignee, _Assignee.id == Ticket.assignee_id)
    )


_GET = _with_people().where(Ticket.id == bindparam("wanted"))
_LOCK = _with_people(leave_out=_LONG).where(Ticket.id == bindparam("wanted")).with_for_update(of=Ticket)


def _of_present_round(column: Any) -> Any:
    """A column of the clocks of a ticket's present round, as an array."""
    return func.array(
        select(column)
        .where(SlaClock.ticket_id == Ticket.id, SlaClock.round == Ticket.round)
        .order_by(SlaClock.id)
        .scalar_subquery()
    )


_LOCK_MANY = (
    _with_people(leave_out=_LONG)
    .add_columns(
        _of_present_round(SlaClock.kind).label("clock_kinds"), _of_present_round(SlaClock.due_at).label("clocks_due_at")
    )
    .where(Ticket.id == func.any(bindparam("wanted", type_=ARRAY(BigInteger))))
    .with_for_update(of=Ticket, skip_locked=True)
)


def get(connection: Connection, ticket_id: int, *, for_update: bool = False) -> dict[str, Any]:
    """A ticket with its customer's and assignee's details; locked until the transaction ends if so asked,
    and then without what the customer said at length.

    Raises NotFoundError.
    """
    row = fetch_one(connection, _LOCK if for_update else _GET, wanted=ticket_id)
    if row is None:
        raise NotFoundError(f"no ticket has the number {ticket_number(ticket_id)}; see 'aftercare ticket list'")
    return row


def lock_many(connection: Connection, ticket_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Lock those of the tickets that nobody else holds; by id, with customer, assignee, and deadlines as ``clocks``.

    The clocks are of one moment with the lock only when the caller held it before.
    """
    rows = fetch(connection, _LOCK_MANY, wanted=list(ticket_ids))
    for row in rows:
        deadlines = zip(row.pop("clock_kinds"), row.pop("clocks_due_at"), strict=True)
        row["clocks"] = [{"kind": kind, "due_at": due_at} for kind, due_at in deadlines]
    return {row["id"]: row for row in rows}


def list_open(
    connection: Connection,
    *,
    states: Sequence[TicketState] = (),
    priority: Priority | None = None,
    assignee_id: int | None = None,
    after_id: int = 0,
    limit: int = 50,
    include_closed: bool = False,
) -> list[dict[str, Any]]:
    """Tickets by number, with their next deadline (UTC) as ``due_at``."""
    query = _with_next_deadline().where(Ticket.id > after_id).order_by(Ticket.id).limit(limit)
    if not include_closed:
        query = query.where(Ticket.closed_at.is_(None))
    return fetch(connection, _only(query, states, priority, assignee_id))


def list_newest(
    connection: Connection,
    *,
    states: Sequence[TicketState] = (),
    priority: Priority | None = None,
    assignee_id: int | None = None,
    customer_id: int | None = None,
    opened_since: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Tickets, the newest first, closed ones too, with their next deadline (UTC) as ``due_at``.

    Who goes on with ``before_id`` meets each ticket once, however many are opened meanwhile: those have higher numbers.
    """
    query = _with_next_deadline().order_by(Ticket.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Ticket.id < before_id)
    if opened_since is not None:
        query = query.where(Ticket.opened_at >= opened_since)
    if customer_id is not None:
        query = query.where(Ticket.customer_id == customer_id)
    return fetch(connection, _only(query, states, priority, assignee_id))


def _with_next_deadline() -> Select[Any]:
    due = (
        select(SlaClock.due_at)
        .where(SlaClock.ticket_id == Ticket.id, SlaClock.stopped_at.is_(None))
        .order_by(SlaClock.due_at)
        .limit(1)
        .scalar_subquery()
    )
    return _with_people().add_columns(due.label("due_at"))


def _only(
    query: Select[Any], states: Sequence[TicketState], priority: Priority | None, assignee_id: int | None
) -> Select[Any]:
    if states:
        query = query.where(Ticket.state.in_([state.value for state in states]))
    if priority is not None:
        query = query.where(Ticket.priority == priority.value)
    if assignee_id is not None:
        query = query.where(Ticket.assignee_id == assignee_id)
    return query


_COUNT_SINCE = select(func.count()).where(
    Ticket.customer_id == bindparam("customer"),
    Ticket.channel == bindparam("channel"),
    Ticket.opened_at > bindparam("since"),
)


def count_since(connection: Connection, customer_id: int, channel: Channel, *, since: datetime) -> int:
    """How many tickets a customer opened by this channel since then."""
    values = {"customer": customer_id, "channel": channel.value, "since": since}
    return connection.execute(_COUNT_SINCE, values).scalar_one()


def find_to_close(connection: Connection, *, now: datetime, limit: int) -> list[int]:
    """Completed tickets whose customer has not answered within the time of the standard (S-40)."""
    query = select(Ticket.id).where(Ticket.close_due_at <= now).order_by(Ticket.close_due_at).limit(limit)
    return list(connection.execute(query).scalars())


_PLANS = select(Plan.__table__).where(Plan.ticket_id == bindparam("ticket")).order_by(Plan.revision)
_OPTIONS = (
    select(PlanOption.__table__)
    .where(PlanOption.plan_id == func.any(bindparam("wanted", type_=ARRAY(BigInteger))))
    .order_by(PlanOption.position)
)


def plans_of(connection: Connection, ticket_id: int) -> list[dict[str, Any]]:
    """All revisions of a ticket's plan with their options, oldest first (S-23)."""
    by_id = {plan["id"]: {**plan, "options": []} for plan in fetch(connection, _PLANS, ticket=ticket_id)}
    for option in fetch(connection, _OPTIONS, wanted=list(by_id)) if by_id else ():
        by_id[option["plan_id"]]["options"].append(option)
    return list(by_id.values())
