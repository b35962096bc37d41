"""A report becomes one ticket with its promises, or joins the one that is open (S-01 to S-07)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from db import customers, intake
from db.models import Customer, PendingEvent, Ticket
from db.session import engine, transaction
from domain.exceptions import IdempotencyKeyReusedError, InvalidInputError
from domain.intake import CustomerDetails, Report
from domain.lifecycle import CommandName
from domain.people import SYSTEM, Actor, Role
from domain.standard import Standard
from domain.tickets import Channel, Impact
from tests.desk import Desk


def _report(description: str = "空调不制冷", **values: Any) -> Report:
    return Report(**{"channel": Channel.HOTLINE, "description": description, **values})


def _customer(desk: Desk, **details: Any) -> int:
    found = CustomerDetails(**{"name": "王丽", **details})
    return intake.find_or_add_customer(desk.connection, found, standard=desk.standard, now=desk.now)


def _open(desk: Desk, customer_id: int, report: Report, *, key: str | None = None) -> intake.Opened:
    actor = Actor(Role.CUSTOMER, customer_id)
    return intake.open_ticket(
        desk.connection, customer_id, report, actor, standard=desk.standard, now=desk.now, idempotency_key=key
    )


def _count(desk: Desk, customer_id: int) -> int:
    return desk.connection.execute(select(func.count()).where(Ticket.customer_id == customer_id)).scalar_one()


class TestOpening:
    def test_a_report_becomes_a_new_ticket_with_its_suggestions_and_their_reasons(self, desk: Desk) -> None:
        customer_id = _customer(desk, phone="13800138001", region="east")

        opened = _open(desk, customer_id, _report("空调不制冷。昨天开始的。", product_model="AC-3"))

        ticket = desk.ticket(opened.ticket_id)
        assert opened.number == f"TK-{opened.ticket_id:08d}" == ticket["number"]
        assert not opened.joined
        assert not opened.was_repeated
        assert (ticket["state"], ticket["channel"], ticket["region"]) == ("new", "hotline", "east")
        assert (ticket["category"], ticket["category_reason"]) == ("product_fault", "不制冷")
        assert (ticket["priority"], ticket["impact"], ticket["priority_reason"]) == ("P2", "partial", "不制冷")
        assert (ticket["subject"], ticket["product_model"]) == ("空调不制冷", "AC-3")

    def test_three_clocks_run_from_the_opening(self, desk: Desk) -> None:
        clocks = desk.clocks(desk.open())

        assert {kind: row["due_at"] for kind, row in clocks.items()} == {
            "assignment": desk.after(minutes=30),
            "response": desk.after(hours=4),
            "resolution": desk.after(hours=48),
        }
        assert {row["started_at"] for row in clocks.values()} == {desk.now}

    def test_an_urgent_ticket_of_an_office_hours_channel_has_the_clocks_of_day_and_night(self, desk: Desk) -> None:
        ticket_id = desk.open(impact=Impact.CORE_USE_LOST, channel=Channel.EMAIL)

        assert {row["calendar"] for row in desk.clocks(ticket_id).values()} == {"always"}
        assert desk.clocks(ticket_id)["resolution"]["due_at"] == desk.after(hours=24)

    def test_the_clocks_of_an_office_hours_channel_rest_at_night(self, desk: Desk) -> None:
        ticket_id = desk.open(channel=Channel.EMAIL)

        # Tuesday 10:00; 48 working hours of nine a day: 8 today, 36 until Monday 18:00, 4 on Tuesday.
        assert desk.clocks(ticket_id)["resolution"]["due_at"] == desk.after(days=7, hours=3)

    def test_the_first_event_names_who_reported_and_what_was_suggested(self, desk: Desk) -> None:
        ticket_id = desk.open()

        event = desk.last_event(ticket_id)

        assert (event["seq"], event["kind"], event["to_state"], event["at"]) == (1, "opened", "new", desk.now)
        assert (event["actor_role"], event["actor_id"]) == ("customer", desk.ticket(ticket_id)["customer_id"])
        assert event["facts"]["priority"] == "P2"
        assert desk.ticket(ticket_id)["event_digest"] == event["digest"]

    def test_the_opening_waits_to_be_followed_up_at_once(self, desk: Desk) -> None:
        ticket_id = desk.open()

        pending = desk.connection.execute(select(PendingEvent).where(PendingEvent.ticket_id == ticket_id)).one()

        assert (pending.kind, pending.due_at, pending.attempts) == ("opened", desk.now, 0)

    def test_words_of_danger_make_it_urgent_whatever_the_impact(self, desk: Desk) -> None:
        opened = _open(desk, _customer(desk, phone="13800138002"), _report("插座冒烟", impact=Impact.MINOR))

        ticket = desk.ticket(opened.ticket_id)

        assert (ticket["is_safety_risk"], ticket["priority"], ticket["priority_reason"]) == (True, "P1", "冒烟")

    @pytest.mark.parametrize(
        ("report", "reason"),
        [
            ({"impact": Impact.CORE_USE_LOST}, "core_use_lost"),
            ({"is_safety_risk": True}, "safety_risk"),
            ({}, "guarantee"),
        ],
    )
    def test_the_reason_is_what_decided(self, desk: Desk, report: dict[str, Any], reason: str) -> None:
        opened = _open(desk, _customer(desk, phone="13800138009"), _report("Please replace the battery", **report))

        assert desk.ticket(opened.ticket_id)["priority_reason"] == reason

    def test_what_the_customer_was_asked_wins_over_their_words(self, desk: Desk) -> None:
        opened = _open(
            desk, _customer(desk, phone="13800138003"), _report("冒烟？没有", impact=Impact.MINOR, is_safety_risk=False)
        )

        assert desk.ticket(opened.ticket_id)["priority"] == "P3"


class TestTheSameFault:
    def test_a_second_report_joins_the_open_ticket(self, desk: Desk) -> None:
        customer_id = _customer(desk, phone="13800138010")
        first = _open(desk, customer_id, _report(product_model="AC-3"))

        second = _open(desk, customer_id, _report("又不制冷了", product_model="ac-3"))

        assert (second.ticket_id, second.joined) == (first.ticket_id, True)
        assert _count(desk, customer_id) == 1
        assert desk.kinds(first.ticket_id) == ["opened", "report_again"]
        assert desk.last_event(first.ticket_id)["payload"] == {"description": "又不制冷了"}
        assert desk.told(first.ticket_id) == [("ticket_joined", "王丽")]

    def test_another_product_is_another_ticket(self, desk: Desk) -> None:
        customer_id = _customer(desk, phone="13800138011")
        first = _open(desk, customer_id, _report(product_model="AC-3"))

        second = _open(desk, customer_id, _report(product_model="AC-4"))

        assert second.ticket_id != first.ticket_id

    def test_the_same_words_of_two_customers_are_two_tickets(self, desk: Desk) -> None:
        assert desk.open() != desk.open()

    def test_a_fault_that_is_back_after_the_ticket_is_over_is_a_new_ticket(self, desk: Desk) -> None:
        customer_id = _customer(desk, phone="13800138012")
        first = _open(desk, customer_id, _report())
        desk.give(first.ticket_id, CommandName.CANCEL, reason="gone")

        assert _open(desk, customer_id, _report()).ticket_id != first.ticket_id

    def test_a_very_long_second_report_is_joined_too(self, desk: Desk) -> None:
        customer_id = _customer(desk, phone="13800138013")
        first = _open(desk, customer_id, _report(product_model="AC-3"))

        second = _open(desk, customer_id, _report("不制冷" * 1500, product_model="AC-3"))

        assert second.ticket_id == first.ticket_id


class TestIdempotency:
    def test_the_same_report_with_the_same_key_is_opened_once(self, desk: Desk) -> None:
        customer_id = _customer(desk, phone="13800138020")
        first = _open(desk, customer_id, _report(), key="call-1")

        again = _open(desk, customer_id, _report(), key="call-1")

        assert (again.ticket_id, again.was_repeated, again.joined) == (first.ticket_id, True, False)
        assert desk.kinds(first.ticket_id) == ["opened"]

    def test_a_joined_report_with_the_same_key_joins_once(self, desk: Desk) -> None:
        customer_id = _customer(desk, phone="13800138021")
        first = _open(desk, customer_id, _report())
        _open(desk, customer_id, _report("空调不制冷！还是"), key="call-2")

        again = _open(desk, customer_id, _report("空调不制冷！还是"), key="call-2")

        assert (again.ticket_id, again.was_repeated, again.joined) == (first.ticket_id, True, True)
        assert desk.kinds(first.ticket_id) == ["opened", "report_again"]

    def test_another_report_with_the_same_key_is_refused(self, desk: Desk) -> None:
        customer_id = _customer(desk, phone="13800138022")
        _open(desk, customer_id, _report(), key="call-3")

        with pytest.raises(IdempotencyKeyReusedError, match="call-3"):
            _open(desk, customer_id, _report("洗衣机漏水"), key="call-3")

    def test_another_customer_with_the_same_key_is_refused(self, desk: Desk) -> None:
        _open(desk, _customer(desk, phone="13800138023"), _report(), key="call-4")

        with pytest.raises(IdempotencyKeyReusedError):
            _open(desk, _customer(desk, phone="13800138024"), _report(), key="call-4")

    def test_two_opens_at_once_with_one_key_make_one_ticket(
        self, database: str, standard: Standard, now: datetime
    ) -> None:
        ready = Barrier(2)

        def open_it(_: int) -> intake.Opened:
            details = CustomerDetails(name="王丽", phone="13800138000")
            ready.wait()
            with transaction(database) as connection:
                customer_id = intake.find_or_add_customer(connection, details, standard=standard, now=now)
                return intake.open_ticket(
                    connection, customer_id, _report(), SYSTEM, standard=standard, now=now, idempotency_key="one"
                )

        with ThreadPoolExecutor(2) as threads:
            opened = list(threads.map(open_it, range(2)))

        with engine(database).connect() as connection:
            assert connection.execute(select(func.count()).select_from(Ticket)).scalar_one() == 1
            assert connection.execute(select(func.count()).select_from(Customer)).scalar_one() == 1
        assert sorted(o.was_repeated for o in opened) == [False, True]

    def test_eight_reports_at_once_of_one_customer_make_one_ticket(
        self, database: str, standard: Standard, now: datetime
    ) -> None:
        ready = Barrier(8)

        def open_it(number: int) -> int:
            # One customer who gives now the one, now the other, now both.
            reach = [{"phone": "13800138000"}, {"email": "Li@Example.com"}, {"email": "li@example.com"}][number % 3]
            both = {"phone": "13800138000", "email": "li@example.com"}
            ready.wait()
            with transaction(database) as connection:
                details = CustomerDetails(name="王丽", **(reach if number else both))
                customer_id = intake.find_or_add_customer(connection, details, standard=standard, now=now)
                return intake.open_ticket(
                    connection, customer_id, _report(), SYSTEM, standard=standard, now=now
                ).ticket_id

        with transaction(database) as connection:
            details = CustomerDetails(name="王丽", phone="13800138000", email="li@example.com")
            intake.find_or_add_customer(connection, details, standard=standard, now=now)
        with ThreadPoolExecutor(8) as threads:
            opened = set(threads.map(open_it, range(8)))

        assert len(opened) == 1


class TestTheCustomer:
    def test_is_found_again_by_phone_however_it_is_written(self, desk: Desk) -> None:
        known = _customer(desk, phone="138 0013 8030")

        assert _customer(desk, phone="+86-13800138030", name="someone else") == known

    def test_is_found_again_by_address_without_case(self, desk: Desk) -> None:
        known = _customer(desk, email="Li.Na@Example.com")

        assert _customer(desk, email="li.na@example.COM") == known

    def test_is_found_by_either(self, desk: Desk) -> None:
        known = _customer(desk, phone="13800138031", email="both@example.com")

        assert _customer(desk, phone="13800138031") == known
        assert _customer(desk, email="both@example.com") == known
        assert _customer(desk, phone="13900139000", email="both@example.com") == known

    def test_without_a_phone_is_not_everybody_else_without_a_phone(self, desk: Desk) -> None:
        assert _customer(desk, email="a@example.com") != _customer(desk, email="b@example.com")

    def test_without_an_address_is_not_everybody_else_without_one(self, desk: Desk) -> None:
        assert _customer(desk, phone="13800138032") != _customer(desk, phone="13800138033")

    def test_may_ask_to_stay_anonymous_and_is_reached_all_the_same(self, desk: Desk) -> None:
        customer = customers.get(desk.connection, _customer(desk, phone="13800138034", wants_anonymity=True))

        assert customer["wants_anonymity"] is True
        assert customer["phone"] == "+8613800138034"

    def test_is_reached_by_sms_when_there_is_a_phone_else_by_mail(self, desk: Desk) -> None:
        by_phone, by_mail = _customer(desk, phone="13800138035"), _customer(desk, email="c@example.com")

        assert customers.get(desk.connection, by_phone)["preferred_medium"] == "sms"
        assert customers.get(desk.connection, by_mail)["preferred_medium"] == "email"
        assert customers.get(desk.connection, by_mail)["language"] == "zh-CN"

    @pytest.mark.parametrize(
        ("field", "reach"),
        [("phone", {"phone": "12"}), ("phone", {"phone": "nonsense"}), ("email", {"email": "nobody@"})],
    )
    def test_with_contact_data_that_are_none_is_refused(self, desk: Desk, field: str, reach: dict[str, str]) -> None:
        with pytest.raises(InvalidInputError) as refused:
            _customer(desk, **reach)

        assert refused.value.field == field


def test_an_hour_of_the_same_fault_does_not_move_the_promise(desk: Desk) -> None:
    customer_id = _customer(desk, phone="13800138040")
    first = _open(desk, customer_id, _report())
    before = desk.clocks(first.ticket_id)

    desk.now += timedelta(hours=1)
    _open(desk, customer_id, _report())

    assert desk.clocks(first.ticket_id) == before
