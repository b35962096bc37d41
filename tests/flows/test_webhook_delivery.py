"""``webhook_delivery`` and real receivers: signed, in order, again until taken, whatever goes wrong on either side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from clock import utc_now
from db import webhooks
from db.rows import Row
from db.session import transaction
from domain.lifecycle import CommandName, TicketState
from domain.webhooks import secret_of, written_secret
from flows.webhook_delivery import webhook_delivery
from settings import get_settings, written_standard
from tests.conftest import read_cast
from tests.desk import Desk
from tests.receiver import Receiver, receiving

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]
ROOT = Path(__file__).parents[2]
# What a sender does before and while it is shot.
SENDER = """
from clock import utc_now
from tasks import webhooks
for batch in webhooks.claim_deliveries(but=[], now=utc_now()):
    webhooks.tell_receiver.fn(batch, utc_now())
"""


@pytest.fixture(autouse=True)
def told(product: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product may tell receivers on this machine, and is not patient."""
    figures = tmp_path / "impatient.toml"
    figures.write_text('[webhooks]\nanswer_within = "1s"\n')
    monkeypatch.setenv("AFTERCARE_STANDARD", str(figures))
    monkeypatch.setenv("AFTERCARE_WEBHOOK_NETWORKS", "127.0.0.0/8")
    for cached in (get_settings, written_standard):
        cached.cache_clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        subscribe(receiver)
        yield receiver


def subscribe(receiver: Receiver, name: str = "CRM") -> Row:
    with transaction() as connection:
        row = webhooks.subscribe(connection, name, receiver.url, kinds=[], created_by=None, now=utc_now())
    learn(receiver, row)
    return row


def learn(receiver: Receiver, row: Row) -> None:
    """The receiver's operator writes down the secret."""
    receiver.secrets = [written_secret(secret_of(get_settings().signing_key(), row["salt"]))]


def work(tickets: int = 1, state: TicketState = TicketState.DIAGNOSING) -> list[str]:
    """Tickets with a history; returns their numbers."""
    with transaction() as connection:
        desk = Desk(connection, written_standard(), utc_now(), read_cast(connection).supervisor)
        return [str(desk.ticket(desk.bring_to(state))["number"]) for _ in range(tickets)]


def history(numbers: list[str]) -> set[tuple[str, int]]:
    with transaction() as connection:
        desk = Desk(connection, written_standard(), utc_now(), read_cast(connection).supervisor)
        return {(number, seq) for number in numbers for seq in range(1, len(desk.kinds(int(number[3:]))) + 1)}


def run(**after: float) -> Any:
    """Everything that is due at a moment a little later than now."""
    return webhook_delivery(now=utc_now() + timedelta(**after), return_state=True)


def owed() -> list[int]:
    with transaction() as connection:
        return [row["owed"] for row in webhooks.list_all(connection)]


def in_order(receiver: Receiver) -> bool:
    """Whether each ticket's events came in the order in which they happened."""
    by_ticket: dict[str, list[int]] = {}
    for ticket, seq in receiver.places:
        by_ticket.setdefault(ticket, []).append(seq)
    return all(seqs == sorted(seqs) for seqs in by_ticket.values())


def test_every_event_is_told_once_signed_and_in_order(receiver: Receiver) -> None:
    numbers = work(3)

    state = run()

    assert state.is_completed(), state.message
    assert set(receiver.places) == history(numbers)
    assert len(receiver.taken) == len(receiver.places)
    assert in_order(receiver)
    assert receiver.forged == []
    assert owed() == [0]
    assert receiver.taken[0]["type"] == "ticket.opened"
    assert receiver.taken[0]["id"] == f"{receiver.taken[0]['data']['ticket']}_1"
    assert run().message == "nothing was due"


def test_nothing_is_done_while_nobody_has_subscribed() -> None:
    work()

    assert run().message == "nobody has subscribed"


@pytest.mark.parametrize(
    "orders",
    [
        [500],
        [(429, {"Retry-After": "2"})],
        ["hang"],
        ["drip"],
        ["drop"],
        ["late"],
        ["garbage"],
        [503, "drop", 500, (301, {"Location": "http://127.0.0.1:1/"})],
    ],
    ids=str,
)
def test_whatever_goes_wrong_everything_arrives_in_order(receiver: Receiver, orders: list[Any]) -> None:
    numbers = work(2)
    receiver.orders.extend(orders)
    receiver.tolerance = 6000  # the runs are told moments that lie ahead

    # How many runs meet a fault depends on which of the two tickets is told first: there is time for each to wait.
    for seconds in (0, 10, 100, 101, 500, 501, 5000, 5001):
        run(seconds=seconds)

    assert set(receiver.places) == history(numbers)
    assert in_order(receiver)
    assert owed() == [0]
    if "late" not in orders:
        assert len(receiver.taken) == len(receiver.places)
    assert {told["id"] for told in receiver.taken} == {f"{ticket}_{seq}" for ticket, seq in receiver.places}


def test_how_long_a_receiver_asks_to_wait_is_waited(receiver: Receiver) -> None:
    work()
    receiver.orders.append((429, {"Retry-After": "120"}))
    run()

    run(seconds=100)
    assert receiver.asked == ["POST /hook"]
    run(seconds=125)
    assert receiver.taken


def test_a_redirect_leads_nowhere(receiver: Receiver) -> None:
    work(1, TicketState.NEW)
    receiver.orders.append((307, {"Location": f"http://127.0.0.1:{receiver.port}/inside"}))

    run()

    assert receiver.asked == ["POST /hook"]
    assert owed() == [1]


def test_an_address_inside_is_not_reached_unless_its_network_is_named(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(1, TicketState.NEW)
    monkeypatch.setenv("AFTERCARE_WEBHOOK_NETWORKS", "10.0.0.0/8")
    get_settings.cache_clear()

    run()

    assert receiver.asked == []
    with transaction() as connection:
        assert [row["last_code"] for row in webhooks.list_all(connection)] == ["address_not_allowed"]


def test_one_receiver_that_hangs_holds_up_no_other(receiver: Receiver) -> None:
    with receiving() as slow:
        subscribe(slow, "slow")
        slow.orders.extend(["hang"] * 50)
        numbers = work(20)

        state = run()

        assert set(receiver.places) == history(numbers)
        assert slow.taken == []
        # When the first was not answered, the others under way were the last.
        assert len(slow.asked) <= 8
        assert "taken" in state.message


def test_a_receiver_that_was_away_gets_all_of_it_when_it_is_back() -> None:
    with receiving() as receiver:
        subscribe(receiver)
    numbers = work(4)
    for seconds in (0, 10):
        run(seconds=seconds)
    with receiving(Receiver(secrets=receiver.secrets, port=receiver.port)) as back:
        run(seconds=100)

        assert set(back.places) == history(numbers)
        assert in_order(back)


def test_a_subscription_that_takes_nothing_for_days_is_paused_and_the_run_is_red(receiver: Receiver) -> None:
    numbers = work(1, TicketState.NEW)
    receiver.orders.extend([500] * 2)
    run()
    state = run(days=3)

    assert state.is_failed()
    # At a moment three days ahead, the receiver believes no signature.
    assert "CRM is paused (401)" in state.message
    assert run(days=4).is_completed()
    with transaction() as connection:
        row = webhooks.list_all(connection)[0]
        assert row["owed"] == 1
        webhooks.resume(connection, row["id"], now=utc_now())
    run()
    assert set(receiver.places) == history(numbers)


def test_a_new_secret_and_the_old_one_both_verify_for_a_day(receiver: Receiver) -> None:
    with transaction() as connection:
        row = webhooks.list_all(connection)[0]
        webhooks.rotate(connection, row["id"], old_until=utc_now() + timedelta(days=1), now=utc_now())
        new = webhooks.get(connection, row["id"])
    numbers = work(1, TicketState.NEW)
    run()
    assert set(receiver.places) == history(numbers)
    assert len(receiver.taken[0]["headers"]["webhook-signature"].split(" ")) == 2

    learn(receiver, new)
    numbers += work(1, TicketState.NEW)
    run()

    assert set(receiver.places) == history(numbers)
    assert receiver.forged == []


def test_a_sender_that_is_shot_loses_nothing(receiver: Receiver) -> None:
    numbers = work(12)
    for _ in range(4):
        receiver.orders.extend([204, "late", "hang"])
        sender = subprocess.Popen([sys.executable, "-c", SENDER], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
        _until_asked(receiver, len(receiver.asked) + 1, sender)
        os.kill(sender.pid, signal.SIGKILL)
        sender.wait()
        _let_the_lease_end()
    receiver.orders.clear()

    for seconds in (0, 10, 100, 270):
        run(seconds=seconds)

    assert set(receiver.places) == history(numbers)
    assert in_order(receiver)
    assert owed() == [0]


def _until_asked(receiver: Receiver, times: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while len(receiver.asked) < times:
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.01)


def _let_the_lease_end() -> None:
    with transaction() as connection:
        connection.execute(text("UPDATE webhook_deliveries SET due_at = :now"), {"now": utc_now()})


def test_what_happens_while_events_are_told_is_told_too(receiver: Receiver) -> None:
    numbers = work(2)
    run()
    with transaction() as connection:
        desk = Desk(connection, written_standard(), utc_now(), read_cast(connection).supervisor)
        for number in numbers:
            desk.give(int(number[3:]), CommandName.ADD_NOTE, note="n")

    run()

    assert set(receiver.places) == history(numbers)
    assert in_order(receiver)
