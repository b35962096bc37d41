"""Root causes lead to actions, actions are spoken of, and whoever suffered is asked again (S-53 to S-55)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from db import feedback, improvement_actions, improvement_effects, root_causes, surveys
from db.models import Customer, Message
from db.reports import actions, satisfaction
from domain.exceptions import IllegalTransitionError, InvalidInputError, NotPermittedError
from domain.improvement import ActionState, NewAction, Outcome, RootCause, Stage
from domain.lifecycle import TicketState
from domain.people import Department
from domain.satisfaction import SurveyAnswer
from domain.spans import week_of
from tests.conftest import Cast
from tests.desk import Desk

CAUSE = RootCause(problem="工程师迟到", whys=("路上堵车", "一天排了九单"), cause="派单不看路程")
DUE = date(2026, 11, 30)


def _answered(desk: Desk, overall: int, *, days_ago: float, **details: Any) -> int:
    """A ticket that was closed some days ago, with its customer's answer two days later."""
    at = desk.after(days=-days_ago)
    ticket_id = desk.bring_to(TicketState.CLOSED, at=at, ticket_id=desk.open(at=at, **details))
    survey_id = desk.surveys(ticket_id)[0]["id"]
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=at + timedelta(days=1))
    _answer(desk, survey_id, overall, after=1 - days_ago)
    return ticket_id


def _answer(desk: Desk, survey_id: int, overall: int, *, after: float) -> None:
    answer = SurveyAnswer(efficiency=3, attitude=4, solution=3, overall=overall, on_site=overall, comment="等了半天")
    ticket_id = surveys.get(desk.connection, survey_id)["ticket_id"]
    now = desk.after(days=after, minutes=1)
    surveys.record_answer(
        desk.connection, survey_id, answer, desk.customer_of(ticket_id), standard=desk.standard, now=now
    )


def _decide(desk: Desk, cast: Cast, tickets: list[int], **more: Any) -> int:
    cause_id = root_causes.add(desk.connection, CAUSE, tickets, written_by=cast.supervisor.id or 0, now=desk.now)
    said = {"measure": "按路程派单", "department": Department.SERVICE, "responsible_id": cast.engineer.id}
    action = NewAction(**{**said, "due_on": DUE, "expected_effect": "少迟到", **more})
    return improvement_actions.add(
        desk.connection, cause_id, action, cast.supervisor, standard=desk.standard, now=desk.now
    )


def _steps(desk: Desk, **after: float) -> list[tuple[str, int]]:
    steps = improvement_actions.take_steps(desk.connection, standard=desk.standard, now=desk.after(**after))
    return [(step.step, step.count) for step in steps]


def _end(desk: Desk, cast: Cast, action_id: int, state: ActionState = ActionState.DONE, *, days: float = 0) -> None:
    outcome = Outcome(note="已上线", told_customers="现在按路程派单")
    now = desk.after(days=days)
    improvement_actions.end(desk.connection, action_id, state, outcome, cast.engineer, standard=desk.standard, now=now)


def test_a_root_cause_keeps_the_answers_that_it_rested_on(desk: Desk, cast: Cast) -> None:
    unhappy = _answered(desk, 1, days_ago=9)
    silent = desk.open()
    writer = cast.supervisor.id or 0

    with pytest.raises(InvalidInputError, match="TK-99999999"):
        root_causes.add(desk.connection, CAUSE, [unhappy, 99999999], written_by=writer, now=desk.now)
    cause_id = root_causes.add(desk.connection, CAUSE, [silent, unhappy, unhappy], written_by=writer, now=desk.now)

    evidence = root_causes.evidence_of(desk.connection, cause_id)
    assert [row["overall"] for row in evidence] == [1, None]
    assert root_causes.get(desk.connection, cause_id)["whys"] == list(CAUSE.whys)


def test_unhappy_customers_are_found_by_stage_and_region(desk: Desk) -> None:
    unhappy = _answered(desk, 2, days_ago=9)
    _answered(desk, 5, days_ago=9)
    wanted = root_causes.LowScores(desk.after(days=-30), desk.now, 3, region="east", stage=Stage.ON_SITE)

    found = root_causes.find_low_scores(desk.connection, wanted, limit=10)

    assert [row["number"] for row in found] == [desk.ticket(unhappy)["number"]]


def test_an_action_is_spoken_of_once_ahead_and_when_overdue_until_it_ends(desk: Desk, cast: Cast) -> None:
    action_id = _decide(desk, cast, [desk.open()])

    # The desk's now is 24 November, 10:00; the deadline the 30th.
    assert _steps(desk, days=2) == []
    assert _steps(desk, days=3) == [("due_soon", 1)]
    assert _steps(desk, days=3) == []
    assert _steps(desk, days=7) == [("overdue", 2)]  # whoever is responsible, and whoever decided it
    week = week_of(date(2026, 12, 3), desk.standard.organisation.time_zone)
    told = {"id": action_id, "measure": "按路程派单", "department": "service", "due_on": "2026-11-30"}
    assert actions.open_at_end(desk.connection, week) == [told | {"is_overdue": True}]
    _end(desk, cast, action_id, ActionState.DROPPED, days=8)

    assert _steps(desk, days=60) == []
    notices = select(Message.context["notice"].astext).where(Message.kind == "staff_improvement_action")
    said = desk.connection.execute(notices.order_by(Message.id)).scalars().all()
    assert said == ["given", "due_soon", "overdue", "overdue"]
    with pytest.raises(IllegalTransitionError):
        _end(desk, cast, action_id)


def test_who_may_decide_and_end_is_told_by_role(desk: Desk, cast: Cast) -> None:
    action_id = _decide(desk, cast, [desk.open()])
    outcome, now = Outcome(note="no"), desk.now

    with pytest.raises(NotPermittedError):
        improvement_actions.end(
            desk.connection, action_id, ActionState.DONE, outcome, cast.agent, standard=desk.standard, now=now
        )
    with pytest.raises(InvalidInputError, match="due_on"):
        _decide(desk, cast, [desk.open()], due_on=date(2026, 11, 23))


def test_a_week_after_it_was_done_each_affected_customer_is_asked_once(desk: Desk, cast: Cast) -> None:
    twice = {"email": "twice@example.com"}
    first, second = (_answered(desk, 1, days_ago=9, description=words, **twice) for words in ("漏水", "不制冷"))
    declined = _answered(desk, 2, days_ago=9)
    customer_id = desk.ticket(declined)["customer_id"]
    desk.connection.execute(update(Customer).where(Customer.id == customer_id).values(declined_surveys_at=desk.now))
    action_id = _decide(desk, cast, [first, second, declined])
    _end(desk, cast, action_id)

    assert _steps(desk, days=6) == []
    assert _steps(desk, days=7) == [("asked_again", 1)]
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(days=7))

    asked = desk.surveys(second)[-1]
    assert (asked["action_id"], asked["state"], asked["next_action_at"]) == (action_id, "sent", asked["expires_at"])
    assert desk.told(second)[-1][0] == "survey_again"
    said = select(func.count()).where(Message.kind == "survey_again")
    assert desk.connection.execute(said).scalar_one() == 1
    _answer(desk, asked["id"], 5, after=8)
    effect = _effect(desk, action_id, days=9)
    assert (effect.asked, effect.asked_again) == (1, [(1, 5, 1)])
    assert sum(effect.after.values()) == 0  # who is asked again is counted apart
    week = week_of(desk.after(days=8).date(), desk.standard.organisation.time_zone)
    counted = satisfaction.answered(desk.connection, week, low_score=desk.standard.callback.low_score)
    assert [row["answers"] for row in counted] == [3]  # those of two weeks before, when they were first asked
    assert feedback.answers(desk.connection, week) == []


def _effect(desk: Desk, action_id: int, *, days: float) -> improvement_effects.Effect:
    action = improvement_actions.get(desk.connection, action_id)
    zone = desk.standard.organisation.time_zone
    over = desk.standard.improvement.compare_over
    return improvement_effects.read(desk.connection, action, over=over, time_zone=zone, now=desk.after(days=days))


def test_answers_count_before_or_after_by_when_the_work_was_completed_and_in_the_scope(desk: Desk, cast: Cast) -> None:
    low = _answered(desk, 1, days_ago=20)
    _answered(desk, 4, days_ago=2)
    _answered(desk, 2, days_ago=20, region="west")
    action_id = _decide(desk, cast, [low], region="east", stage=Stage.ON_SITE)
    # Done a day and a half ago: the last answer came later, but is about work from before.
    _end(desk, cast, action_id, days=-1.5)

    assert _effect(desk, action_id, days=0).before == {1: 1, 4: 1}

    _answered(desk, 5, days_ago=-3)
    effect = _effect(desk, action_id, days=10)
    assert (effect.after, [counts for _, counts in effect.months]) == ({5: 1}, [{1: 1, 4: 1, 5: 1}])
