"""The outbox at the workbench: what is owed, failed or unclear, why, and what to do about it."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from db import outbox
from db.models import Message, TicketEvent
from domain.delivery import MessageState
from domain.interventions import INTERVENTION
from domain.lifecycle import TicketState
from domain.people import Role
from tests.web.conftest import Site
from tests.web.workbench.conftest import MakeBench
from tests.web.workbench.forms import Bench, forms_of, text_of

NAME, PHONE = "Wilhelmina", "+8613800138000"


def _messages(site: Site, **values: object) -> tuple[str, list[int]]:
    """A ticket of who asked to stay anonymous; its number and the messages to the customer, changed to these values."""
    with site.desk() as desk:
        ticket_id = desk.open(name=NAME, phone=PHONE, wants_anonymity=True)
        desk.bring_to(TicketState.ASSIGNED, ticket_id=ticket_id)
        ids = [row["id"] for row in outbox.list_of(desk.connection, ticket_id) if row["customer_id"]]
        if values:
            desk.connection.execute(update(Message).where(Message.id.in_(ids)).values(**values))
        return f"TK-{ticket_id:08d}", ids


def _failed(site: Site) -> tuple[str, list[int]]:
    words = "您好，查看进度：https://care.example.com/progress/secret"
    return _messages(site, state="failed", error_code="30003", body=words, address=PHONE)


def test_what_failed_is_shown_with_its_reason_and_what_to_do(site: Site, bench: Bench) -> None:
    number, (first, *_) = _failed(site)

    page = bench.get("/workbench/messages")
    row = text_of(page)

    assert f"/workbench/messages/{first}" in page.text
    assert all(word in row for word in (number, NAME, "+86138****8000", "短信", "发送失败", "30003", "请致电客户"))
    assert PHONE not in page.text
    assert f"/workbench/messages?ticket={number}" in bench.ticket(number).text


def test_filters_and_pages_hold_together(site: Site, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.workbench.outbox._MOST", 1)
    number, (first, second) = _messages(site)

    assert "暂无" in text_of(bench.get("/workbench/messages"))
    newest = bench.get(f"/workbench/messages?shelf=owed&ticket={number.lower()}").text
    older = bench.get(f"/workbench/messages?shelf=owed&ticket={number}&before={second}").text

    assert f"before={second}" not in older
    assert (f'messages/{first}"' in older, f'messages/{second}"' in older) == (True, False)
    assert 'class="row"' in newest
    wrong = bench.get("/workbench/messages?shelf=%00&ticket=%3Cscript%3E&before=x")
    assert (wrong.status_code, "没有这个编号的工单" in wrong.text, "<script>" in wrong.text) == (422, True, False)


def test_a_message_tells_its_words_without_the_customers_links_and_is_sent_again_once(site: Site, bench: Bench) -> None:
    _, (first, *_) = _failed(site)
    address = f"/workbench/messages/{first}"
    page = bench.get(address)
    action = f"{address}/resend"

    assert "您好，查看进度：…" in page.text
    assert "progress/secret" not in page.text
    form = bench.fill(page, action)
    assert [bench.send(action, form).status_code for _ in range(2)] == [303, 303]
    assert action not in forms_of(bench.get(address))
    with site.desk() as desk:
        kept = select(TicketEvent.actor_id, TicketEvent.facts).where(TicketEvent.kind == INTERVENTION)
        assert [tuple(row) for row in desk.connection.execute(kept)] == [
            (bench.staff_id, {"did": "resend", "reason": "", "message_id": first})
        ]
        desk.connection.execute(update(Message).where(Message.id == first).values(state=MessageState.DELIVERED))
    assert bench.send(action, form).status_code == 409


@pytest.mark.parametrize(
    ("role", "status", "is_named", "sees_words"),
    [
        (Role.MANAGER, 200, True, True),
        (Role.ADMINISTRATOR, 200, False, False),
        (Role.QUALITY_INSPECTOR, 403, False, False),
        (Role.ENGINEER, 403, False, False),
    ],
)
def test_roles_see_what_they_need(
    site: Site, make_bench: MakeBench, role: Role, status: int, is_named: bool, sees_words: bool
) -> None:
    _, (first, *_) = _failed(site)
    bench = make_bench(role=role)

    pages = [bench.get("/workbench/messages"), bench.get(f"/workbench/messages/{first}")]

    assert [page.status_code for page in pages] == [status, status]
    assert [NAME in page.text for page in pages] == [is_named, is_named]
    assert ("查看进度" in pages[1].text) is sees_words
