"""This file is one process of the kill test: ``flows`` runs the flows in a circle, ``people`` lives the tickets' lives.

Every step of ``people`` carries an idempotency key, so a process that was killed anywhere begins again from the start.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from clock import utc_now
from db import commands, intake, staff, surveys, tickets
from db.session import transaction
from domain.commands import AgreePlan, Complete, ConfirmCompletion, FirstContact, LogStep, ObjectToPlan, ProposePlan
from domain.exceptions import IllegalTransitionError
from domain.intake import CustomerDetails, Report
from domain.people import Actor, Role
from domain.satisfaction import SurveyAnswer
from domain.tickets import Channel
from settings import written_standard

LIVES = 40


def plan() -> ProposePlan:
    return ProposePlan(kind="repair", steps=["repair it"], deadline_at=utc_now() + timedelta(days=1))


def live(number: int) -> bool:
    """Take one customer's story as far as it goes now; True when it is at its end."""
    standard, now = written_standard(), utc_now()
    with transaction() as connection:
        details = CustomerDetails(name=f"Customer {number}", email=f"life{number}@example.com", language="en")
        customer_id = intake.find_or_add_customer(connection, details, standard=standard, now=now)
        customer = Actor(Role.CUSTOMER, customer_id)
        report = Report(channel=Channel.APP, description=f"The fridge leaks, case {number}")
        opened = intake.open_ticket(
            connection, customer_id, report, customer, standard=standard, now=now, idempotency_key=f"open {number}"
        )
    for step, (who, command) in enumerate(story(number)):
        with transaction() as connection:
            ticket = tickets.get(connection, opened.ticket_id)
            if ticket["assignee_id"] is None:
                return False
            role = Role(staff.get(connection, ticket["assignee_id"])["role"])
        actor = customer if who == "customer" else Actor(role, ticket["assignee_id"])
        key = f"life {number} step {step}"
        with transaction() as connection:
            known = commands.find_by_key(connection, key)
            if known is None:
                give(connection, opened.ticket_id, command, actor, key)
    return answer(opened.ticket_id, number, customer)


def give(connection: Any, ticket_id: int, command: Any, actor: Actor, key: str) -> None:
    commands.apply_command(
        connection, ticket_id, command, actor, standard=written_standard(), now=utc_now(), idempotency_key=key
    )


def story(number: int) -> list[tuple[str, Any]]:
    steps: list[tuple[str, Any]] = [("assignee", FirstContact(summary="called")), ("assignee", plan())]
    if number % 3 == 0:
        steps += [("customer", ObjectToPlan(reason="too late")), ("assignee", plan())]
    return [
        *steps,
        ("customer", AgreePlan()),
        ("assignee", LogStep(step="on site")),
        ("assignee", Complete(summary="repaired", tested=True)),
        ("customer", ConfirmCompletion(signed_by=f"Customer {number}")),
    ]


def answer(ticket_id: int, number: int, customer: Actor) -> bool:
    """Answer the survey once it was sent; every fourth customer is unhappy."""
    score = 2 if number % 4 == 0 else 5
    with transaction() as connection:
        asked = surveys.list_of(connection, ticket_id)
        if not asked or asked[-1]["state"] == "scheduled":
            return False
        given = SurveyAnswer(efficiency=score, attitude=score, solution=score, overall=score)
        try:
            surveys.record_answer(
                connection, asked[-1]["id"], given, customer, standard=written_standard(), now=utc_now()
            )
        except IllegalTransitionError:
            return asked[-1]["state"] == "expired"
    return True


def people() -> None:
    """Live all lives, round and round, until each is at its end."""
    waiting = list(range(LIVES))
    while waiting:
        waiting = [number for number in waiting if not live(number)]


def flows() -> None:
    """Run every flow for the present moment, round and round."""
    from flows.callback_escalation import callback_escalation
    from flows.message_delivery import message_delivery
    from flows.sla_watchdog import sla_watchdog
    from flows.survey_dispatch import survey_dispatch
    from flows.ticket_lifecycle import ticket_lifecycle

    print("ready", flush=True)
    rounds = int(sys.argv[2])
    while rounds:
        rounds -= 1
        for flow in (ticket_lifecycle, sla_watchdog, survey_dispatch, callback_escalation, message_delivery):
            flow(now=utc_now(), return_state=True)


if __name__ == "__main__":
    {"flows": flows, "people": people}[sys.argv[1]]()
