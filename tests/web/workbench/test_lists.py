"""My tickets, the search and the supervisor's board."""

from __future__ import annotations

from datetime import timedelta

import pytest
from httpx import Response
from sqlalchemy import select, text, update

from clock import utc_now
from db import intake, worklists
from db.models import Customer, SlaClock, Ticket
from db.session import transaction
from domain.intake import CustomerDetails, Report
from domain.people import Actor, Role
from domain.tickets import Channel
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, text_of

PHONE = "+8613800138000"


@pytest.fixture
def ticket(site: Site) -> str:
    """A ticket that nobody has taken, an hour old."""
    return open_ticket(site)


def open_ticket(
    site: Site, name: str = "王丽", phone: str = PHONE, serial: str = "SN-0042", words: str = "空调不制冷"
) -> str:
    with transaction(site.database) as connection:
        details = CustomerDetails(name=name, phone=phone, region="east")
        at = utc_now() - timedelta(hours=1)
        customer = intake.find_or_add_customer(connection, details, standard=site.standard, now=at)
        report = Report(channel=Channel.HOTLINE, description=words, serial_number=serial)
        opened = intake.open_ticket(
            connection, customer, report, Actor(Role.CUSTOMER, customer), standard=site.standard, now=at
        )
        return str(connection.execute(select(Ticket.number).where(Ticket.id == opened.ticket_id)).scalar_one())


def give(site: Site, number: str, staff_id: int) -> None:
    with transaction(site.database) as connection:
        connection.execute(update(Ticket).where(Ticket.number == number).values(assignee_id=staff_id, state="assigned"))


def promise(site: Site, number: str, *, hours: float) -> None:
    """The ticket's clocks are due in so many hours."""
    with transaction(site.database) as connection:
        whose = select(Ticket.id).where(Ticket.number == number).scalar_subquery()
        moment = utc_now() + timedelta(hours=hours)
        connection.execute(update(SlaClock).where(SlaClock.ticket_id == whose).values(due_at=moment))


def search(bench: Bench, asked: str) -> Response:
    return bench.send("/workbench/search", bench.fill(bench.get("/workbench/search"), "/workbench/search", asked=asked))


def part(page: Response, heading: str) -> str:
    """What stands under a heading."""
    return text_of(page).partition(f" {heading}")[2]


def test_what_is_due_first_stands_on_top_and_what_is_late_says_so(site: Site, bench: Bench) -> None:
    soon, late, calm = (open_ticket(site, phone=f"+861380013800{n}") for n in range(3))
    for number, hours in ((soon, 1.51), (late, -2.01), (calm, 30)):
        give(site, number, bench.staff_id)
        promise(site, number, hours=hours)

    page = text_of(bench.get("/workbench"))

    assert page.index(late) < page.index(soon) < page.index(calm)
    assert "已超时2小时" in page
    assert "剩余1小时" in page


def test_what_nobody_has_taken_is_shown_to_who_may_take_it(make_bench: MakeBench, ticket: str) -> None:
    assert ticket in make_bench("zhang.wei").get("/workbench").text
    assert ticket not in make_bench("he.miao", role=Role.QUALITY_INSPECTOR).get("/workbench").text


def test_a_list_that_has_not_changed_is_not_sent_again(site: Site, bench: Bench, ticket: str) -> None:
    promise(site, ticket, hours=30.5)
    first = bench.get("/workbench/mine.html")
    same = bench.client.get("/workbench/mine.html", headers={"if-none-match": first.headers["etag"]})
    open_ticket(site, phone="+8613800138009")
    changed = bench.client.get("/workbench/mine.html", headers={"if-none-match": first.headers["etag"]})

    assert "<html" not in first.text
    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200


@pytest.mark.parametrize(
    "asked",
    ["{number}", "tk-{short}", "{short}", "138 0013 8000", "+86 13800138000", "SN-0042", "sn-0042", "王", "王丽", "‮王"],
)
def test_a_ticket_is_found_by_what_people_know_of_it(bench: Bench, ticket: str, asked: str) -> None:
    short = str(int(ticket.removeprefix("TK-")))

    assert ticket in text_of(search(bench, asked.format(number=ticket, short=short)))


@pytest.mark.parametrize(
    "asked", ["%", "_", "丽", "\x00", "🙂", "<script>", "{{7*7}}", "0", "9999999999", "a" * 5000, "' OR 1=1"]
)
def test_what_fits_nothing_finds_nothing(bench: Bench, ticket: str, asked: str) -> None:
    page = search(bench, asked)

    assert page.status_code == 200
    assert ticket not in page.text
    assert "<script>alert" not in page.text


def test_the_search_masks_numbers_and_tells_an_inspector_nobodys(make_bench: MakeBench, ticket: str) -> None:
    agent = make_bench("liu.fang")
    inspector = make_bench("he.miao", role=Role.QUALITY_INSPECTOR)

    assert "+86138****8000" in search(agent, ticket).text
    assert PHONE not in search(agent, ticket).text
    assert ticket in search(inspector, ticket).text
    assert ticket not in text_of(search(inspector, PHONE))


def test_who_only_runs_the_system_does_not_read_what_people_wrote(make_bench: MakeBench, ticket: str) -> None:
    administrator = make_bench("he.miao", role=Role.ADMINISTRATOR)

    assert ticket in search(administrator, ticket).text
    assert "空调不制冷" not in search(administrator, ticket).text


def test_the_search_goes_by_indexes(site: Site) -> None:
    with transaction(site.database) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        for condition, index in (
            (f"SELECT 1 FROM customers WHERE phone = '{PHONE}'", "uq_customers_phone"),
            ("SELECT 1 FROM tickets WHERE lower(serial_number) = 'x'", "ix_tickets_serial_number"),
            ("SELECT 1 FROM customers WHERE lower(name) LIKE 'wang%'", "ix_customers_name"),
        ):
            assert index in str(connection.execute(text(f"EXPLAIN {condition}")).all())


def test_the_board_is_for_those_who_lead(make_bench: MakeBench) -> None:
    assert make_bench("sun.jing").get("/workbench/board").status_code == 200
    assert make_bench("ma.chao").get("/workbench/board").status_code == 200
    refused = make_bench("zhang.wei").get("/workbench/board")

    assert refused.status_code == 403
    assert "主管" in text_of(refused)
    assert "/workbench/board" not in make_bench("zhang.wei").get("/workbench").text


def test_the_board_shows_what_is_late_what_will_be_and_what_nobody_takes(site: Site, bench: Bench) -> None:
    late, near, calm = (open_ticket(site, phone=f"+861380013800{n}") for n in range(3))
    for number, hours in ((late, -1), (near, 1), (calm, 3)):
        promise(site, number, hours=hours)
    give(site, near, bench.staff_id)

    page = bench.get("/workbench/board")
    of_late = part(page, "已超时").partition("即将到期")[0]
    of_near = part(page, "即将到期").partition("久未领取")[0]
    of_untaken = part(page, "久未领取").partition("逾期回访")[0]

    assert [number in of_late for number in (late, near, calm)] == [True, False, False]
    assert [number in of_near for number in (late, near, calm)] == [False, True, False]
    assert [number in of_untaken for number in (late, near, calm)] == [True, False, True]


def hand_over(bench: Bench, **values: str) -> Response:
    form = bench.fill(bench.get("/workbench/board"), "/workbench/board/reassign", **values)
    return bench.send("/workbench/board/reassign", form)


def test_a_lead_hands_a_ticket_over_with_a_reason_once(site: Site, bench: Bench, ticket: str) -> None:
    with site.desk() as desk:
        engineer = desk.connection.execute(text("SELECT id FROM staff WHERE email LIKE 'zhang.wei%'")).scalar_one()
    form = bench.fill(
        bench.get("/workbench/board"),
        "/workbench/board/reassign",
        number=ticket,
        assignee_id=str(engineer),
        reason="离客户最近",
    )
    with transaction(site.database) as connection:
        connection.execute(update(Ticket).values(state="acknowledged"))

    first = bench.send("/workbench/board/reassign", form)
    after_first = site.everything()
    second = bench.send("/workbench/board/reassign", form)

    assert first.status_code == second.status_code == 303
    assert site.everything() == after_first
    with transaction(site.database) as connection:
        assert [row["number"] for row in worklists.of_member(connection, engineer, limit=9)] == [ticket]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"number": "TK-9999999"}, "没有这个编号"),
        ({"number": "\x00"}, "没有这个编号"),
        ({"assignee_id": "999999"}, "不能接手"),
        ({"assignee_id": "x"}, "不能接手"),
        ({"assignee_id": "9" * 30}, "不能接手"),
        ({"reason": " "}, "填写原因"),
        ({"reason": "x" * 201}, "填写原因"),
        ({"reason": "a\x00"}, "填写原因"),
    ],
)
def test_what_cannot_be_handed_over_is_said_and_kept_in_the_form(
    site: Site, bench: Bench, ticket: str, values: dict[str, str], told: str
) -> None:
    with transaction(site.database) as connection:
        connection.execute(update(Ticket).values(state="acknowledged"))
        engineer = connection.execute(text("SELECT id FROM staff WHERE email LIKE 'zhang.wei%'")).scalar_one()
    before = site.everything()

    answer = hand_over(bench, **{"number": ticket, "assignee_id": str(engineer), "reason": "近", **values})

    assert answer.status_code == 422
    assert told in text_of(answer)
    assert site.everything() == before


def test_pages_stay_small_with_many_tickets(site: Site, bench: Bench) -> None:
    for number in range(60):
        open_ticket(site, phone=f"+86138001381{number:02d}", words="很长的描述" * 200)
    with transaction(site.database) as connection:
        assert connection.execute(select(Customer.id)).all()

    assert len(bench.get("/workbench").content) < 50_000
    assert len(bench.get("/workbench/board").content) < 50_000
