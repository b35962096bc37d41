"""Surveys are asked once, reminded once, answered once (S-41, S-43)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from db import callbacks, models, surveys
from db.session import engine, transaction
from domain.exceptions import IllegalTransitionError, NotFoundError
from domain.lifecycle import CommandName, TicketState
from domain.people import CustomerTier
from domain.satisfaction import SurveyAnswer
from domain.standard import Standard
from tests.conftest import read_cast
from tests.desk import Desk

C = CommandName
S = TicketState


def _dispatch(desk: Desk, **after: float) -> list[str]:
    return [
        step.step for step in surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(**after))
    ]


def _answer(overall: int = 5, **scores: int) -> SurveyAnswer:
    return SurveyAnswer(**{"efficiency": 4, "attitude": 5, "solution": 3, "overall": overall, **scores}, comment="谢谢")


def _record(desk: Desk, ticket_id: int, answer: SurveyAnswer, **after: float) -> bool:
    survey = desk.surveys(ticket_id)[-1]
    customer = desk.customer_of(ticket_id)
    return surveys.record_answer(
        desk.connection, survey["id"], answer, customer, standard=desk.standard, now=desk.after(**after)
    )


def _state(desk: Desk, ticket_id: int) -> str:
    return str(desk.surveys(ticket_id)[-1]["state"])


def test_the_invitation_goes_out_24_hours_after_completion_and_not_before(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)

    assert _dispatch(desk, hours=23, minutes=59) == []
    assert _dispatch(desk, hours=24) == ["sent"]
    assert _dispatch(desk, hours=24) == []

    survey = desk.surveys(ticket_id)[0]
    assert (survey["state"], survey["sent_at"]) == ("sent", desk.after(hours=24))
    assert survey["expires_at"] == desk.after(hours=24 + 168)
    assert desk.told(ticket_id)[-1] == ("survey_invitation", desk.customer_name(ticket_id))


def test_it_is_asked_of_a_ticket_that_is_closed_by_then(desk: Desk) -> None:
    desk.bring_to(S.CLOSED)

    assert _dispatch(desk, hours=24) == ["sent"]


def test_it_is_reminded_once_and_then_expires(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)

    steps = [step for hours in range(0, 24 * 10, 6) for step in _dispatch(desk, hours=hours)]

    assert steps == ["sent", "reminded", "expired"]
    survey = desk.surveys(ticket_id)[0]
    assert (survey["state"], survey["reminded_at"]) == ("expired", desk.after(hours=24 + 48))
    assert [kind for kind, _ in desk.told(ticket_id) if kind == "survey_reminder"] == ["survey_reminder"]


def test_after_an_outage_beyond_its_expiry_it_is_not_reminded_any_more(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)
    _dispatch(desk, hours=24)

    assert _dispatch(desk, days=30) == ["expired"]
    assert "survey_reminder" not in [kind for kind, _ in desk.told(ticket_id)]


def test_an_answered_survey_is_not_reminded(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)
    _dispatch(desk, hours=24)
    _record(desk, ticket_id, _answer(), hours=25)

    assert _dispatch(desk, days=30) == []


def test_a_satisfied_customer_is_thanked_and_not_called(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)
    _dispatch(desk, hours=24)

    assert _record(desk, ticket_id, _answer(4), hours=25)

    survey = desk.surveys(ticket_id)[0]
    assert (survey["state"], survey["overall"], survey["efficiency"], survey["comment"]) == ("answered", 4, 4, "谢谢")
    assert desk.told(ticket_id)[-1][0] == "survey_thanks"
    assert desk.callbacks(ticket_id) == []


def test_the_first_answer_counts(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)
    _dispatch(desk, hours=24)
    _record(desk, ticket_id, _answer(5), hours=25)
    told = desk.told(ticket_id)

    assert _record(desk, ticket_id, _answer(1), hours=26) is False

    assert desk.surveys(ticket_id)[0]["overall"] == 5
    assert desk.callbacks(ticket_id) == []
    assert desk.told(ticket_id) == told


def test_an_answer_before_it_was_asked_is_refused(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)

    with pytest.raises(IllegalTransitionError, match="scheduled"):
        _record(desk, ticket_id, _answer(), hours=1)


def test_an_answer_counts_up_to_the_expiry_and_is_refused_from_then_on(desk: Desk) -> None:
    early, late = desk.bring_to(S.COMPLETED), desk.bring_to(S.COMPLETED)
    _dispatch(desk, hours=24)

    assert _record(desk, early, _answer(), hours=24 + 168, seconds=-1)
    with pytest.raises(IllegalTransitionError):  # though no sweep has expired it yet
        _record(desk, late, _answer(), hours=24 + 168)

    assert desk.surveys(late)[0]["overall"] is None


def test_an_unknown_survey_is_said(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        surveys.record_answer(desk.connection, 987654, _answer(), desk.clerk, standard=desk.standard, now=desk.now)


class TestByPhone:
    @pytest.mark.parametrize("why", ["complaint", "valued"])
    def test_complaints_and_valued_customers_are_called_instead(self, desk: Desk, why: str) -> None:
        complains = why == "complaint"
        ticket_id = desk.open("投诉：空调坏了") if complains else desk.open(tier=CustomerTier.VALUED)
        desk.bring_to(S.COMPLETED, ticket_id=ticket_id)

        assert _dispatch(desk, hours=24) == ["call_requested"]

        (call,) = [call for call in desk.callbacks(ticket_id) if call["kind"] == "phone_survey"]
        assert (call["state"], call["due_at"]) == ("open", desk.after(hours=48))
        assert "survey_invitation" not in [kind for kind, _ in desk.told(ticket_id)]

    def test_nobody_is_reminded_of_a_call(self, desk: Desk) -> None:
        desk.bring_to(S.COMPLETED, ticket_id=desk.open(tier=CustomerTier.VALUED))

        assert [step for day in range(12) for step in _dispatch(desk, days=day)] == ["call_requested", "expired"]

    def test_the_answer_ends_the_call_and_a_low_score_asks_for_another(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.COMPLETED, ticket_id=desk.open(tier=CustomerTier.VALUED))
        _dispatch(desk, hours=24)
        survey = desk.surveys(ticket_id)[0]

        surveys.record_answer(
            desk.connection, survey["id"], _answer(2), desk.clerk, standard=desk.standard, now=desk.after(hours=30)
        )

        calls = {call["kind"]: call for call in desk.callbacks(ticket_id)}
        assert (calls["phone_survey"]["state"], calls["phone_survey"]["done_by"]) == ("done", desk.clerk.id)
        assert (calls["low_score"]["state"], calls["low_score"]["due_at"]) == ("open", desk.after(hours=31))

    def test_a_call_is_not_due_any_more_when_the_work_goes_on(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.COMPLETED, ticket_id=desk.open(tier=CustomerTier.VALUED))
        _dispatch(desk, hours=24)

        desk.give(ticket_id, C.REPORT_NOT_FIXED, at=desk.after(hours=25), reason="still warm")

        assert (_state(desk, ticket_id), desk.callbacks(ticket_id)[0]["state"]) == ("cancelled", "cancelled")


class TestWhenTheWorkGoesOn:
    @pytest.mark.parametrize("hours", [1, 25])
    def test_the_survey_is_cancelled_and_its_link_is_useless(self, desk: Desk, hours: int) -> None:
        ticket_id = desk.bring_to(S.COMPLETED)
        _dispatch(desk, hours=hours)
        survey_id = desk.surveys(ticket_id)[0]["id"]

        desk.give(ticket_id, C.REPORT_NOT_FIXED, at=desk.after(hours=hours), reason="still warm")

        assert _state(desk, ticket_id) == "cancelled"
        assert _dispatch(desk, days=30) == []
        with pytest.raises(IllegalTransitionError, match="cancelled"):
            surveys.record_answer(
                desk.connection, survey_id, _answer(), desk.clerk, standard=desk.standard, now=desk.after(hours=26)
            )

    def test_an_answer_that_was_given_stays(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.CLOSED)
        _dispatch(desk, hours=24)
        _record(desk, ticket_id, _answer(2), hours=25)

        desk.give(ticket_id, C.REOPEN, at=desk.after(hours=26), reason="warm again")

        assert _state(desk, ticket_id) == "answered"
        assert desk.callbacks(ticket_id)[0]["state"] == "open"


def test_two_sweeps_at_once_share_the_surveys(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        for _ in range(4):
            desk.bring_to(S.COMPLETED)
        later = desk.after(hours=24)

    with engine(database).connect() as one, engine(database).connect() as two:
        first = surveys.dispatch_due(one, standard=standard, now=later, limit=2)
        second = surveys.dispatch_due(two, standard=standard, now=later)
        one.commit()
        two.commit()

    assert len({step.ticket_number for step in [*first, *second]}) == 4


def test_twenty_answers_at_once_store_one(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        ticket_id = desk.bring_to(S.COMPLETED)
        _dispatch(desk, hours=24)
        survey_id, customer = desk.surveys(ticket_id)[0]["id"], desk.customer_of(ticket_id)
    ready = Barrier(20)

    def answer(number: int) -> bool:
        ready.wait()
        with transaction(database) as own:
            return surveys.record_answer(
                own, survey_id, _answer(1 + number % 5), customer, standard=standard, now=desk.after(hours=25)
            )

    with ThreadPoolExecutor(20) as threads:
        stored = list(threads.map(answer, range(20)))

    with engine(database).connect() as connection:
        answers = connection.execute(select(func.count()).select_from(models.SurveyAnswer)).scalar_one()
    assert (sum(stored), answers) == (1, 1)


class TestAVisitSomeDaysLater:
    """S-43: valued customers and serious cases."""

    def test_is_given_to_somebody_announced_to_the_customer_and_done(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.COMPLETED, ticket_id=desk.open(tier=CustomerTier.VALUED))
        policy = desk.standard.follow_up_visit
        told_at = desk.now + policy.after - policy.announced_before

        steps = [
            [step.step for step in _escalate(desk, at) if step.kind == "follow_up_visit"]
            for at in (told_at - timedelta(seconds=1), told_at, told_at)
        ]

        assert steps == [[], ["assigned"], []]
        visitor = next(call for call in desk.callbacks(ticket_id) if call["kind"] == "follow_up_visit")
        assert visitor["due_at"] == desk.now + policy.after
        assert ("follow_up_visit", desk.customer_name(ticket_id)) in desk.told(ticket_id)
        assert ("staff_callback_due", visitor["supervisor_name"]) in desk.told(ticket_id)
        callbacks.complete(desk.connection, visitor["id"], desk.clerk, reason="all is well", suggestion="", now=told_at)

    def test_follows_an_urgent_ticket_and_not_an_ordinary_one(self, desk: Desk) -> None:
        urgent = desk.bring_to(S.COMPLETED, ticket_id=desk.open("冒烟了", impact=None))
        ordinary = desk.bring_to(S.COMPLETED)

        assert [call["kind"] for call in desk.callbacks(urgent)] == ["follow_up_visit"]
        assert desk.callbacks(ordinary) == []

    def test_is_not_made_when_the_work_goes_on(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.COMPLETED, ticket_id=desk.open(tier=CustomerTier.VALUED))

        desk.give(ticket_id, C.REPORT_NOT_FIXED, reason="still broken")

        assert {call["state"] for call in desk.callbacks(ticket_id)} == {"cancelled"}


def _escalate(desk: Desk, at: datetime) -> list[callbacks.CallbackStep]:
    return callbacks.escalate_due(desk.connection, standard=desk.standard, now=at)
