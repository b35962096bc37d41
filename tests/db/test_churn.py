"""Who is on the watch list and why, and that care is forgiven only once (S-58)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from db import churn, erasure, surveys
from domain.churn import Care, CareAction, Sign, suggested
from domain.exceptions import IllegalTransitionError, NotPermittedError
from domain.lifecycle import CommandName
from domain.satisfaction import SurveyAnswer
from tests.conftest import Cast
from tests.desk import Desk

C = CommandName
CALLED = Care(action=CareAction.CALL, note="apologised")


@pytest.mark.parametrize(
    ("signs", "action"),
    [
        ({Sign.LOW_SCORE: 2}, CareAction.CALL),
        ({Sign.REPEAT_FAULT: 2, Sign.LOW_SCORE: 1}, CareAction.EXPERT_VISIT),
        ({Sign.BROKEN_PROMISE: 5, Sign.LOW_SCORE: 1}, CareAction.APOLOGY),
        ({Sign.BROKEN_PROMISE: 1, Sign.LOW_SCORE: 1, Sign.REPEAT_FAULT: 1}, CareAction.GOODWILL),
    ],
)
def test_the_sign_that_weighs_most_is_answered(signs: dict[Sign, int], action: CareAction, desk: Desk) -> None:
    assert suggested(signs, desk.standard.churn.points) is action


def served(desk: Desk, email: str, overall: int, *, days: float, comes_back: bool = False) -> int:
    """A fault of this customer that was completed and scored, that many days before now."""
    at = desk.after(days=-days)
    ticket_id = desk.open("空调故障", email=email, at=at)
    desk.give(ticket_id, C.ACKNOWLEDGE, at=at)
    desk.give(ticket_id, C.ASSIGN, at=at, assignee_id=desk.clerk.id, reason="r")
    desk.give(ticket_id, C.FIRST_CONTACT, at=at, summary="s")
    desk.give(ticket_id, C.COMPLETE, at=at, summary="s", guidance_only=True)
    asked = desk.after(days=2 - days)
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=asked)
    answer = SurveyAnswer(efficiency=4, attitude=4, solution=4, overall=overall)
    survey_id, customer = desk.surveys(ticket_id)[-1]["id"], desk.customer_of(ticket_id)
    surveys.record_answer(desk.connection, survey_id, answer, customer, standard=desk.standard, now=asked)
    if comes_back:
        desk.give(ticket_id, C.REPORT_NOT_FIXED, at=asked, reason="r")
    else:
        desk.give(ticket_id, C.CONFIRM_COMPLETION, at=asked, signed_by="s")
    return ticket_id


def watched(desk: Desk) -> list[dict[str, Any]]:
    policy, low = desk.standard.churn, desk.standard.callback.low_score
    return churn.watched(desk.connection, policy, low_score=low, now=desk.now, limit=50)


def test_who_is_watched_and_until_when(connection: Connection, desk: Desk, cast: Cast) -> None:
    def care(customer_id: int, actor: Any = cast.supervisor, *, days: float = 0) -> None:
        policy, low = desk.standard.churn, desk.standard.callback.low_score
        now = desk.after(days=days)
        churn.take_care(connection, customer_id, actor, CALLED, policy=policy, low_score=low, now=now)

    served(desk, "calm@example.com", 5, days=30)
    served(desk, "calm@example.com", 2, days=100)  # too long ago
    served(desk, "once@example.com", 1, days=20)
    first = served(desk, "often@example.com", 2, days=40)
    second = served(desk, "often@example.com", 3, days=20)
    third = served(desk, "back@example.com", 3, days=10, comes_back=True)
    often, back = (desk.customer_of(ticket_id).id or 0 for ticket_id in (first, third))

    rows = watched(desk)

    assert [(row["id"], *(row[sign] for sign in Sign), row["points"]) for row in rows] == [
        (often, 2, 1, 0, 6),
        (back, 1, 1, 0, 4),
    ]
    assert rows[0]["numbers"] == [desk.ticket(first)["number"], desk.ticket(second)["number"]]
    with pytest.raises(NotPermittedError):
        care(often, cast.agent)
    care(often, days=-19)
    assert [row["id"] for row in watched(desk)] == [back]
    care(back)
    assert watched(desk) == []
    with pytest.raises(IllegalTransitionError):
        care(back)
    assert [(row["customer_id"], row["note"]) for row in churn.taken(connection, limit=9)] == [
        (back, "apologised"),
        (often, "apologised"),
    ]
    erasure.erase_customer(connection, often, cast.supervisor, "asked", standard=desk.standard, now=desk.now)
    assert churn.taken(connection, limit=9)[1]["note"] == erasure.BLANK
