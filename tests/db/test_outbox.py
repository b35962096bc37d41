"""No message is lost and none is handed over twice, whatever happens to the sender."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from db import doubts, enclosures, fates, mailbox, outbox
from db.models import Customer, Message
from db.session import engine, transaction
from domain.delivery import Accepted, MessageState, NotFound, NotSent, Outcome, Rejected, Unknown
from domain.exceptions import DomainError, NotFoundError
from domain.messages import Enclosure, Medium, MessageKind
from domain.standard import load_standard
from tasks import claims

CONTEXT = {
    "ticket_number": "TK-00000001",
    "customer_name": "王丽",
    "subject": "空调不制冷",
    "category": "product_fault",
    "priority": "P2",
    "respond_by": None,
    "resolve_by": None,
    "assignee_name": None,
}
TO_ALL = Accepted("m-1", delivered=True)
POLICY = load_standard().delivery


def _customer(connection: Connection, now: datetime, email: str = "li@example.com") -> int:
    values = {"name": "王丽", "email": email, "language": "en", "time_zone": "UTC", "created_at": now}
    return connection.execute(insert(Customer).values(**values).returning(Customer.id)).scalar_one()


def _message(customer_id: int, key: str = "k-1") -> outbox.NewMessage:
    kind = MessageKind.TICKET_JOINED
    return outbox.NewMessage(key, kind, Medium.EMAIL, "en", CONTEXT, customer_id=customer_id)


def _queue(connection: Connection, now: datetime, *keys: str) -> None:
    customer_id = _customer(connection, now)
    outbox.queue(connection, [_message(customer_id, key) for key in keys or ("k-1",)], now=now)


def _claim(connection: Connection, now: datetime, *, limit: int = 9) -> list[dict[str, Any]]:
    """Claimed messages as a sender reads them, with words."""
    rows = outbox.claim(connection, Medium.EMAIL, now=now, limit=limit)
    words = [
        row
        | {"subject": "s", "body": row["body"] or f"words of {now:%H:%M}", "html": None, "segments": None}
        | {"address": row["email"]}
        for row in rows
    ]
    outbox.freeze(connection, words, provider="mailbox", look_at=now + POLICY.unknown_after, now=now)
    return outbox.frozen(connection, [row["id"] for row in rows])


def _settle(connection: Connection, row: dict[str, Any], outcome: Outcome, now: datetime) -> bool:
    attempt = fates.Attempt(row["id"], row["attempts"], outcome)
    return bool(fates.settle(connection, [attempt], provider="mailbox", policy=POLICY, now=now))


def _doubts(connection: Connection, now: datetime, *, limit: int = 9) -> list[doubts.Doubt]:
    return doubts.claim(connection, policy=POLICY, now=now, limit=limit)


def _look(connection: Connection, doubt: doubts.Doubt, found: Any, now: datetime) -> str:
    return doubts.settle(connection, doubt, found, provider="mailbox", policy=POLICY, now=now)


def _keep(connection: Connection, row: dict[str, Any], now: datetime) -> int | None:
    return mailbox.keep(
        connection,
        row["id"],
        attempt=row["attempts"],
        address=row["address"],
        subject=row["subject"],
        body=row["body"],
        html=None,
        now=now,
    )


def _stored(connection: Connection, message_id: int) -> Any:
    return connection.execute(select(Message.__table__).where(Message.id == message_id)).one()


class TestQueueing:
    def test_the_same_occasion_owes_a_message_once(self, connection: Connection, now: datetime) -> None:
        customer_id = _customer(connection, now)
        one, two = _message(customer_id, "k-1"), _message(customer_id, "k-2")

        assert outbox.queue(connection, [one], now=now) == 1
        assert outbox.queue(connection, [one], now=now) == 0
        assert outbox.queue(connection, [one, two, two], now=now) == 1
        assert outbox.queue(connection, [], now=now) == 0
        assert outbox.count_by_state(connection) == {"queued": 2}

    def test_files_are_kept_once_with_their_message_and_in_their_order(
        self, connection: Connection, now: datetime
    ) -> None:
        files = [Enclosure("表.xlsx", "text/plain", b"\x00PK"), Enclosure("a.png", "image/png", b"", "a")]
        mail = replace(_message(_customer(connection, now), "with files"), enclosures=files)
        outbox.queue(connection, [mail], now=now)
        outbox.queue(connection, [mail, replace(mail, dedupe_key="without", enclosures=())], now=now)

        ids = list(connection.execute(select(Message.id)).scalars())

        assert list(enclosures.of_messages(connection, ids).values()) == [files]

    def test_a_message_that_lacks_what_its_words_need_is_refused_whole(
        self, connection: Connection, now: datetime
    ) -> None:
        customer_id = _customer(connection, now)
        lacking = replace(_message(customer_id, "k-2"), kind=MessageKind.QUESTION_ASKED)

        with pytest.raises(DomainError, match="question_asked lacks question"):
            outbox.queue(connection, [_message(customer_id), lacking], now=now)

        assert outbox.count_by_state(connection) == {}


class TestClaiming:
    def test_takes_the_oldest_first_and_nothing_from_the_future(self, connection: Connection, now: datetime) -> None:
        customer_id = _customer(connection, now)
        for minutes in (5, 0, 99):
            message = _message(customer_id, f"after {minutes}")
            outbox.queue(connection, [message], now=now + timedelta(minutes=minutes))

        rows = outbox.claim(connection, Medium.EMAIL, now=now + timedelta(minutes=5), limit=9)

        assert [row["dedupe_key"] for row in rows] == ["after 0", "after 5"]
        assert (rows[0]["recipient_name"], rows[0]["email"]) == ("王丽", "li@example.com")

    def test_what_is_urgent_overtakes_what_waits_longer(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now, "old", "older")
        urgent = replace(_message(_customer(connection, now, "wei@example.com"), "urgent"), is_urgent=True)
        outbox.queue(connection, [urgent], now=now + timedelta(minutes=5))
        outbox.queue(connection, [replace(urgent, dedupe_key="of tomorrow")], now=now + timedelta(days=1))

        rows = outbox.claim(connection, Medium.EMAIL, now=now + timedelta(minutes=5), limit=2)

        assert [row["dedupe_key"] for row in rows] == ["urgent", "old"]

    def test_an_urgent_one_costs_no_look_at_the_whole_queue(self, connection: Connection, now: datetime) -> None:
        customer_id = _customer(connection, now)
        waiting = [
            replace(_message(customer_id, f"k-{number}"), send_after=now + timedelta(seconds=number))
            for number in range(5000)
        ]
        outbox.queue(connection, [*waiting, replace(waiting[0], dedupe_key="urgent", is_urgent=True)], now=now)
        connection.execute(text("ANALYZE messages"))

        for query, index in (("is_urgent", "ix_messages_medium_send_after_urgent"), ("NOT is_urgent", "ix_messages")):
            plan = "\n".join(
                connection.execute(
                    text(
                        "EXPLAIN SELECT * FROM messages WHERE state = 'queued' AND medium = 'email' "
                        f"AND send_after <= now() AND {query} ORDER BY send_after, id LIMIT 100 "
                        "FOR UPDATE SKIP LOCKED"
                    )
                ).scalars()
            )
            assert index in plan, plan
            assert "Seq Scan" not in plan, plan

    def test_two_senders_at_once_share_the_messages(self, database: str, now: datetime) -> None:
        with transaction(database) as connection:
            _queue(connection, now, *"abcde")

        with engine(database).connect() as one, engine(database).connect() as two:
            first = {row["dedupe_key"] for row in _claim(one, now, limit=2)}
            second = {row["dedupe_key"] for row in _claim(two, now)}
            one.commit()
            two.commit()
            rest = _claim(one, now)

        assert (first, second, rest) == ({"a", "b"}, {"c", "d", "e"}, [])

    def test_a_sender_that_dies_before_its_commit_has_claimed_nothing(self, database: str, now: datetime) -> None:
        with transaction(database) as connection:
            _queue(connection, now)

        with engine(database).connect() as killed:
            _claim(killed, now)
            killed.rollback()

        with transaction(database) as connection:
            assert [row["attempts"] for row in _claim(connection, now)] == [1]

    def test_words_once_frozen_are_sent_again_as_they_were(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now)
        (first,) = _claim(connection, now)
        _settle(connection, first, NotSent("busy"), now)

        (second,) = _claim(connection, now + timedelta(hours=1))

        assert (second["body"], second["attempts"]) == (first["body"], 2)

    def test_a_message_whose_words_cannot_be_made_is_given_up_with_its_reason(
        self, connection: Connection, now: datetime
    ) -> None:
        _queue(connection, now)
        (row,) = outbox.claim(connection, Medium.EMAIL, now=now, limit=1)

        outbox.refuse(connection, row["id"], code="words", now=now)

        stored = _stored(connection, row["id"])
        assert (stored.state, stored.error_code, stored.body) == ("failed", "words", None)
        assert _claim(connection, now) == []

    def test_what_only_a_newer_version_can_say_is_left_to_it(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now)
        (row,) = outbox.claim(connection, Medium.EMAIL, now=now, limit=1)
        old = claims._Claim(connection, Medium.EMAIL, load_standard(), now, segments=0)

        assert old.decided([row | {"kind": "kind_of_tomorrow"}]) == []

        stored = _stored(connection, row["id"])
        assert (stored.state, stored.send_after) == ("queued", now + timedelta(minutes=1))


class TestSettling:
    @pytest.mark.parametrize(
        ("outcome", "state"),
        [
            (Accepted("m"), MessageState.ACCEPTED),
            (TO_ALL, MessageState.DELIVERED),
            (Rejected("550"), MessageState.FAILED),
            (Unknown("timeout"), MessageState.UNKNOWN),
        ],
    )
    def test_records_the_fate(
        self, connection: Connection, now: datetime, outcome: Outcome, state: MessageState
    ) -> None:
        _queue(connection, now)
        (row,) = _claim(connection, now)

        assert _settle(connection, row, outcome, now)

        stored = _stored(connection, row["id"])
        assert (stored.state, stored.provider, stored.settled_at) == (state, "mailbox", now)

    def test_moves_only_forward(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now)
        (row,) = _claim(connection, now)
        _settle(connection, row, Accepted("m-1"), now)

        assert not _settle(connection, row, NotSent("busy"), now)
        assert not _settle(connection, row, Unknown("timeout"), now)
        assert _settle(connection, row, TO_ALL, now)
        assert not _settle(connection, row, TO_ALL, now)
        assert not _settle(connection, row, Rejected("late"), now)
        assert _stored(connection, row["id"]).state == "delivered"

    def test_one_that_did_not_leave_is_tried_again_ever_later_and_then_given_up(
        self, connection: Connection, now: datetime
    ) -> None:
        _queue(connection, now)
        moment, waits = now, []
        while rows := _claim(connection, moment):
            _settle(connection, rows[0], NotSent("busy"), moment)
            stored = _stored(connection, rows[0]["id"])
            if stored.state == "queued":
                assert _claim(connection, stored.send_after - timedelta(microseconds=1)) == []
                waits.append((stored.send_after - moment).total_seconds())
                moment = stored.send_after

        assert waits[:6] == [5, 30, 120, 600, 3600, 3600]
        assert (stored.state, stored.error_code) == ("failed", "busy")
        assert POLICY.give_up_after - timedelta(hours=1) < moment - now <= POLICY.give_up_after


class TestAnUnclearFate:
    def test_is_looked_up_after_a_while_and_not_before(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now)
        (row,) = _claim(connection, now)
        later = now + POLICY.unknown_after

        assert _doubts(connection, later - timedelta(seconds=1)) == []
        (doubt,) = _doubts(connection, later)
        assert doubt.row["id"] == row["id"]
        assert _stored(connection, row["id"]).state == "unknown"
        assert _claim(connection, later) == []  # never blindly sent again
        assert _doubts(connection, later) == []  # nor looked up by two at once

    def test_is_not_looked_up_by_two_at_once(self, database: str, now: datetime) -> None:
        later = now + POLICY.unknown_after
        with transaction(database) as connection:
            _queue(connection, now, "a", "b")
            _claim(connection, now)

        with engine(database).connect() as one, engine(database).connect() as two:
            first = _doubts(one, later, limit=1)
            second = _doubts(two, later)

        assert len({doubt.row["id"] for doubt in [*first, *second]}) == 2

    def test_found_at_the_transport_it_is_delivered(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now)
        (row,) = _claim(connection, now)
        _keep(connection, row, now)  # and the sender died before it could say so
        (doubt,) = _doubts(connection, now + POLICY.unknown_after)

        assert mailbox.find(connection, row["id"]) is not None
        assert _look(connection, doubt, TO_ALL, now) == "found delivered"
        assert _stored(connection, row["id"]).state == "delivered"

    def test_certainly_not_sent_it_is_sent_again_and_arrives_once(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now)
        _claim(connection, now)
        later = now + POLICY.unknown_after
        (doubt,) = _doubts(connection, later)
        assert _look(connection, doubt, NotFound(is_certain=True), later) == "not sent: again"

        (again,) = _claim(connection, later)

        assert _keep(connection, again, later) is not None
        assert mailbox.find_doubled(connection) == []

    def test_a_slow_sender_whose_claim_was_lost_hands_nothing_over(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now)
        (slow,) = _claim(connection, now)
        later = now + POLICY.unknown_after
        (doubt,) = _doubts(connection, later)
        assert _keep(connection, slow, later) is None
        _look(connection, doubt, NotFound(is_certain=True), later)
        assert _keep(connection, slow, later) is None
        (again,) = _claim(connection, later)

        assert _keep(connection, slow, later) is None
        assert not _settle(connection, slow, TO_ALL, later)

        assert (_stored(connection, again["id"]).state, _stored(connection, again["id"]).attempts) == ("sending", 2)
        assert _keep(connection, again, later) is not None


class TestTheMailbox:
    def test_shows_a_message_that_was_handed_over_twice(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now)
        (row,) = _claim(connection, now)

        _keep(connection, row, now)
        _keep(connection, row, now)

        assert mailbox.find_doubled(connection) == [row["id"]]

    def test_lists_recipients_and_their_messages_newest_first(self, connection: Connection, now: datetime) -> None:
        _queue(connection, now, "a", "b")
        first, second = _claim(connection, now)
        one, two = _keep(connection, first, now), _keep(connection, second, now + timedelta(hours=1))

        assert mailbox.list_addresses(connection) == [("li@example.com", 2, now + timedelta(hours=1))]
        assert [row["id"] for row in mailbox.list_entries(connection, "li@example.com")] == [two, one]
        assert [row["id"] for row in mailbox.list_since(connection, one or 0)] == [two]
        with pytest.raises(NotFoundError):
            mailbox.get(connection, (two or 0) + 1)
