"""The watchdog's sweep: each rung once, whoever sweeps, and only those are told who must know (S-13)."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select, update

from db import alarms
from db.models import PendingEvent, Staff
from db.session import engine, transaction
from domain.escalation import AlarmKind
from domain.lifecycle import CommandName, TicketState
from domain.sla import ClockKind
from domain.standard import Standard
from tests.conftest import Cast, read_cast
from tests.desk import Desk

S = TicketState
C = CommandName


def _sweep(desk: Desk, now: datetime, *, limit: int = 500) -> list[alarms.Raised]:
    return alarms.raise_due(desk.connection, standard=desk.standard, now=now, limit=limit)


def _told(raised: list[alarms.Raised], clock: ClockKind = ClockKind.RESOLUTION) -> list[tuple[AlarmKind, set[str]]]:
    return [(alarm.kind, set(alarm.told)) for alarm in raised if alarm.clock is clock]


def test_every_rung_is_raised_once_and_tells_whom_the_standard_names(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)
    seen = []

    for minutes in range(0, 64 * 60, 30):
        seen += _told(_sweep(desk, desk.after(minutes=minutes)))

    assert seen == [
        (AlarmKind.WARNING, {"张伟"}),
        (AlarmKind.WARNING, {"张伟", "孙静"}),
        (AlarmKind.BREACH, {"张伟", "孙静"}),
        (AlarmKind.ESCALATION, {"马超"}),
    ]
    assert desk.kinds(ticket_id)[-4:] == ["sla_warned", "sla_warned", "sla_breached", "sla_escalated"]
    notices = [kind for kind, _ in desk.told(ticket_id) if kind.startswith("staff_sla")]
    assert notices == ["staff_sla_warning"] * 3 + ["staff_sla_breach"] * 2 + ["staff_sla_escalation"]


def test_nothing_is_raised_a_second_before_the_rung_and_all_at_it(desk: Desk) -> None:
    desk.bring_to(S.DIAGNOSING)

    assert _sweep(desk, desk.after(hours=23, minutes=59, seconds=59)) == []
    assert _told(_sweep(desk, desk.after(hours=24))) == [(AlarmKind.WARNING, {"张伟"})]
    assert _sweep(desk, desk.after(hours=24)) == []


def test_the_alarm_is_dated_by_the_rung_however_late_the_sweep(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.DIAGNOSING)

    _sweep(desk, desk.after(hours=50))

    event = desk.last_event(ticket_id)
    assert event["at"] == desk.after(hours=50)
    assert event["facts"]["reached_at"] == desk.after(hours=48).isoformat()
    assert desk.clocks(ticket_id)["resolution"]["breached_at"] == desk.after(hours=48)


def test_after_an_outage_the_stale_warnings_are_dropped_and_the_breach_is_not(desk: Desk) -> None:
    desk.bring_to(S.DIAGNOSING)

    raised = _sweep(desk, desk.after(days=5))

    assert [kind for kind, _ in _told(raised)] == [AlarmKind.BREACH, AlarmKind.ESCALATION]
    assert _sweep(desk, desk.after(days=6)) == []


def test_an_unassigned_ticket_s_supervisor_is_told_and_it_does_not_climb(desk: Desk) -> None:
    ticket_id = desk.open()

    raised = _sweep(desk, desk.after(minutes=30))

    assert _told(raised, ClockKind.ASSIGNMENT) == [(AlarmKind.BREACH, {"孙静"})]
    assert _climbs(desk, ticket_id) == []


def test_a_breach_of_response_or_resolution_is_to_be_followed_by_the_next_tier(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.ASSIGNED)

    _sweep(desk, desk.after(hours=4))

    assert _climbs(desk, ticket_id) == ["sla_breached"]


def test_a_customer_of_another_region_has_that_region_s_supervisor_told(desk: Desk) -> None:
    ticket_id = desk.open(region="west")

    raised = _sweep(desk, desk.after(minutes=30))

    assert [alarm.told for alarm in raised if alarm.ticket_number == desk.ticket(ticket_id)["number"]] == [
        ("Carol King",)
    ]


def test_a_manager_off_duty_is_told_when_there_is_no_other(desk: Desk) -> None:
    desk.bring_to(S.DIAGNOSING)
    desk.connection.execute(update(Staff).where(Staff.email == "grace.lee@aftercare.example").values(is_active=False))
    _sweep(desk, desk.after(hours=48))

    raised = _sweep(desk, desk.after(hours=60))  # Thursday 22:00

    assert _told(raised) == [(AlarmKind.ESCALATION, {"马超"})]


def test_without_any_lead_the_breach_is_recorded_all_the_same(desk: Desk, cast: Cast) -> None:
    ticket_id = desk.open()
    desk.connection.execute(update(Staff).where(Staff.role.in_(["supervisor", "manager"])).values(is_active=False))

    raised = _sweep(desk, desk.after(minutes=30))

    assert [(alarm.kind, alarm.told) for alarm in raised] == [(AlarmKind.BREACH, ())]
    assert desk.clocks(ticket_id)["assignment"]["breached_at"] == desk.after(minutes=30)


def test_a_clock_that_rests_raises_nothing(desk: Desk) -> None:
    desk.bring_to(S.WAITING_CUSTOMER)

    assert _sweep(desk, desk.after(days=30)) == []


def test_a_ticket_that_is_over_raises_nothing(desk: Desk) -> None:
    desk.bring_to(S.CLOSED)
    desk.bring_to(S.CANCELLED)

    assert _sweep(desk, desk.after(days=30)) == []


def test_a_sweep_takes_no_more_than_its_batch_and_the_next_one_goes_on(desk: Desk) -> None:
    for _ in range(5):
        desk.open()
    now = desk.after(minutes=31)

    batches = [len(_sweep(desk, now, limit=2)) for _ in range(4)]

    assert batches == [2, 2, 1, 0]


def test_two_clocks_of_one_ticket_in_one_sweep_keep_the_chain_whole(desk: Desk) -> None:
    ticket_id = desk.bring_to(S.ASSIGNED)

    raised = _sweep(desk, desk.after(days=9))

    assert {alarm.clock for alarm in raised} == {ClockKind.RESPONSE, ClockKind.RESOLUTION}
    assert desk.ticket(ticket_id)["event_count"] == len(desk.kinds(ticket_id))


def test_two_sweeps_at_once_share_the_work(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        numbers = {desk.ticket(desk.open())["number"] for _ in range(6)}
        late = desk.after(minutes=31)

    with engine(database).connect() as one, engine(database).connect() as two:
        first = alarms.raise_due(one, standard=standard, now=late, limit=3)
        second = alarms.raise_due(two, standard=standard, now=late)
        third = alarms.raise_due(two, standard=standard, now=late)
        one.commit()
        two.commit()
        fourth = alarms.raise_due(one, standard=standard, now=late)

    assert {a.ticket_number for a in first} | {a.ticket_number for a in second} == numbers
    assert (len(first), len(second), third, fourth) == (3, 3, [], [])


def test_a_sweep_that_fails_leaves_its_alarms_to_the_next(database: str, standard: Standard, now: datetime) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        ticket_id, late = desk.open(), desk.after(minutes=31)

    with engine(database).connect() as killed:
        lost = alarms.raise_due(killed, standard=standard, now=late)
        killed.rollback()
    with transaction(database) as connection:
        again = alarms.raise_due(connection, standard=standard, now=late)
        kinds = Desk(connection, standard, now, desk.clerk).kinds(ticket_id)

    assert lost == again
    assert kinds == ["opened", "sla_breached"]


@pytest.mark.parametrize("held", ["ticket", "clock"])
def test_a_ticket_that_somebody_works_on_is_left_to_the_next_sweep(
    database: str, standard: Standard, now: datetime, held: str
) -> None:
    with transaction(database) as connection:
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        ticket_id, late = desk.open(), desk.after(minutes=31)

    with engine(database).connect() as clerk, engine(database).connect() as watchdog:
        table = "tickets WHERE id" if held == "ticket" else "sla_clocks WHERE ticket_id"
        clerk.exec_driver_sql(f"SELECT id FROM {table} = {ticket_id} FOR UPDATE")
        assert alarms.raise_due(watchdog, standard=standard, now=late) == []
        clerk.rollback()
        assert len(alarms.raise_due(watchdog, standard=standard, now=late)) == 1
        watchdog.rollback()


def _climbs(desk: Desk, ticket_id: int) -> list[str]:
    query = select(PendingEvent.kind).where(PendingEvent.ticket_id == ticket_id, PendingEvent.kind != "opened")
    return list(desk.connection.execute(query).scalars())
