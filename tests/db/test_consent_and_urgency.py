"""Nothing is executed without consent on any path, and what becomes urgent later is treated as urgent (S-12, S-22)."""

from __future__ import annotations

import pytest

from db import callbacks, intake, outbox, surveys, tickets
from domain.commands import PlanKind
from domain.exceptions import IllegalTransitionError, InvalidInputError, NotPermittedError
from domain.intake import Report
from domain.lifecycle import CommandName as C
from domain.lifecycle import TicketState as S
from domain.people import Role
from domain.satisfaction import SurveyAnswer
from domain.tickets import Channel, Impact
from tests.conftest import Cast
from tests.desk import Desk


def test_guidance_that_did_not_help_needs_a_plan_before_work_is_done(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    desk.give(ticket_id, C.COMPLETE, summary="explained", guidance_only=True)
    desk.give(ticket_id, C.REPORT_NOT_FIXED, reason="still broken")

    with pytest.raises(IllegalTransitionError, match="S-22"):
        desk.give(ticket_id, C.COMPLETE, summary="replaced", tested=True)

    plan = {"kind": PlanKind.REPAIR, "steps": ["replace it"], "deadline_at": desk.after(days=1)}
    desk.give(ticket_id, C.PROPOSE_PLAN, **plan)
    desk.give(ticket_id, C.AGREE_PLAN, agreed_by_phone_with="the customer")
    desk.give(ticket_id, C.COMPLETE, summary="replaced", tested=True)
    assert desk.ticket(ticket_id)["state"] == S.COMPLETED


def test_agreed_work_is_not_done_before_it_was_tested(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)

    with pytest.raises(InvalidInputError, match="tested"):
        desk.give(ticket_id, C.COMPLETE, summary="replaced", guidance_only=True)


def test_a_ticket_that_becomes_urgent_calls_in_the_other_departments_once(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)

    desk.give(ticket_id, C.CHANGE_PRIORITY, impact=Impact.CORE_USE_LOST, reason="does not start at all")
    desk.give(ticket_id, C.CHANGE_PRIORITY, impact=Impact.CORE_USE_LOST, reason="confirmed")

    assert [kind for kind, _ in desk.told(ticket_id)].count("staff_support_requested") == 2  # two departments


def test_what_waits_about_a_ticket_that_becomes_urgent_overtakes_too(desk: Desk) -> None:
    calm, urgent = desk.bring_to(S.DIAGNOSING), desk.bring_to(S.DIAGNOSING)

    desk.give(urgent, C.CHANGE_PRIORITY, impact=Impact.CORE_USE_LOST, reason="does not start at all")

    def waiting(ticket_id: int) -> set[bool]:
        return {message["is_urgent"] for message in outbox.list_of(desk.connection, ticket_id)}

    assert (waiting(urgent), waiting(calm)) == ({True}, {False})


def test_a_second_report_of_smoke_makes_the_open_ticket_urgent(desk: Desk) -> None:
    ticket_id = desk.open(description="The fridge leaks")
    customer = desk.customer_of(ticket_id)
    report = Report(channel=Channel.HOTLINE, description="The fridge leaks, and now there is smoke")
    product = {"product_model": "F-1"}
    desk.connection.execute(tickets.Ticket.__table__.update().values(**product))

    joined = intake.open_ticket(
        desk.connection,
        customer.id or 0,
        report.model_copy(update=product),
        customer,
        standard=desk.standard,
        now=desk.now,
    )

    assert joined.joined
    assert joined.ticket_id == ticket_id
    ticket = desk.ticket(ticket_id)
    assert (ticket["priority"], ticket["is_safety_risk"]) == ("P1", True)


@pytest.mark.parametrize("role", ["agent", "engineer"])
def test_only_a_lead_calls_back_after_a_low_score(desk: Desk, cast: Cast, role: str) -> None:
    ticket_id = desk.bring_to(S.CLOSED)
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(hours=24))
    scores = SurveyAnswer(efficiency=1, attitude=1, solution=1, overall=1)
    survey_id = desk.surveys(ticket_id)[-1]["id"]
    surveys.record_answer(
        desk.connection,
        survey_id,
        scores,
        desk.customer_of(ticket_id),
        standard=desk.standard,
        now=desk.after(hours=25),
    )
    call = desk.callbacks(ticket_id)[-1]

    with pytest.raises(NotPermittedError, match="manager, supervisor"):
        callbacks.complete(
            desk.connection, call["id"], getattr(cast, role), reason="r", suggestion="", now=desk.after(hours=26)
        )
    assert Role.SUPERVISOR is cast.supervisor.role
