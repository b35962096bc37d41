"""Two thousand messages through the real SDKs to vendors that fail in every way, while senders are shot."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from clock import utc_now
from db import fates, inbox, messages, outbox
from db.models import Customer, Message
from db.outbox import NewMessage
from db.session import engine, transaction
from domain.delivery import MessageState, read_mark
from domain.messages import Medium, MessageKind
from tests.vendors.fixtures import Vendors, free_port
from tests.vendors.sendgrid_api import API_KEY
from tests.vendors.twilio_api import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER

pytestmark = [pytest.mark.prefect, pytest.mark.kill, pytest.mark.xdist_group("delivery"), pytest.mark.timeout(900)]
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CUSTOMERS, EACH, KILLS = 300, 7, 12
PUBLIC = "https://care.example.com"
# Out of a hundred requests this many go wrong in each way.
SENDS = {
    "429": 0.04,
    "503_before": 0.01,
    "503_after": 0.02,
    "drop_before": 0.01,
    "drop_after": 0.03,
    "hang_before": 0.01,
    "hang_after": 0.02,
    "garbled_after": 0.01,
}
LOOK_UPS = {"503_before": 0.05, "429": 0.05}


def fill(now: datetime) -> None:
    """Customers with one address each, half by SMS, half by mail, and their messages."""
    for number in range(CUSTOMERS):
        by_sms = number % 2 == 0
        address = {"phone": f"+86138{number:08d}"} if by_sms else {"email": f"reader{number}@example.com"}
        values = {"name": f"C{number}", "language": "en", "time_zone": "UTC", "created_at": now, **address}
        with transaction() as connection:
            customer = connection.execute(Customer.__table__.insert().values(**values).returning(Customer.id))
            customer_id = customer.scalar_one()
            medium = Medium.SMS if by_sms else Medium.EMAIL
            queued = [message(customer_id, medium, f"{number}-{turn}") for turn in range(EACH)]
            outbox.queue(connection, queued, now=now)


def message(customer_id: int, medium: Medium, mark: str) -> NewMessage:
    """The answer to a customer's second report: neither the night nor other news holds it back."""
    context = {"ticket_number": f"TK-{customer_id:08d}", "customer_name": "C", "subject": f"Case {mark}"}
    context |= {"category": "product_fault", "priority": "P2"}
    context |= dict.fromkeys(("respond_by", "resolve_by", "assignee_name"))
    return NewMessage(f"m {mark}", MessageKind.TICKET_JOINED, medium, "en", context, customer_id=customer_id)


@contextmanager
def pages(port: int) -> Iterator[None]:
    """The web process that takes the vendors' callbacks."""
    command = [sys.executable, "-m", "uvicorn", "web.app:create_app", "--factory", "--port", str(port)]
    process = subprocess.Popen([*command, "--no-access-log", "--log-level", "warning"], cwd=ROOT)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def start(rounds: int = 1000) -> subprocess.Popen[bytes]:
    env = os.environ | {"PYTHONPATH": str(ROOT), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    command = [sys.executable, str(HERE / "senders.py"), str(rounds)]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def shoot(seed: int) -> int:
    """Keep two senders running and shoot one after the other, most of them at work; returns the kills."""
    dice = random.Random(seed)
    senders = [(start(), time.monotonic()) for _ in range(2)]
    kills = 0
    while kills < KILLS:
        time.sleep(dice.uniform(0.1, 0.8))
        index = dice.randrange(2)
        process, since = senders[index]
        if process.poll() is None and time.monotonic() - since < dice.uniform(3.0, 6.0):
            continue
        kills += process.poll() is None
        process.kill()
        process.wait()
        senders[index] = (start(), time.monotonic())
    for process, _ in senders:
        process.kill()
        process.wait()
    return kills


def is_settled() -> bool:
    """Whether nothing is under way, in doubt or waiting to be handled."""
    with transaction() as connection:
        waiting = connection.execute(
            select(Message.id)
            .where(
                Message.state.in_([MessageState.QUEUED.value, MessageState.SENDING.value])
                | ((Message.state == MessageState.UNKNOWN.value) & Message.look_at.is_not(None))
            )
            .limit(1)
        ).first()
        return waiting is None and not inbox.count_pending(connection)


def test_every_message_arrives_once_or_says_that_its_fate_is_unknown(
    product: str, vendors: Vendors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    settings = {
        "AFTERCARE_STANDARD": str(HERE / "delivery_standard.toml"),
        "AFTERCARE_PUBLIC_URL": PUBLIC,
        "AFTERCARE_SECRET_KEY": "the key of the delivery test",
        "AFTERCARE_SMS": "twilio",
        "AFTERCARE_EMAIL": "sendgrid",
        "AFTERCARE_VENDOR_TIMEOUT": "1",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_FROM": OUR_NUMBER,
        "TWILIO_API_BASE_URL": vendors.url,
        "SENDGRID_API_KEY": API_KEY,
        "SENDGRID_FROM": "care@example.com",
        "SENDGRID_API_BASE_URL": vendors.url,
        "SENDGRID_WEBHOOK_PUBLIC_KEY": vendors.public_key(),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    fill(utc_now())
    vendors.knobs(
        latency_ms=30, hang_s=3, lag_s=1.5, late_ms=1500, twice=0.2, lost=0.3, deliver_to=f"http://127.0.0.1:{port}"
    )
    vendors.knobs(public_url=PUBLIC)
    vendors.chances(twilio_send=SENDS, sendgrid_send=SENDS, twilio_lookup=LOOK_UPS, sendgrid_lookup=LOOK_UPS)

    with pages(port):
        kills = shoot(seed=20261125)
        until = time.monotonic() + 360
        sender = start()
        while not is_settled() and time.monotonic() < until:
            time.sleep(1)
        time.sleep(3)  # callbacks that are still on their way
        while not is_settled() and time.monotonic() < until:
            time.sleep(1)
        sender.kill()
        sender.wait()

    arrived: defaultdict[int, int] = defaultdict(int)
    for vendor in ("twilio", "sendgrid"):
        for mark, times in vendors.stored(vendor).items():
            arrived[(read_mark(mark) or (0, 0))[0]] += times
    with engine(product).connect() as connection:
        rows = connection.execute(select(Message.id, Message.state, Message.resent_at)).all()
    states = Counter(row.state for row in rows)
    times = Counter((row.state, arrived[row.id]) for row in rows)
    print(
        f"{len(rows)} messages, {kills} senders shot, {dict(vendors.counts()['faults'])}: states {dict(states)}, "
        f"arrivals {dict(times)}, sent again after two empty looks {sum(row.resent_at is not None for row in rows)}"
    )
    assert len(rows) == CUSTOMERS * EACH
    assert kills >= KILLS
    said_to_have_arrived = {MessageState.ACCEPTED, MessageState.DELIVERED}
    assert set(states) <= said_to_have_arrived | {MessageState.UNKNOWN}
    assert {count for state, count in times if state in said_to_have_arrived} == {1}
    assert all(count <= 1 for _, count in times)
    assert states[MessageState.UNKNOWN] <= len(rows) / 10  # those whose senders were shot twice before they left
    with engine(product).connect() as connection:
        unknown = [row.id for row in rows if row.state == MessageState.UNKNOWN]
        assert all(fates.story(connection, message_id) for message_id in unknown)
        shown = {row["id"] for row in messages.list_in(connection, [MessageState.UNKNOWN], limit=1000)}
        assert shown == set(unknown)
