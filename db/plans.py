"""Plans: proposed in revisions, agreed to or objected to, never overwritten (S-21 to S-23)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from db.models import Plan, PlanOption
from db.notices import iso
from domain.commands import AgreePlan, ProposePlan, require_soon
from domain.exceptions import InvalidInputError


def propose(
    connection: Connection, ticket_id: int, revision: int, command: ProposePlan, *, owner_id: int, now: datetime
) -> dict[str, Any]:
    """Write a revision; one that was still open is superseded. Returns the plan as a message's context keeps it.

    Raises InvalidInputError when the appointment is not ahead.
    """
    if command.appointment_at is not None:
        require_soon("appointment_at", command.appointment_at, now=now)
    withdraw(connection, ticket_id, now=now)
    plan_id = connection.execute(
        insert(Plan)
        .values(
            ticket_id=ticket_id,
            revision=revision,
            kind=command.kind.value,
            steps=command.steps,
            owner_id=owner_id,
            deadline_at=command.deadline_at,
            appointment_at=command.appointment_at,
            proposed_at=now,
        )
        .returning(Plan.id)
    ).scalar_one()
    options = [option.model_dump() for option in command.options]
    if options:
        rows = [{"plan_id": plan_id, "position": position, **option} for position, option in enumerate(options, 1)]
        connection.execute(insert(PlanOption), rows)
    return {
        "revision": revision,
        "kind": command.kind.value,
        "steps": command.steps,
        "deadline_at": iso(command.deadline_at),
        "appointment_at": iso(command.appointment_at),
        "options": options,
    }


def agree(connection: Connection, ticket_id: int, command: AgreePlan, *, now: datetime) -> tuple[int, datetime | None]:
    """Record the customer's agreement with the open plan; returns its revision and appointment.

    Raises InvalidInputError when there are options and none, or one that is not there, was chosen.
    """
    plan = connection.execute(
        select(Plan.id, Plan.revision, Plan.appointment_at, func.count(PlanOption.position).label("options"))
        .outerjoin(PlanOption, PlanOption.plan_id == Plan.id)
        .where(Plan.ticket_id == ticket_id, Plan.state == "proposed")
        .group_by(Plan.id)
    ).one()
    if plan.options and (command.option is None or command.option > plan.options):
        raise InvalidInputError("option", f"choose one of the {plan.options} options, counted from 1")
    if not plan.options and command.option is not None:
        raise InvalidInputError("option", "this plan has no options to choose from")
    connection.execute(
        update(Plan)
        .where(Plan.id == plan.id)
        .values(
            state="agreed",
            answered_at=command.agreed_at or now,
            chosen_option=command.option,
            agreed_with=command.agreed_by_phone_with,
        )
    )
    return int(plan.revision), plan.appointment_at


def object_to(connection: Connection, ticket_id: int, reason: str, *, now: datetime) -> int:
    """Record the customer's objection to the open plan; returns its revision."""
    return connection.execute(
        update(Plan)
        .where(Plan.ticket_id == ticket_id, Plan.state == "proposed")
        .values(state="objected", answered_at=now, objection=reason)
        .returning(Plan.revision)
    ).scalar_one()


def is_agreed(connection: Connection, ticket_id: int, revision: int) -> bool:
    """Whether the customer has agreed to this revision, the latest one (S-22)."""
    if revision == 0:
        return False
    query = select(Plan.state).where(Plan.ticket_id == ticket_id, Plan.revision == revision)
    return connection.execute(query).scalar_one_or_none() == "agreed"


def withdraw(connection: Connection, ticket_id: int, *, now: datetime) -> None:
    """Supersede the open plan, if there is one."""
    connection.execute(
        update(Plan)
        .where(Plan.ticket_id == ticket_id, Plan.state == "proposed")
        .values(state="superseded", answered_at=now)
    )
