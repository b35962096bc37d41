"""Answers on paper find their survey and count once, beside those given online (S-51, S-42)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from db import paper_answers, surveys
from domain.lifecycle import CommandName, TicketState
from domain.paper_rows import Fate, PaperRow, Verdict
from domain.satisfaction import PaperAnswer, SurveyAnswer
from domain.tickets import ticket_number
from tests.desk import Desk

S = TicketState
COMPLETED_ON = date(2026, 11, 24)


def _row(ticket_id: int | None = None, *, on: date = COMPLETED_ON, staff: str = "", **said: Any) -> PaperRow:
    references = {"ticket": "" if ticket_id is None else ticket_number(ticket_id)}
    references |= {name: said.pop(name, "") for name in ("order", "customer")}
    return PaperRow(**references, answered_on=on, staff=staff, answer=PaperAnswer(**{"overall": 5, **said}))


def _import(desk: Desk, *rows: PaperRow, days: float = 1) -> list[str]:
    """What became of each row: its fate, or the kind of its fault."""
    found = []
    for one in paper_answers.match(desk.connection, rows, {}, standard=desk.standard):
        verdict = one if isinstance(one, Verdict) else _store(desk, one, days)
        found.append(verdict.fate.value if verdict.fate is not Fate.REFUSED else _kind(verdict))
    return found


def _store(desk: Desk, match: paper_answers.Match, days: float) -> Verdict:
    return paper_answers.store(
        desk.connection, match, desk.clerk, standard=desk.standard, now=desk.now + timedelta(days=days)
    )


def _kind(verdict: Verdict) -> str:
    [fault] = verdict.faults.values()
    return fault.kind


def _answer_online(desk: Desk, ticket_id: int, **scores: int) -> None:
    surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(hours=25))
    answer = SurveyAnswer(**{"efficiency": 4, "attitude": 4, "solution": 4, "overall": 4} | scores)
    [survey] = desk.surveys(ticket_id)
    surveys.record_answer(
        desk.connection, survey["id"], answer, desk.clerk, standard=desk.standard, now=desk.after(hours=26)
    )


def test_the_same_row_counts_once_however_often_it_comes(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)
    row = _row(ticket_id, comment="师傅很专业", staff=str(desk.clerk.id))

    assert _import(desk, row, row, _row(ticket_id, overall=1)) == ["taken", "repeated", "answered"]
    assert _import(desk, row) == ["repeated"]

    [survey] = desk.surveys(ticket_id)
    assert (survey["state"], survey["overall"], survey["efficiency"]) == ("answered", 5, None)
    assert survey["answered_at"].date() == COMPLETED_ON
    assert desk.kinds(ticket_id).count("survey_answered") == 1
    assert desk.last_event(ticket_id)["facts"]["served_by"] == desk.clerk.id
    assert desk.told(ticket_id)[-1][0] == "survey_thanks"


def test_an_answer_that_was_given_online_wins(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.COMPLETED)
    _answer_online(desk, ticket_id)

    same = _row(ticket_id, efficiency=4, attitude=4, solution=4, overall=4)
    assert _import(desk, _row(ticket_id, overall=1), same) == ["answered", "repeated"]
    assert desk.surveys(ticket_id)[0]["overall"] == 4


def test_a_low_score_is_called_back_while_it_is_fresh(desk: Desk) -> None:
    fresh, old = desk.bring_to(S.COMPLETED), desk.bring_to(S.COMPLETED)

    assert _import(desk, _row(fresh, overall=2), days=2) == ["taken"]
    assert _import(desk, _row(old, overall=2), days=4) == ["taken"]

    assert [call["kind"] for call in desk.callbacks(fresh)] == ["low_score"]
    assert desk.told(fresh)[-1][0] == "callback_promised"
    assert desk.callbacks(old) == []
    assert {kind for kind, _ in desk.told(old)}.isdisjoint({"callback_promised", "survey_thanks"})


def test_an_order_or_a_customer_stands_for_the_ticket_completed_last_before_the_answer(desk: Desk) -> None:
    contact = {"name": "王丽", "email": "paper@example.com", "phone": "13900139000"}
    first = desk.bring_to(S.COMPLETED, ticket_id=desk.open(**contact))
    later = desk.open("洗衣机漏水", at=desk.after(days=5), **contact)
    desk.bring_to(S.COMPLETED, ticket_id=later, at=desk.after(days=5))

    assert _import(desk, _row(customer="139 0013 9000"), _row(customer="PAPER@example.com")) == ["taken", "repeated"]
    assert desk.surveys(first)[0]["overall"] == 5
    assert desk.surveys(later)[0]["overall"] is None
    assert _import(desk, _row(customer="13900139000", on=date(2026, 11, 29)), days=6) == ["taken"]
    assert desk.surveys(later)[0]["overall"] == 5


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (_row(99_999_999), "unknown_ticket"),
        (_row(order="A-1"), "unknown_order"),
        (_row(customer="nobody"), "unknown_customer"),
        (_row(customer="nobody@example.com\x00"), "unknown_customer"),
    ],
)
def test_a_row_that_belongs_to_nothing_is_refused(desk: Desk, row: PaperRow, kind: str) -> None:
    assert _import(desk, row) == [kind]


def test_a_row_that_cannot_be_an_answer_to_its_ticket_is_refused(desk: Desk) -> None:
    done, working, withdrawn = desk.bring_to(S.COMPLETED), desk.bring_to(S.IN_WORK), desk.bring_to(S.COMPLETED)
    desk.give(withdrawn, CommandName.REPORT_NOT_FIXED, reason="还漏水")

    rows = [_row(done, staff="9999999"), _row(done, on=COMPLETED_ON - timedelta(days=1)), _row(working)]
    assert _import(desk, *rows, _row(withdrawn)) == [
        "unknown_staff",
        "before_completion",
        "no_survey",
        "no_survey",
    ]


def test_an_expired_survey_and_one_by_phone_are_answered_on_paper_too(desk: Desk) -> None:
    expired, by_phone = desk.bring_to(S.COMPLETED), desk.bring_to(S.COMPLETED, ticket_id=desk.open("投诉：空调坏了"))
    for days in (1, 30):
        surveys.dispatch_due(desk.connection, standard=desk.standard, now=desk.after(days=days))

    assert _import(desk, _row(expired), days=31) == ["taken"]
    assert [call["state"] for call in desk.callbacks(by_phone)] == ["open"]
    assert _import(desk, _row(by_phone), days=31) == ["taken"]
    assert [call["state"] for call in desk.callbacks(by_phone)] == ["done"]
