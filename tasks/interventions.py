"""The steps that operations take by a form of the Prefect UI; a refusal leaves everything as it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from db import interventions
from db.session import transaction
from db.standards import get_standard
from domain.exceptions import DomainError
from domain.interventions import INTERVENTION, MessageStep, TicketStep
from domain.tickets import ticket_id
from tasks import story


@task(cache_policy=NO_CACHE)
def advance(number: str, step: TicketStep, reason: str, to_staff: int | None, now: datetime) -> str:
    """Take the step; returns in words what was done. Raises DomainError."""
    with transaction() as connection:
        done = interventions.advance(
            connection, ticket_id(number), step, reason=reason, to_staff=to_staff, standard=get_standard(), now=now
        )
    story.tell(number, INTERVENTION, step=step.value, done=done)
    return done


def open_tickets_of(staff_id: int) -> list[tuple[int, str]]:
    """Id and number of each open ticket that somebody has."""
    with transaction() as connection:
        return interventions.open_tickets_of(connection, staff_id)


@task(cache_policy=NO_CACHE)
def hand_over(
    tickets: Sequence[tuple[int, str]], from_staff: int, reason: str, to_staff: int | None, now: datetime
) -> dict[str, str]:
    """Give these tickets to others; returns what became of each number."""
    outcomes = {}
    for held_id, number in tickets:
        try:
            with transaction() as connection:
                moved = interventions.hand_over(
                    connection,
                    held_id,
                    from_staff,
                    reason=reason,
                    to_staff=to_staff,
                    standard=get_standard(),
                    now=now,
                )
        except DomainError as error:
            outcomes[number] = f"stays: {error}"
            continue
        outcomes[number] = "handed over" if moved else "stays: its work is done, or it has moved on"
        if moved:
            story.tell(number, INTERVENTION, step=TicketStep.ASSIGN.value)
    return outcomes


@task(cache_policy=NO_CACHE)
def decide_message(message_id: int, step: MessageStep, reason: str, now: datetime) -> None:
    """Send a message again, or take it back. Raises DomainError."""
    with transaction() as connection:
        interventions.decide_message(connection, message_id, step, reason=reason, now=now)
