"""Messages per second through ``message_delivery`` and Twilio's SDK to a local vendor, beside the bare SDK."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import httpx
from sqlalchemy import func, insert, select

from benchmarks.database import NOW, Bench
from channels.base import Outgoing
from channels.twilio_sms import TwilioSms
from cli import stack
from cli.demo import free_port
from db import outbox
from db.models import Customer, Message
from db.outbox import NewMessage
from db.session import database_url, engine, transaction
from domain.messages import Medium, MessageKind
from settings import get_settings, written_standard
from tests.vendors import fixtures
from tests.vendors.twilio_api import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER

MESSAGES = 6_000
BARE = 3_000
PROCESSES = 2
_STANDARD = """
[delivery]
per_second = { sms = 10000, email = 10000 }
"""
_DRAIN = """
import sys
from datetime import datetime
from flows.message_delivery import message_delivery
now = datetime.fromisoformat(sys.argv[1])
message_delivery(now=datetime.fromisoformat("2020-01-01T00:00:00+00:00"))
print("ready", flush=True)
sys.stdin.readline()
message_delivery(now=now)
"""


def measure(bench: Bench) -> dict[str, float]:
    """The same vendor, which answers in 50 ms, for both; as many threads for the bare SDK as the senders have."""
    server, url = fixtures.start(bench.folder / "vendors.log", "--latency-ms", "50")
    try:
        bare = _bare(url)
        ours = _ours(bench, url)
    finally:
        server.terminate()
        server.wait(timeout=10)
    return {"messages_per_s": ours, "messages_vs_sdk": ours / bare}


def _bare(url: str) -> float:
    from tasks.messages import SENDERS

    program = (
        "import sys, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from benchmarks.delivery import send_bare\n"
        "url, first, count, threads = sys.argv[1], *map(int, sys.argv[2:])\n"
        "with ThreadPoolExecutor(threads) as pool:\n"
        "    list(pool.map(lambda n: send_bare(url, n), range(threads)))\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.readline()\n"
        "    list(pool.map(lambda n: send_bare(url, n), range(first, first + count)))\n"
    )
    share = BARE // PROCESSES
    arguments = [[url, str(10**6 * (n + 1)), str(share), str(SENDERS)] for n in range(PROCESSES)]
    return BARE / _together([[sys.executable, "-c", program, *each] for each in arguments])


def send_bare(url: str, number: int) -> None:
    """One SMS by the vendor's SDK alone."""
    message = Outgoing(number, 1, Medium.SMS, _phone(number), None, f"Case {number}", None)
    outcome = _transport(url).send(message, now=NOW)
    assert type(outcome).__name__ == "Accepted", outcome


@cache
def _transport(url: str) -> TwilioSms:
    return TwilioSms(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, sender=OUR_NUMBER, api_base_url=url)


def _phone(number: int) -> str:
    return f"+86138{number % 10**8:08d}"


def _ours(bench: Bench, vendor: str) -> float:
    url = bench.fresh("bench_delivery")
    standard = bench.folder / "delivery.toml"
    standard.write_text(_STANDARD)
    os.environ |= {
        "AFTERCARE_HOME": str(bench.folder / "home"),
        "AFTERCARE_DATABASE_URL": url.replace("+psycopg", ""),
        "AFTERCARE_PREFECT_PORT": str(free_port(0)),
        "AFTERCARE_STANDARD": str(standard),
        "AFTERCARE_SMS": "twilio",
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_FROM": OUR_NUMBER,
        "TWILIO_API_BASE_URL": vendor,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    for cached in (get_settings, written_standard, database_url):
        cached.cache_clear()
    settings = get_settings()
    env = stack.environment(settings, url)
    supervisor = stack.Supervisor(settings.home, stack.programs(settings)[:1], env)
    supervisor.start()
    try:
        stack.wait_until_up(f"{settings.prefect_url}/api/health", supervisor, "prefect-server", seconds=180)
        os.environ |= env | {"PREFECT_LOGGING_LEVEL": "WARNING"}
        _queue(url)
        seconds = _together([[sys.executable, "-c", _DRAIN, NOW.isoformat()] for _ in range(PROCESSES)])
    finally:
        supervisor.stop()
        for name in ("AFTERCARE_SMS", "AFTERCARE_STANDARD"):
            os.environ.pop(name)
    _require_each_once(url, vendor)
    return MESSAGES / seconds


def _queue(url: str) -> None:
    context = {"ticket_number": "TK-00000001", "customer_name": "C", "category": "product_fault", "priority": "P2"}
    context |= dict.fromkeys(("respond_by", "resolve_by", "assignee_name"))
    values = {"language": "en", "time_zone": "UTC", "created_at": NOW}
    with transaction(url) as connection:
        rows = [{"name": "C", "phone": _phone(number), **values} for number in range(MESSAGES)]
        connection.execute(insert(Customer), rows)
        for number, customer_id in enumerate(connection.execute(select(Customer.id)).scalars()):
            words = context | {"subject": f"Case {number}"}
            kind = MessageKind.TICKET_JOINED
            message = NewMessage(f"m{number}", kind, Medium.SMS, "en", words, customer_id=customer_id)
            outbox.queue(connection, [message], now=NOW)


def _require_each_once(url: str, vendor: str) -> None:
    """The figure counts only if nothing was lost or doubled."""
    with engine(url).connect() as connection:
        accepted = connection.execute(select(func.count()).where(Message.state == "accepted")).scalar_one()
    state = httpx.get(f"{vendor}/control/messages", trust_env=False).json()["twilio"]
    numbers = [message["to"] for message in state if "TK-00000001" in message["body"]]
    assert (accepted, len(numbers), len(set(numbers))) == (MESSAGES, MESSAGES, MESSAGES), (accepted, len(numbers))
    engine(url).dispose()


def _together(commands: list[list[str]]) -> float:
    """Start processes, wait until each is ready, let them go, and return the seconds until all are done."""
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for command in commands
    ]
    with ThreadPoolExecutor(len(processes)) as pool:
        list(pool.map(_until_ready, processes))
    started = time.perf_counter()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.close()
    assert [process.wait(timeout=600) for process in processes] == [0] * len(processes)
    return time.perf_counter() - started


def _until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    while line := process.stdout.readline():
        if line.startswith("ready"):
            return
    raise AssertionError("a process ended before it was ready")
