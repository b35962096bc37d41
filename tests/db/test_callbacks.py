"""A low score is called back within the hour, by a supervisor, or the manager hears of it (S-42)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from db import callbacks, surveys
from db.models import Staff
from db.session import engine, transaction
from domain.access import MAY_CALL
from domain.exceptions import IllegalTransitionError, NotFoundError, NotPermittedError
from domain.lifecycle import TicketState
from domain.people import Actor, Role
from domain.satisfaction import CallbackKind, SurveyAnswer
from domain.standard import Standard
from tests.conftest import Cast, read_cast
from tests.desk import Desk

S = TicketState
ASKED = timedelta(hours=24)


def _unhappy(desk: Desk, overall: int = 2, **details: str) -> int:
    """A ticket whose customer answered ``overall`` 25 hours after ``desk.now``."""
    ticket_id = desk.bring_to(S.COMPLETED, ticket_id=desk.open(**details))
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.now + ASKED)
    answer = SurveyAnswer(efficiency=2, attitude=2, solution=2, overall=overall, comment="太慢")
    survey_id = desk.surveys(ticket_id)[0]["id"]
    surveys.record_answer(
        desk.connection,
        survey_id,
        answer,
        desk.customer_of(ticket_id),
        standard=desk.standard,
        now=desk.after(hours=25),
    )
    return ticket_id


def _sweep(desk: Desk, **after: float) -> list[tuple[str, str]]:
    steps = callbacks.escalate_due(desk.connection, standard=desk.standard, now=desk.after(**after))
    return [(step.step, step.who) for step in steps]


def _done(desk: Desk, ticket_id: int, actor: Actor, **after: float) -> None:
    call = desk.callbacks(ticket_id)[0]
    callbacks.complete(
        desk.connection,
        call["id"],
        actor,
        reason="part came late",
        suggestion="stock it",
        now=desk.after(**(after or {"hours": 25, "minutes": 30})),
    )


@pytest.mark.parametrize(("overall", "owed"), [(1, 1), (3, 1), (4, 0), (5, 0)])
def test_a_score_of_three_or_less_owes_a_call(desk: Desk, overall: int, owed: int) -> None:
    assert len(desk.callbacks(_unhappy(desk, overall))) == owed


def test_the_call_is_due_an_hour_after_the_answer_and_promised_to_the_customer(desk: Desk) -> None:
    ticket_id = _unhappy(desk)

    (call,) = desk.callbacks(ticket_id)
    assert (call["kind"], call["state"], call["due_at"]) == ("low_score", "open", desk.after(hours=26))
    assert desk.told(ticket_id)[-1][0] == "callback_promised"


def test_the_region_s_supervisor_gets_it_once(desk: Desk) -> None:
    ticket_id = _unhappy(desk)

    assert _sweep(desk, hours=25) == [("assigned", "孙静")]
    assert _sweep(desk, hours=25, minutes=59) == []

    assert desk.callbacks(ticket_id)[0]["supervisor_name"] == "孙静"
    assert desk.told(ticket_id)[-1] == ("staff_callback_due", "孙静")


def test_a_supervisor_who_is_off_duty_is_passed_over(desk: Desk) -> None:
    desk.connection.execute(update(Staff).where(Staff.email == "sun.jing@aftercare.example").values(calendar="office"))
    desk.now += timedelta(hours=12)  # the answer comes on Wednesday at 23:00
    _unhappy(desk)

    assert _sweep(desk, hours=25) == [("assigned", "Carol King")]


def test_one_that_is_late_is_told_to_the_manager_once(desk: Desk) -> None:
    ticket_id = _unhappy(desk)
    _sweep(desk, hours=25)

    assert _sweep(desk, hours=26) == [("escalated", "马超")]
    assert [step for hours in range(26, 99) for step in _sweep(desk, hours=hours)] == []

    assert desk.callbacks(ticket_id)[0]["escalated_at"] == desk.after(hours=26)
    assert desk.callbacks(ticket_id)[0]["state"] == "open"
    assert desk.told(ticket_id)[-1] == ("staff_callback_overdue", "马超")


def test_after_an_outage_supervisor_and_manager_are_told_in_one_sweep(desk: Desk) -> None:
    _unhappy(desk)

    assert _sweep(desk, hours=40) == [("assigned", "孙静"), ("escalated", "马超")]


def test_without_any_supervisor_it_is_looked_at_again_and_not_forgotten(desk: Desk) -> None:
    ticket_id = _unhappy(desk)
    supervisors = Staff.role == "supervisor"
    desk.connection.execute(update(Staff).where(supervisors).values(is_active=False))

    assert _sweep(desk, hours=25) == []
    desk.connection.execute(update(Staff).where(supervisors).values(is_active=True))
    assert _sweep(desk, hours=25, minutes=4) == []
    assert _sweep(desk, hours=25, minutes=5) == [("assigned", "孙静")]

    assert desk.callbacks(ticket_id)[0]["next_action_at"] == desk.after(hours=26)


def test_a_call_keeps_the_reason_and_the_suggestion(desk: Desk, cast: Cast) -> None:
    ticket_id = _unhappy(desk)
    _sweep(desk, hours=25)

    _done(desk, ticket_id, cast.supervisor)

    (call,) = desk.callbacks(ticket_id)
    assert (call["state"], call["done_by"], call["reason"], call["suggestion"]) == (
        "done",
        cast.supervisor.id,
        "part came late",
        "stock it",
    )
    assert desk.last_event(ticket_id)["facts"]["in_time"] is True
    assert _sweep(desk, hours=27) == []
    assert callbacks.list_open(desk.connection) == []


def test_a_call_on_the_hour_is_in_time_and_a_second_later_it_is_not(desk: Desk, cast: Cast) -> None:
    on_time, late = _unhappy(desk), _unhappy(desk)

    _done(desk, on_time, cast.supervisor, hours=26)
    _done(desk, late, cast.supervisor, hours=26, seconds=1)

    assert desk.last_event(on_time)["facts"]["in_time"] is True
    assert desk.last_event(late)["facts"]["in_time"] is False


def test_a_call_is_recorded_once(desk: Desk, cast: Cast) -> None:
    ticket_id = _unhappy(desk)
    _done(desk, ticket_id, cast.supervisor)
    before = desk.kinds(ticket_id)

    with pytest.raises(IllegalTransitionError, match="not open"):
        _done(desk, ticket_id, cast.manager)

    assert desk.kinds(ticket_id) == before


@pytest.mark.parametrize("role", sorted(set(Role) - MAY_CALL[CallbackKind.LOW_SCORE]))
def test_whoever_may_not_call_back_is_refused(desk: Desk, role: Role) -> None:
    ticket_id = _unhappy(desk)

    with pytest.raises(NotPermittedError, match="supervisor"):
        _done(desk, ticket_id, Actor(role, 1))

    assert desk.callbacks(ticket_id)[0]["state"] == "open"


def test_an_unknown_callback_is_said(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="987654"):
        callbacks.complete(desk.connection, 987654, desk.clerk, reason="r", suggestion="", now=desk.now)


def test_the_open_calls_are_listed_the_most_urgent_first(desk: Desk) -> None:
    second = desk.now
    desk.now -= timedelta(hours=5)
    early = _unhappy(desk, 1)
    desk.now = second
    late = _unhappy(desk, 3)

    rows = callbacks.list_open(desk.connection)

    assert [(row["ticket_id"], row["overall"]) for row in rows] == [(early, 1), (late, 3)]


def test_two_sweeps_at_once_tell_the_supervisor_once(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        _unhappy(desk)
        later = desk.after(hours=25)

    with engine(database).connect() as one, engine(database).connect() as two:
        first = callbacks.escalate_due(one, standard=standard, now=later)
        second = callbacks.escalate_due(two, standard=standard, now=later)
        one.commit()
        third = callbacks.escalate_due(two, standard=standard, now=later)

    assert (len(first), second, third) == (1, [], [])
