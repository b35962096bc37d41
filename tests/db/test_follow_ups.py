"""What Aftercare itself does after an event, exactly once (S-05, S-12, S-13, S-40)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from db import alarms, due, follow_ups, tickets
from db.models import PendingEvent, Staff
from db.session import engine, transaction
from domain.lifecycle import CommandName, TicketState
from domain.standard import Standard
from domain.tickets import Impact
from tests.conftest import read_cast
from tests.desk import Desk

C = CommandName
S = TicketState


def _pending(desk: Desk, ticket_id: int) -> list[tuple[str, int, str | None, datetime]]:
    query = select(PendingEvent.kind, PendingEvent.attempts, PendingEvent.problem, PendingEvent.due_at)
    return [tuple(row) for row in desk.connection.execute(query.where(PendingEvent.ticket_id == ticket_id))]


def _dismiss_all(desk: Desk, *, is_active: bool = False) -> None:
    workers = Staff.role.in_(["engineer", "agent"])
    desk.connection.execute(update(Staff).where(workers).values(is_active=is_active))


def test_a_new_ticket_is_acknowledged_and_assigned(desk: Desk) -> None:
    ticket_id = desk.open()
    assert follow_ups.find_due(desk.connection, now=desk.now, limit=10) == [
        (ticket_id, desk.ticket(ticket_id)["number"])
    ]

    (done,) = desk.follow_up(ticket_id)

    assert (done.event, done.done, done.problem) == ("opened", ("acknowledge", "assign"), None)
    assert (desk.ticket(ticket_id)["state"], desk.ticket(ticket_id)["assignee_name"]) == ("assigned", "张伟")
    assert [kind for kind, _ in desk.told(ticket_id)] == ["ticket_received", "ticket_assigned", "staff_assigned"]
    assert _pending(desk, ticket_id) == []
    assert follow_ups.find_due(desk.connection, now=desk.now, limit=10) == []


@pytest.mark.parametrize(
    ("impact", "assignee"),
    [(Impact.CORE_USE_LOST, "李建国"), (Impact.PARTIAL, "张伟"), (Impact.MINOR, "刘芳")],
)
def test_the_priority_decides_who_takes_it(desk: Desk, impact: Impact, assignee: str) -> None:
    ticket_id = desk.open(impact=impact)

    desk.follow_up(ticket_id)

    assert desk.ticket(ticket_id)["assignee_name"] == assignee


def test_the_load_is_shared_out(desk: Desk) -> None:
    helper = select(Staff.team_id).where(Staff.email == "zhang.wei@aftercare.example").scalar_subquery()
    desk.connection.execute(update(Staff).where(Staff.email == "amy.clark@aftercare.example").values(team_id=helper))
    names = []
    for _ in range(4):
        ticket_id = desk.open()
        desk.follow_up(ticket_id)
        names.append(desk.ticket(ticket_id)["assignee_name"])

    assert names == ["张伟", "Amy Clark"] * 2


def test_with_nobody_at_all_the_customer_is_answered_and_the_rest_is_tried_again_with_its_reason(desk: Desk) -> None:
    ticket_id = desk.open()
    _dismiss_all(desk)

    (tried,) = desk.follow_up(ticket_id)

    assert tried.done == ("acknowledge",)
    assert tried.problem is not None
    assert "no active engineer" in tried.problem
    assert _pending(desk, ticket_id) == [("opened", 1, tried.problem, desk.after(minutes=5))]
    assert desk.ticket(ticket_id)["state"] == "acknowledged"
    assert [kind for kind, _ in desk.told(ticket_id)] == ["ticket_received"]


def test_the_postponed_step_is_done_when_somebody_is_there_and_not_before_its_time(desk: Desk) -> None:
    ticket_id = desk.open()
    _dismiss_all(desk)
    desk.follow_up(ticket_id)
    _dismiss_all(desk, is_active=True)

    assert desk.follow_up(ticket_id, at=desk.after(minutes=4)) == []
    (done,) = desk.follow_up(ticket_id, at=desk.after(minutes=5))

    assert done.done == ("assign",)
    assert _pending(desk, ticket_id) == []


def test_a_ticket_that_is_over_is_left_alone(desk: Desk) -> None:
    ticket_id = desk.open()
    desk.give(ticket_id, C.CANCEL, reason="not needed")
    before = desk.kinds(ticket_id)

    (done,) = desk.follow_up(ticket_id)

    assert (done.done, done.problem) == ((), None)
    assert desk.kinds(ticket_id) == before
    assert _pending(desk, ticket_id) == []


def test_a_ticket_that_a_lead_assigned_meanwhile_keeps_its_assignee(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.ACKNOWLEDGED)
    desk.give(ticket_id, C.ASSIGN, assignee_id=_id_of(desk, "liu.fang"), reason="knows the customer")

    (done,) = desk.follow_up(ticket_id)

    assert done.done == ()
    assert desk.ticket(ticket_id)["assignee_name"] == "刘芳"


def test_a_raised_priority_finds_a_senior_engineer(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    desk.give(ticket_id, C.CHANGE_PRIORITY, impact="core_use_lost", reason="now it is dead")

    (done,) = desk.follow_up(ticket_id)

    assert (done.event, done.done) == ("change_priority", ("assign",))
    assert desk.ticket(ticket_id)["assignee_name"] == "李建国"


def test_an_assignee_who_fits_the_new_priority_keeps_the_ticket(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.ASSIGNED, ticket_id=desk.open(impact=Impact.CORE_USE_LOST))
    desk.give(ticket_id, C.CHANGE_PRIORITY, impact="partial", reason="works a little")

    (done,) = desk.follow_up(ticket_id)

    assert done.done == ()
    assert desk.ticket(ticket_id)["assignee_name"] == "李建国"


def test_a_reopened_ticket_whose_assignee_left_finds_another(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.CLOSED)
    desk.connection.execute(
        update(Staff).where(Staff.id == desk.ticket(ticket_id)["assignee_id"]).values(is_active=False)
    )
    desk.give(ticket_id, C.REOPEN, at=desk.after(days=1), reason="warm again")

    (done,) = desk.follow_up(ticket_id, at=desk.after(days=1))

    assert (done.event, done.done) == ("reopen", ("assign",))
    assert desk.ticket(ticket_id)["assignee_name"] == "李建国"


class TestClimbing:
    def test_goes_one_tier_up_for_each_breach_and_tells_the_customer(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.ASSIGNED)

        tiers = [self._breach(desk, ticket_id, hours) for hours in (4, 48)]

        assert tiers == [2, 3]
        assert [kind for kind, _ in desk.told(ticket_id)].count("ticket_transferred") == 2
        assert desk.ticket(ticket_id)["assignee_name"] == "周敏"

    def test_stops_at_technical_support(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.ASSIGNED)
        desk.give(ticket_id, C.ASSIGN, assignee_id=_id_of(desk, "zhou.min"), reason="expert")
        before = desk.kinds(ticket_id)

        assert self._breach(desk, ticket_id, 4) == 3

        assert set(desk.kinds(ticket_id)[len(before) :]) <= {"sla_warned", "sla_breached"}
        assert _pending(desk, ticket_id) == []

    def test_does_not_happen_to_a_ticket_completed_meanwhile(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.IN_WORK)
        alarms.raise_due(desk.connection, standard=desk.standard, now=desk.after(hours=48))
        desk.give(ticket_id, C.COMPLETE, at=desk.after(hours=48), summary="s", tested=True)

        (done,) = desk.follow_up(ticket_id, at=desk.after(hours=48))

        assert (done.event, done.done) == ("sla_breached", ())
        assert desk.ticket(ticket_id)["tier"] == 1

    @staticmethod
    def _breach(desk: Desk, ticket_id: int, hours: int) -> int:
        alarms.raise_due(desk.connection, standard=desk.standard, now=desk.after(hours=hours))
        desk.follow_up(ticket_id, at=desk.after(hours=hours))
        return int(desk.ticket(ticket_id)["tier"])


class TestClosing:
    def test_a_sign_off_that_nobody_answers_closes_after_the_standard_s_time(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.COMPLETED)
        in_time = desk.after(hours=72)

        assert tickets.find_to_close(desk.connection, now=in_time - timedelta(seconds=1), limit=9) == []
        assert tickets.find_to_close(desk.connection, now=in_time, limit=9) == [ticket_id]
        assert follow_ups.close_unanswered(desk.connection, ticket_id, standard=desk.standard, now=in_time)

        assert (desk.ticket(ticket_id)["state"], desk.ticket(ticket_id)["closed_at"]) == ("closed", in_time)
        assert [kind for kind, _ in desk.told(ticket_id)][-1] == "ticket_closed"

    def test_a_customer_who_answered_at_the_last_moment_is_heard(self, desk: Desk) -> None:
        ticket_id = desk.bring_to(S.COMPLETED)
        desk.give(ticket_id, C.REPORT_NOT_FIXED, at=desk.after(hours=71), reason="still warm")

        assert not follow_ups.close_unanswered(
            desk.connection, ticket_id, standard=desk.standard, now=desk.after(hours=73)
        )

        assert desk.ticket(ticket_id)["state"] == "in_work"


def test_eight_processes_at_once_follow_one_event_up_once(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        ticket_id = desk.open()

    def follow(_: int) -> object:
        with transaction(database) as own:
            return follow_ups.carry_out_next(own, ticket_id, standard=standard, now=now)

    with ThreadPoolExecutor(8) as threads:
        done = [step for step in threads.map(follow, range(8)) if step is not None]

    with engine(database).connect() as connection:
        assert len(done) == 1
        assert Desk(connection, standard, now, desk.clerk).kinds(ticket_id) == ["opened", "acknowledge", "assign"]
        assert connection.execute(select(func.count()).select_from(PendingEvent)).scalar_one() == 0


def test_what_is_due_is_counted_without_being_claimed(desk: Desk) -> None:
    for _ in range(3):
        desk.open()

    kinds = (due.Due.FOLLOW_UPS, due.Due.ALARMS, due.Due.SURVEYS, due.Due.CALLBACKS)
    counts = {kind: len(due.tickets(desk.connection, kind, now=desk.after(minutes=30), limit=9)) for kind in kinds}

    assert counts[due.Due.FOLLOW_UPS] == 3
    assert counts[due.Due.ALARMS] == 3
    assert counts[due.Due.SURVEYS] == counts[due.Due.CALLBACKS] == 0
    assert due.next_moments(desk.connection)[due.Due.ALARMS] == desk.after(minutes=30)


def _id_of(desk: Desk, name: str) -> int:
    query = select(Staff.id).where(Staff.email == f"{name}@aftercare.example")
    return desk.connection.execute(query).scalar_one()
