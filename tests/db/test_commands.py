"""What each command does to a ticket: state, people, notices, surveys (S-11 to S-40)."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from db import outbox, tickets
from db.models import Staff
from domain.exceptions import IllegalTransitionError, InvalidInputError, NotFoundError
from domain.lifecycle import CommandName, TicketState
from domain.people import SYSTEM
from domain.tickets import Impact
from tests.conftest import Cast
from tests.desk import Desk

C = CommandName
S = TicketState
PLAN = {"kind": "repair", "steps": ["replace the compressor"]}


def test_acknowledging_tells_the_customer_by_when_somebody_is_assigned(desk: Desk) -> None:
    ticket_id = desk.open(name="王丽")

    applied = desk.give(ticket_id, C.ACKNOWLEDGE, SYSTEM)

    assert applied.state is S.ACKNOWLEDGED
    assert desk.told(ticket_id) == [("ticket_received", "王丽")]


def test_the_first_assignment_tells_customer_and_assignee(desk: Desk, cast: Cast) -> None:
    ticket_id = desk.bring_to(S.ACKNOWLEDGED)
    before = len(desk.told(ticket_id))

    desk.give(ticket_id, C.ASSIGN, SYSTEM, assignee_id=cast.engineer.id, reason="on duty")

    ticket = desk.ticket(ticket_id)
    assert (ticket["state"], ticket["assignee_name"], ticket["tier"]) == ("assigned", "张伟", 1)
    assert desk.told(ticket_id, since=before) == [
        ("ticket_assigned", ticket["customer_name"]),
        ("staff_assigned", "张伟"),
    ]


def test_a_later_assignment_is_a_transfer_and_takes_the_new_team_s_tier(desk: Desk, cast: Cast) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    before = len(desk.told(ticket_id))

    applied = desk.give(ticket_id, C.ASSIGN, assignee_id=_id_of(desk, "wu.qiang"), reason="knows it")

    ticket = desk.ticket(ticket_id)
    assert (ticket["state"], ticket["assignee_name"], ticket["tier"]) == ("diagnosing", "吴强", 2)
    assert applied.facts["from"] == cast.engineer.id
    assert [kind for kind, _ in desk.told(ticket_id, since=before)] == ["ticket_transferred", "staff_assigned"]


def test_an_urgent_ticket_calls_in_the_other_departments_when_it_is_assigned(desk: Desk, cast: Cast) -> None:
    ticket_id = desk.bring_to(S.ACKNOWLEDGED, ticket_id=desk.open(impact=Impact.CORE_USE_LOST))

    applied = desk.give(ticket_id, C.ASSIGN, SYSTEM, assignee_id=cast.senior.id, reason="senior")

    assert applied.facts["support"] == ["technical_support", "parts_supply"]
    told = desk.told(ticket_id)
    assert [name for kind, name in told if kind == "staff_support_requested"] == ["周敏", "何苗"]


def test_support_is_asked_for_by_hand_whatever_the_priority(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)
    before = len(desk.told(ticket_id))

    desk.give(ticket_id, C.REQUEST_SUPPORT, department="parts_supply", request="a fan motor")

    assert desk.told(ticket_id, since=before) == [("staff_support_requested", "何苗")]
    desk.connection.execute(update(Staff).where(Staff.name == "何苗").values(is_active=False))
    with pytest.raises(InvalidInputError, match="department"):
        desk.give(ticket_id, C.REQUEST_SUPPORT, department="parts_supply", request="a fan motor")


def test_nobody_inactive_is_assigned(desk: Desk, cast: Cast) -> None:
    ticket_id = desk.bring_to(S.ACKNOWLEDGED)
    desk.connection.execute(update(Staff).where(Staff.id == cast.engineer.id).values(is_active=False))

    with pytest.raises(NotFoundError, match="no active member of staff"):
        desk.give(ticket_id, C.ASSIGN, SYSTEM, assignee_id=cast.engineer.id, reason="on duty")


def test_a_ticket_climbs_tier_by_tier_and_not_above_technical_support(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.ASSIGNED)
    expert = _id_of(desk, "zhou.min")

    tiers = [_climb(desk, ticket_id, expert), _climb(desk, ticket_id, expert)]

    assert tiers == [2, 3]
    with pytest.raises(IllegalTransitionError, match="no higher tier"):
        _climb(desk, ticket_id, expert)


def test_correcting_the_category_keeps_the_suggestion(desk: Desk) -> None:
    ticket_id = desk.open()

    desk.give(ticket_id, C.CHANGE_CATEGORY, category="complaint", reason="wants an apology")

    ticket = desk.ticket(ticket_id)
    assert (ticket["category"], ticket["suggested_category"]) == ("complaint", "product_fault")
    assert ticket["category_reason"] == "wants an apology"
    assert desk.told(ticket_id) == []


def test_overriding_the_priority_keeps_the_suggestion_and_the_reason(desk: Desk) -> None:
    ticket_id = desk.open()

    applied = desk.give(ticket_id, C.CHANGE_PRIORITY, impact="minor", reason="one room only")

    ticket = desk.ticket(ticket_id)
    assert (ticket["priority"], ticket["suggested_priority"], ticket["priority_reason"]) == (
        "P3",
        "P2",
        "one room only",
    )
    assert applied.facts == {"from": "P2", "to": "P3"}


def test_a_question_is_answered_and_work_goes_on_where_it_was(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)
    desk.give(ticket_id, C.ASK_CUSTOMER, question="may we come on Sunday?")
    assert (desk.ticket(ticket_id)["state"], desk.ticket(ticket_id)["resume_state"]) == ("waiting_customer", "in_work")
    before = len(desk.told(ticket_id))

    desk.give(ticket_id, C.RECORD_REPLY, desk.customer_of(ticket_id), reply="yes")

    ticket = desk.ticket(ticket_id)
    assert (ticket["state"], ticket["resume_state"]) == ("in_work", None)
    assert desk.told(ticket_id, since=before) == [("staff_customer_answered", ticket["assignee_name"])]


def test_an_answer_that_the_assignee_writes_down_is_not_sent_back_to_them(desk: Desk, cast: Cast) -> None:
    ticket_id = desk.bring_to(S.WAITING_CUSTOMER)
    before = len(desk.told(ticket_id))
    assert desk.ticket(ticket_id)["assignee_id"] == cast.engineer.id

    desk.give(ticket_id, C.RECORD_REPLY, cast.engineer, reply="AC-3")

    assert desk.told(ticket_id, since=before) == []


def test_every_revision_of_the_plan_stays_visible(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    deadline = desk.after(days=2)
    desk.give(ticket_id, C.PROPOSE_PLAN, **PLAN, deadline_at=deadline)
    desk.give(ticket_id, C.OBJECT_TO_PLAN, desk.customer_of(ticket_id), reason="too late")
    desk.give(ticket_id, C.PROPOSE_PLAN, **PLAN, deadline_at=deadline)
    desk.give(ticket_id, C.PROPOSE_PLAN, **PLAN, deadline_at=deadline, options=[{"title": "a"}, {"title": "b"}])

    desk.give(ticket_id, C.AGREE_PLAN, desk.customer_of(ticket_id), option=2)

    plans = tickets.plans_of(desk.connection, ticket_id)
    assert [(plan["revision"], plan["state"]) for plan in plans] == [(1, "objected"), (2, "superseded"), (3, "agreed")]
    assert plans[0]["objection"] == "too late"
    assert plans[2]["chosen_option"] == 2
    assert [option["title"] for option in plans[2]["options"]] == ["a", "b"]
    kinds = [kind for kind, _ in desk.told(ticket_id)]
    assert (kinds.count("plan_proposed"), kinds.count("plan_revised")) == (1, 2)


@pytest.mark.parametrize(
    ("options", "choice"), [([], 1), ([{"title": "a"}, {"title": "b"}], None), ([{"title": "a"}], 2)]
)
def test_only_an_option_that_was_offered_is_chosen(desk: Desk, options: list[object], choice: int | None) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    desk.give(ticket_id, C.PROPOSE_PLAN, **PLAN, deadline_at=desk.after(days=2), options=options)

    with pytest.raises(InvalidInputError) as refused:
        desk.give(ticket_id, C.AGREE_PLAN, desk.customer_of(ticket_id), **({"option": choice} if choice else {}))

    assert refused.value.field == "option"
    assert desk.ticket(ticket_id)["state"] == "plan_proposed"


def test_agreement_by_phone_names_the_person_it_was_agreed_with(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.PLAN_PROPOSED)

    with pytest.raises(InvalidInputError) as refused:
        desk.give(ticket_id, C.AGREE_PLAN)
    desk.give(ticket_id, C.AGREE_PLAN, agreed_by_phone_with="王丽")

    assert refused.value.field == "agreed_by_phone_with"
    assert tickets.plans_of(desk.connection, ticket_id)[0]["agreed_with"] == "王丽"


def test_a_plan_for_the_past_is_refused(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)

    with pytest.raises(InvalidInputError, match="past"):
        desk.give(ticket_id, C.PROPOSE_PLAN, **PLAN, deadline_at=desk.now)


def test_a_step_is_told_to_the_customer_unless_it_is_internal(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)
    before = len(desk.told(ticket_id))

    desk.give(ticket_id, C.LOG_STEP, step="part ordered", is_internal=True)
    desk.give(ticket_id, C.LOG_STEP, step="part sent")

    assert [kind for kind, _ in desk.told(ticket_id, since=before)] == ["progress_step"]


def test_a_delay_tells_the_customer_the_new_time(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)
    before = len(desk.told(ticket_id))

    desk.give(ticket_id, C.REPORT_DELAY, reason="no part", expected_at=desk.after(days=4), contingency="loaner device")

    assert desk.ticket(ticket_id)["expected_at"] == desk.after(days=4)
    assert [kind for kind, _ in desk.told(ticket_id, since=before)] == ["delay_reported"]
    with pytest.raises(InvalidInputError, match="past"):
        desk.give(ticket_id, C.REPORT_DELAY, reason="again", expected_at=desk.now, contingency="none")


def test_a_note_changes_nothing_and_tells_nobody_even_when_the_ticket_is_over(desk: Desk, cast: Cast) -> None:
    ticket_id = desk.bring_to(S.CLOSED)
    before = desk.ticket(ticket_id), len(desk.told(ticket_id))

    desk.give(ticket_id, C.ADD_NOTE, cast.agent, note="called to say thanks")

    after = desk.ticket(ticket_id)
    assert after["event_count"] == before[0]["event_count"] + 1
    changed = {name for name in after if after[name] != before[0][name]}
    assert changed == {"event_count", "event_digest"}
    assert len(desk.told(ticket_id)) == before[1]


def test_completion_schedules_the_survey_and_the_closing(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.IN_WORK)
    before = len(desk.told(ticket_id))

    applied = desk.give(ticket_id, C.COMPLETE, summary="replaced", tested=True)

    ticket = desk.ticket(ticket_id)
    assert applied.facts == {"completion_no": 1}
    assert (ticket["completed_at"], ticket["close_due_at"]) == (desk.now, desk.after(hours=72))
    (survey,) = desk.surveys(ticket_id)
    assert (survey["state"], survey["next_action_at"]) == ("scheduled", desk.after(hours=24))
    assert [kind for kind, _ in desk.told(ticket_id, since=before)] == ["work_completed"]


def test_nothing_is_executed_without_consent_but_guidance_may_complete_a_diagnosis(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)

    with pytest.raises(IllegalTransitionError, match="S-22"):
        desk.give(ticket_id, C.COMPLETE, summary="replaced", tested=True)

    assert desk.give(ticket_id, C.COMPLETE, summary="explained", guidance_only=True).state is S.COMPLETED


def test_not_fixed_means_back_to_work_and_no_survey_about_it(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)

    desk.give(ticket_id, C.REPORT_NOT_FIXED, desk.customer_of(ticket_id), reason="still warm")

    ticket = desk.ticket(ticket_id)
    assert (ticket["state"], ticket["completed_at"], ticket["close_due_at"]) == ("in_work", None, None)
    assert [survey["state"] for survey in desk.surveys(ticket_id)] == ["cancelled"]
    assert [kind for kind, _ in desk.told(ticket_id)][-2:] == ["ticket_reopened", "staff_customer_answered"]


def test_a_second_completion_has_a_survey_of_its_own(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)
    desk.give(ticket_id, C.REPORT_NOT_FIXED, reason="still warm")

    applied = desk.give(ticket_id, C.COMPLETE, summary="again", tested=True)

    assert applied.facts == {"completion_no": 2}
    assert [s["state"] for s in desk.surveys(ticket_id)] == ["cancelled", "scheduled"]


def test_confirming_closes_the_ticket_and_says_nothing_more(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)
    before = len(desk.told(ticket_id))

    desk.give(ticket_id, C.CONFIRM_COMPLETION, desk.customer_of(ticket_id), at=desk.after(hours=1), signed_by="王丽")

    ticket = desk.ticket(ticket_id)
    assert (ticket["state"], ticket["closed_at"]) == ("closed", desk.after(hours=1))
    assert (ticket["completed_at"], ticket["close_due_at"]) == (desk.now, None)
    assert len(desk.told(ticket_id)) == before


def test_cancelling_withdraws_the_open_plan(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.PLAN_PROPOSED)

    desk.give(ticket_id, C.CANCEL, desk.customer_of(ticket_id), reason="bought a new one")

    assert [plan["state"] for plan in tickets.plans_of(desk.connection, ticket_id)] == ["superseded"]
    assert desk.ticket(ticket_id)["closed_at"] == desk.now
    assert all(row["stopped_at"] is not None for row in desk.clocks(ticket_id).values())
    assert [kind for kind, _ in desk.told(ticket_id)][-1] == "ticket_cancelled"


def _climb(desk: Desk, ticket_id: int, assignee_id: int) -> int:
    desk.give(ticket_id, C.ESCALATE_TIER, SYSTEM, assignee_id=assignee_id, reason="late")
    return int(desk.ticket(ticket_id)["tier"])


def _id_of(desk: Desk, name: str) -> int:
    query = select(Staff.id).where(Staff.email == f"{name}@aftercare.example")
    return desk.connection.execute(query).scalar_one()


class TestAPromisedMoment:
    @pytest.mark.parametrize(("wait", "said"), [({"seconds": 0}, "in the past"), ({"days": 367}, "more than 366 days")])
    def test_that_nobody_can_mean_is_refused(self, desk: Desk, wait: dict[str, float], said: str) -> None:
        ticket_id = desk.bring_to(TicketState.IN_WORK)
        told = desk.told(ticket_id)

        with pytest.raises(InvalidInputError, match=f"expected_at: .*{said}"):
            desk.give(ticket_id, CommandName.REPORT_DELAY, reason="r", contingency="c", expected_at=desk.after(**wait))

        assert desk.told(ticket_id) == told


def test_a_ticket_climbs_to_nobody_of_a_lower_tier(desk: Desk) -> None:
    ticket_id = desk.bring_to(TicketState.ASSIGNED)
    lowest = desk.ticket(ticket_id)["assignee_id"]

    with pytest.raises(InvalidInputError, match="assignee_id: is of tier 1; the ticket climbs to tier 2"):
        desk.give(ticket_id, CommandName.ESCALATE_TIER, assignee_id=lowest, reason="r")

    assert desk.ticket(ticket_id)["tier"] == 1


class TestAnAppointment:
    def agreed(self, desk: Desk, **wait: float) -> tuple[int, int]:
        """A ticket whose customer agreed to a visit, and how many messages there were before."""
        ticket_id = desk.bring_to(TicketState.DIAGNOSING)
        values = {"appointment_at": desk.after(**wait), "deadline_at": desk.after(days=9)}
        desk.give(ticket_id, CommandName.PROPOSE_PLAN, kind="repair", steps=["s"], **values)
        seen = len(desk.told(ticket_id))
        desk.give(ticket_id, CommandName.AGREE_PLAN, desk.customer_of(ticket_id))
        return ticket_id, seen

    def test_is_confirmed_and_the_customer_reminded_a_day_before(self, desk: Desk) -> None:
        ticket_id, seen = self.agreed(desk, days=3)

        kinds = [kind for kind, _ in desk.told(ticket_id, since=seen)]
        assert kinds == ["appointment_confirmed", "appointment_reminder", "staff_customer_answered"]
        reminder = next(
            row for row in outbox.list_of(desk.connection, ticket_id) if row["kind"] == "appointment_reminder"
        )
        assert reminder["send_after"] == desk.after(days=2)

    def test_of_tomorrow_morning_needs_no_reminder(self, desk: Desk) -> None:
        ticket_id, seen = self.agreed(desk, hours=20)

        assert [kind for kind, _ in desk.told(ticket_id, since=seen)] == [
            "appointment_confirmed",
            "staff_customer_answered",
        ]
