"""What other systems are owed: with each event, in its transaction, in its order, until it was taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from db import alarms, deliveries, webhooks
from db.deliveries import Attempt
from db.models import Base
from db.rows import Row
from db.session import engine
from domain.exceptions import IllegalTransitionError, NotFoundError
from domain.lifecycle import CommandName, TicketState
from domain.standard import Standard
from domain.webhooks import EVENT_KINDS, Answer, Verdict
from tests.conftest import read_cast
from tests.desk import Desk

C, V = CommandName, Verdict
DAYS_3 = timedelta(days=3)
URL = "https://crm.example.com/1"


def _owed(connection: Connection, subscription: Row | int) -> list[tuple[int, int]]:
    wanted = subscription if isinstance(subscription, int) else subscription["id"]
    rows = connection.execute(
        text("SELECT ticket_id, seq FROM webhook_deliveries WHERE subscription_id = :s ORDER BY 1, 2"), {"s": wanted}
    )
    return [(row.ticket_id, row.seq) for row in rows]


@pytest.fixture
def subscribe(connection: Connection, now: datetime) -> Callable[..., Row]:
    """Subscribes an address of its own."""

    def subscribe(*kinds: str, url: str = URL) -> Row:
        return webhooks.subscribe(connection, "CRM", url, kinds=kinds, created_by=None, now=now)

    return subscribe


def _claim(connection: Connection, subscription: Row, *, now: datetime, limit: int = 50) -> list[Row]:
    until = now + timedelta(minutes=3)
    return deliveries.claim(connection, subscription["id"], until=until, now=now, limit=limit)


def _settle(
    connection: Connection, subscription: Row, rows: list[Row], answer: Answer | None, now: datetime
) -> str | None:
    attempts = [Attempt(row, answer, 0.0) for row in rows]
    return deliveries.settle(connection, subscription["id"], attempts, give_up_after=DAYS_3, now=now)


class TestAnEvent:
    def test_is_owed_to_who_has_subscribed_to_its_kind(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        before = desk.open()
        every, some = subscribe(), subscribe("opened", "add_note", url="https://crm.example.com/2")

        ticket_id = desk.open()
        desk.give(ticket_id, C.ACKNOWLEDGE)
        desk.give(ticket_id, C.ADD_NOTE, note="n")
        desk.give(before, C.ACKNOWLEDGE)

        assert _owed(desk.connection, every) == [(before, 2), (ticket_id, 1), (ticket_id, 2), (ticket_id, 3)]
        assert _owed(desk.connection, some) == [(ticket_id, 1), (ticket_id, 3)]

    def test_of_a_sweep_is_owed_too(self, desk: Desk, standard: Standard, subscribe: Callable[..., Row]) -> None:
        tickets = [desk.bring_to(TicketState.DIAGNOSING) for _ in range(3)]
        subscription = subscribe("sla_breached")

        alarms.raise_due(desk.connection, standard=standard, now=desk.after(days=30))

        assert {ticket for ticket, _ in _owed(desk.connection, subscription)} >= set(tickets)

    def test_that_was_undone_is_owed_to_nobody(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription, ticket_id = subscribe(), desk.open()
        undone = desk.connection.begin_nested()
        desk.give(ticket_id, C.ACKNOWLEDGE)
        undone.rollback()

        assert _owed(desk.connection, subscription) == [(ticket_id, 1)]

    def test_is_owed_to_nobody_who_has_ended(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription = subscribe()
        webhooks.end(desk.connection, subscription["id"], now=desk.now)

        desk.bring_to(TicketState.COMPLETED)

        assert _owed(desk.connection, subscription) == []

    def test_of_every_kind_has_a_name_that_can_be_subscribed_to(self, desk: Desk, standard: Standard) -> None:
        ticket_id = desk.bring_to(TicketState.CLOSED)
        desk.give(ticket_id, C.REOPEN, reason="r")
        alarms.raise_due(desk.connection, standard=standard, now=desk.after(days=30))

        kinds = set(desk.connection.execute(text("SELECT DISTINCT kind FROM ticket_events")).scalars())

        assert kinds <= set(EVENT_KINDS)
        assert len(kinds) > 10


class TestAClaim:
    def test_takes_one_of_each_ticket_in_its_order(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription = subscribe()
        first, second = desk.bring_to(TicketState.ACKNOWLEDGED), desk.open()
        seen = []
        while rows := _claim(desk.connection, subscription, now=desk.now):
            seen.append([(row["ticket_id"], row["seq"]) for row in rows])
            _settle(desk.connection, subscription, rows, Answer(V.TAKEN, "200"), desk.now)

        assert seen == [[(first, 1), (second, 1)], [(first, 2)]]
        assert _owed(desk.connection, subscription) == []

    def test_is_nobody_elses_until_its_time_is_over(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription, _ = subscribe(), desk.bring_to(TicketState.ACKNOWLEDGED)
        mine = _claim(desk.connection, subscription, now=desk.now)

        assert _claim(desk.connection, subscription, now=desk.after(minutes=2)) == []
        again = _claim(desk.connection, subscription, now=desk.after(minutes=3))

        assert [row["seq"] for row in again] == [row["seq"] for row in mine] == [1]
        assert [row["attempts"] for row in again] == [2]

    def test_of_a_slow_sender_does_not_undo_what_another_has_done(
        self, desk: Desk, subscribe: Callable[..., Row]
    ) -> None:
        subscription, _ = subscribe(), desk.open()
        slow = _claim(desk.connection, subscription, now=desk.now)
        quick = _claim(desk.connection, subscription, now=desk.after(minutes=3))

        _settle(desk.connection, subscription, slow, Answer(V.REFUSED, "500"), desk.after(minutes=4))

        assert _claim(desk.connection, subscription, now=desk.after(minutes=5)) == []
        _settle(desk.connection, subscription, quick, Answer(V.TAKEN, "200"), desk.after(minutes=5))
        assert _owed(desk.connection, subscription) == []


class TestARefusal:
    def test_of_one_holds_up_its_own_ticket_alone(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription = subscribe()
        refused, other = desk.bring_to(TicketState.ACKNOWLEDGED), desk.bring_to(TicketState.ACKNOWLEDGED)
        rows = {row["ticket_id"]: row for row in _claim(desk.connection, subscription, now=desk.now)}
        _settle(desk.connection, subscription, [rows[refused]], Answer(V.REFUSED, "500"), desk.now)
        _settle(desk.connection, subscription, [rows[other]], Answer(V.TAKEN, "200"), desk.now)

        now = [(row["ticket_id"], row["seq"]) for row in _claim(desk.connection, subscription, now=desk.now)]
        later = [
            (row["ticket_id"], row["seq"]) for row in _claim(desk.connection, subscription, now=desk.after(seconds=5))
        ]

        assert now == [(other, 2)]
        assert later == [(refused, 1)]

    def test_for_three_days_pauses_the_subscription_and_loses_nothing(
        self, desk: Desk, subscribe: Callable[..., Row]
    ) -> None:
        subscription, ticket_id = subscribe(), desk.open()
        moment, code, tries = desk.now, None, 0
        while code is None:
            rows = _claim(desk.connection, subscription, now=moment)
            tries += len(rows)
            code = _settle(desk.connection, subscription, rows, Answer(V.REFUSED, "500"), moment)
            moment += timedelta(minutes=10)
        desk.give(ticket_id, C.ACKNOWLEDGE, at=moment)

        assert (code, moment - desk.now >= DAYS_3) == ("500", True)
        assert 30 < tries < 60
        assert deliveries.find_reachable(desk.connection, but=[], now=moment) == []
        assert webhooks.get(desk.connection, subscription["id"])["pause_code"] == "500"
        webhooks.resume(desk.connection, subscription["id"], now=moment)
        assert [row["id"] for row in deliveries.find_reachable(desk.connection, but=[], now=moment)] == [
            subscription["id"]
        ]
        assert _owed(desk.connection, subscription) == [(ticket_id, 1), (ticket_id, 2)]
        rows = _claim(desk.connection, subscription, now=moment)
        assert _settle(desk.connection, subscription, rows, Answer(V.REFUSED, "500"), moment) is None


class TestOutOfReach:
    def test_leaves_the_receiver_alone_as_a_whole(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription = subscribe()
        for _ in range(3):
            desk.open()
        tried, *rest = _claim(desk.connection, subscription, now=desk.now)
        attempts = [
            Attempt(tried, Answer(V.OUT_OF_REACH, "429", timedelta(minutes=10)), 0.0),
            *(Attempt(row, None, 0.0) for row in rest),
        ]
        deliveries.settle(desk.connection, subscription["id"], attempts, give_up_after=DAYS_3, now=desk.now)

        def reachable(**after: float) -> int:
            return len(deliveries.find_reachable(desk.connection, but=[], now=desk.after(**after)))

        assert (reachable(minutes=9), reachable(minutes=10)) == (0, 1)
        again = _claim(desk.connection, subscription, now=desk.after(minutes=10))
        assert sorted(row["attempts"] for row in again) == [1, 1, 2]

    def test_is_forgotten_with_the_first_answer(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription, _ = subscribe(), desk.open()
        rows = _claim(desk.connection, subscription, now=desk.now)
        _settle(desk.connection, subscription, rows, Answer(V.OUT_OF_REACH, "timeout"), desk.now)
        assert webhooks.get(desk.connection, subscription["id"])["failures"] == 1

        rows = _claim(desk.connection, subscription, now=desk.after(minutes=1))
        _settle(desk.connection, subscription, rows, Answer(V.REFUSED, "500"), desk.after(minutes=1))

        assert webhooks.get(desk.connection, subscription["id"])["failures"] == 0

    def test_who_wants_no_more_is_paused_at_once(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription, _ = subscribe(), desk.open()
        rows = _claim(desk.connection, subscription, now=desk.now)

        assert _settle(desk.connection, subscription, rows, Answer(V.GONE, "410"), desk.now) == "410"
        assert deliveries.find_reachable(desk.connection, but=[], now=desk.after(days=1)) == []


class TestASubscription:
    def test_of_one_address_is_one(self, connection: Connection, now: datetime, subscribe: Callable[..., Row]) -> None:
        first = subscribe()
        with pytest.raises(IllegalTransitionError):
            subscribe()
        webhooks.end(connection, first["id"], now=now)

        assert subscribe()["id"] != first["id"]
        with pytest.raises(NotFoundError):
            webhooks.end(connection, first["id"], now=now)

    def test_has_a_secret_of_its_own_and_the_old_one_for_a_while(
        self, connection: Connection, now: datetime, subscribe: Callable[..., Row]
    ) -> None:
        one, other = subscribe(), subscribe(url="https://crm.example.com/2")
        tomorrow = now + timedelta(days=1)
        turned = webhooks.rotate(connection, one["id"], old_until=tomorrow, now=now)
        again = webhooks.rotate(connection, one["id"], old_until=tomorrow, now=now)

        assert len({one["salt"], other["salt"], turned["salt"], again["salt"]}) == 4
        assert webhooks.old_salts(turned, now=now) == [(one["salt"], tomorrow)]
        assert webhooks.old_salts(again, now=now) == [(turned["salt"], tomorrow), (one["salt"], tomorrow)]
        assert webhooks.old_salts(again, now=tomorrow) == []

    def test_that_nobody_resumed_ends(self, desk: Desk, subscribe: Callable[..., Row]) -> None:
        subscription, _ = subscribe(), desk.open()
        webhooks.pause(desk.connection, subscription["id"], "500", now=desk.now)
        month = timedelta(days=30)

        assert webhooks.tidy(desk.connection, paused_for=month, now=desk.after(days=29)) == []
        assert webhooks.are_there(desk.connection)
        assert webhooks.tidy(desk.connection, paused_for=month, now=desk.after(days=30)) == ["CRM"]
        assert not webhooks.are_there(desk.connection)
        assert _owed(desk.connection, subscription) == []


def test_an_event_waits_for_no_sender_and_no_sender_for_an_event(
    database: str, standard: Standard, now: datetime
) -> None:
    with engine(database).begin() as connection:
        subscription = webhooks.subscribe(connection, "CRM", URL, kinds=[], created_by=None, now=now)
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        first, second = desk.open(), desk.open()
    with engine(database).connect() as sender, engine(database).connect() as clerk:
        for connection in (sender, clerk):
            connection.execute(text("SET lock_timeout = '2s'"))
            connection.commit()
        rows = deliveries.claim(sender, subscription["id"], until=now + timedelta(minutes=3), now=now, limit=9)
        deliveries.settle(
            sender, subscription["id"], [Attempt(rows[0], Answer(V.OUT_OF_REACH, "timeout"), 0.0)],
            give_up_after=DAYS_3, now=now,
        )  # fmt: skip
        desk = Desk(clerk, standard, now, read_cast(clerk).supervisor)
        desk.give(first, C.ACKNOWLEDGE)
        desk.give(second, C.ACKNOWLEDGE)
        clerk.commit()
        desk.give(first, C.ADD_NOTE, note="n")  # not committed while the sender settles once more
        attempt = Attempt(rows[1], Answer(V.TAKEN, "200"), 0.0)
        deliveries.settle(sender, subscription["id"], [attempt], give_up_after=DAYS_3, now=now)
        sender.commit()
        clerk.commit()

        assert _owed(clerk, subscription) == [(first, 1), (first, 2), (first, 3), (second, 2)]


def test_two_claims_at_once_share_the_work(database: str, standard: Standard, now: datetime) -> None:
    with engine(database).begin() as connection:
        subscription = webhooks.subscribe(connection, "CRM", URL, kinds=[], created_by=None, now=now)
        desk = Desk(connection, standard, now, read_cast(connection).supervisor)
        for _ in range(6):
            desk.bring_to(TicketState.ACKNOWLEDGED)
    with engine(database).connect() as one, engine(database).connect() as other:
        mine, theirs = (_claim(connection, subscription, now=now, limit=3) for connection in (one, other))
        one.commit()
        other.commit()

        assert len({row["ticket_id"] for row in [*mine, *theirs]}) == 6
        assert {row["seq"] for row in [*mine, *theirs]} == {1}


def test_the_tables_of_webhooks_hold_no_secret() -> None:
    columns = set(Base.metadata.tables["webhook_subscriptions"].columns.keys())

    assert not {name for name in columns if "secret" in name}
