"""What is measured of whom: a small history whose figures can be counted by hand (S-57)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from db import alarms, appraisal, surveys
from domain.lifecycle import CommandName, TicketState
from domain.people import Actor
from domain.satisfaction import SurveyAnswer
from domain.tickets import Impact
from tests.conftest import Cast
from tests.desk import Desk

C = CommandName


def assigned(desk: Desk, to: Actor, *, impact: Impact = Impact.PARTIAL) -> int:
    """A ticket that somebody got at once."""
    ticket_id = desk.open(impact=impact)
    desk.give(ticket_id, C.ACKNOWLEDGE)
    desk.give(ticket_id, C.ASSIGN, assignee_id=to.id, reason="r")
    return ticket_id


def completed(desk: Desk, ticket_id: int, *, hours: float) -> None:
    """Contacted after an hour and completed that many hours after it was opened."""
    desk.give(ticket_id, C.FIRST_CONTACT, at=desk.after(hours=1), summary="s")
    desk.give(ticket_id, C.COMPLETE, at=desk.after(hours=hours), summary="s", guidance_only=True)


def answered(desk: Desk, ticket_id: int, overall: int, *, hours: float) -> None:
    """The customer's score."""
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(hours=hours))
    survey_id = desk.surveys(ticket_id)[-1]["id"]
    answer = SurveyAnswer(efficiency=4, attitude=4, solution=4, overall=overall)
    customer, now = desk.customer_of(ticket_id), desk.after(hours=hours)
    surveys.record_answer(desk.connection, survey_id, answer, customer, standard=desk.standard, now=now)


def answered_low(desk: Desk, who: Actor) -> None:
    """One more completion of somebody's, with a poor answer."""
    ticket_id = assigned(desk, who)
    completed(desk, ticket_id, hours=9)
    answered(desk, ticket_id, 2, hours=60)


def found(connection: Connection, desk: Desk, who: Actor | None, *, days: float = 7) -> dict[str, tuple[int, Any]]:
    """Count and mean (median's values for hours) by measure, of a person or of everybody."""
    rows = appraisal.measured(connection, since=desk.now, until=desk.now + timedelta(days=days))
    wanted = [r for r in rows if (r["staff_id"] == who.id if who else r["team_id"] is None)]
    return {r["measure"]: (r["count"], r["hours"] or r["mean"]) for r in wanted}


def test_what_counts_for_whom(connection: Connection, desk: Desk, cast: Cast) -> None:
    li, zhang = cast.senior, cast.engineer
    # Li: one in order, with a pause of ten hours, and a poor score.
    calm = assigned(desk, li)
    desk.give(calm, C.FIRST_CONTACT, at=desk.after(hours=1), summary="s")
    desk.give(calm, C.ASK_CUSTOMER, at=desk.after(hours=2), question="q")
    desk.give(calm, C.RECORD_REPLY, at=desk.after(hours=12), reply="r")
    desk.give(calm, C.COMPLETE, at=desk.after(hours=14), summary="s", guidance_only=True)
    answered(desk, calm, 2, hours=40)
    # Li breaks the promise of an urgent one; Zhang gets it afterwards and completes it.
    urgent = assigned(desk, li, impact=Impact.CORE_USE_LOST)
    desk.give(urgent, C.FIRST_CONTACT, at=desk.after(hours=1), summary="s")
    alarms.raise_due(connection, standard=desk.standard, now=desk.after(hours=25))
    desk.give(urgent, C.ASSIGN, at=desk.after(hours=26), assignee_id=zhang.id, reason="r")
    desk.give(urgent, C.COMPLETE, at=desk.after(hours=30), summary="s", guidance_only=True)
    answered(desk, urgent, 5, hours=60)
    # Zhang: the customer comes back; the second completion holds.
    again = assigned(desk, zhang)
    completed(desk, again, hours=5)
    desk.give(again, C.REPORT_NOT_FIXED, at=desk.after(hours=6), reason="r")
    desk.give(again, C.COMPLETE, at=desk.after(hours=8), summary="s", tested=True, guidance_only=True)
    # What nobody wanted any more counts for nobody.
    gone = assigned(desk, zhang)
    desk.give(gone, C.CANCEL, at=desk.after(hours=1), reason="r")

    assert found(connection, desk, li) == {
        "response": (2, 1.0),
        "resolution": (2, 0.5),
        "hours": (1, [4.0]),
        "first_time": (1, 1.0),
        "satisfaction": (1, 2.0),
    }
    of_zhang = found(connection, desk, zhang)
    assert of_zhang.pop("hours") == (3, [5.0, 7.0, 30.0])  # the hour in which it was thought to be done is a pause
    assert of_zhang == {
        "response": (1, 1.0),
        "resolution": (1, 1.0),
        "first_time": (3, 2 / 3),
        "satisfaction": (1, 5.0),
    }
    weak = appraisal.weaknesses(connection, since=desk.now, until=desk.after(days=7), low_score=4)
    assert [(row["topic"], row["low"], row["count"]) for row in weak] == []
    answered_low(desk, li)
    weak = appraisal.weaknesses(connection, since=desk.now, until=desk.after(days=7), low_score=4)
    told = {(row["name"], row["section"], row["topic"], row["low"], row["count"]) for row in weak}
    assert told == {("李建国", "dimension", topic, 2, 2) for topic in ("efficiency", "attitude", "solution")}
    assert found(connection, desk, None)["first_time"] == (5, 0.8)
    assert found(connection, desk, None, days=0.5).keys() == {"response", "resolution", "hours", "first_time"}
    assert found(connection, desk, None, days=0) == {}
    assert desk.ticket(gone)["state"] == TicketState.CANCELLED
