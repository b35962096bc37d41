"""The local vendors behave as life does: late, twice, never, and the same way again for the same seed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.vendors.faults import Faults
from tests.vendors.fixtures import PATIENCE, Vendors, start, vendor_server, vendors
from tests.vendors.twilio_api import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER

__all__ = ["vendor_server", "vendors"]

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
FORM = {"To": "+8613800138000", "From": OUR_NUMBER, "Body": "hi"}
CALLBACK = "https://aftercare.example/webhooks/twilio/status?mid=1-1#rc=5&rp=all"


@dataclass
class Receiver:
    """Somebody whom the vendors call; refuses the first ``refusing`` calls."""

    url: str = ""
    refusing: int = 0
    calls: list[str] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP server that counts who calls."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.calls.append(f"{self.path} {body.decode()}")
            self.send_response(503 if len(receiver.calls) <= receiver.refusing else 204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


def _send(vendors: Vendors, **form: str) -> httpx.Response:
    return vendors.http.post(MESSAGES, data=FORM | form, auth=(ACCOUNT_SID, AUTH_TOKEN))


def _until_quiet(vendors: Vendors, receiver: Receiver, calls: int) -> Counter[str]:
    """Wait until so many calls came and none is under way; returns how often each status was told."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and (len(receiver.calls) < calls or vendors.counts()["callbacks_under_way"]):
        time.sleep(0.01)
    return Counter(word for call in receiver.calls for word in ("sent", "delivered") if f"MessageStatus={word}" in call)


def test_callbacks_come_to_the_path_that_was_signed(vendors: Vendors, receiver: Receiver) -> None:
    vendors.knobs(deliver_to=receiver.url)
    _send(vendors, StatusCallback=CALLBACK)

    assert _until_quiet(vendors, receiver, 2) == {"sent": 1, "delivered": 1}
    assert all(call.startswith("/webhooks/twilio/status?mid=1-1 ") for call in receiver.calls)


def test_a_callback_that_is_not_taken_comes_again(vendors: Vendors, receiver: Receiver) -> None:
    receiver.refusing = 3
    vendors.knobs(deliver_to=receiver.url, retry_ms=5)
    _send(vendors, StatusCallback=CALLBACK)

    told = _until_quiet(vendors, receiver, 5)

    assert told.total() == 5
    assert vendors.counts()["callbacks"]["delivered"] == 2


def test_a_callback_may_come_twice_or_never(vendors: Vendors, receiver: Receiver) -> None:
    vendors.knobs(deliver_to=receiver.url, twice=1.0)
    _send(vendors, StatusCallback=CALLBACK)
    assert _until_quiet(vendors, receiver, 4) == {"sent": 2, "delivered": 2}

    vendors.knobs(lost=1.0)
    _send(vendors, StatusCallback=CALLBACK)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and vendors.counts()["callbacks"].get("lost", 0) < 2:
        time.sleep(0.01)
    assert len(receiver.calls) == 4


def test_an_sms_to_us_comes_to_the_inbound_address(vendors: Vendors, receiver: Receiver) -> None:
    vendors.knobs(deliver_to=receiver.url)
    sid = vendors.inbound("+8613800138000", "好的")
    _until_quiet(vendors, receiver, 1)

    (call,) = receiver.calls
    assert call.startswith("/webhooks/twilio/inbound ")
    assert sid in call


def test_what_goes_wrong_by_chance_is_the_same_for_the_same_seed() -> None:
    def drawn(seed: int) -> list[str | None]:
        faults = Faults(seed)
        faults.set_chances({"twilio.send": {"429": 0.2, "503_after": 0.3}})
        return [fault.kind if (fault := faults.draw("twilio.send")) else None for _ in range(1_000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 150 < drawn(1).count("429") < 250
    assert 250 < drawn(1).count("503_after") < 350


def test_a_fault_or_a_knob_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault"):
        Faults(1).set_chances({"twilio.send": {"earthquake": 0.1}})


def test_the_command_line_sets_chances_and_knobs(tmp_path: Path) -> None:
    process, url = start(tmp_path / "log", "--fault", "429=0.25", "--fault", "twilio.lookup:502_html=1", "--lag-s", "3")
    try:
        chances = httpx.get(f"{url}/control/faults", trust_env=False).json()["chances"]
        knobs = httpx.get(f"{url}/control/knobs", trust_env=False).json()
    finally:
        process.terminate()
        process.wait(timeout=10)

    assert chances["twilio.send"] == chances["sendgrid.send"] == {"429": 0.25}
    assert chances["twilio.lookup"] == {"502_html": 1.0}
    assert (knobs["lag_s"], knobs["logs_bought"]) == (3.0, True)


def test_a_request_that_breaks_the_vendors_specification_is_remembered(vendors: Vendors, shared_material: Path) -> None:
    _send(vendors, StatusCallback=CALLBACK)
    assert vendors.violations() == []

    _send(vendors, ValidityPeriod="abc")

    (violation,) = vendors.violations()
    assert "Messages.json" in violation
    vendors.reset()


@pytest.mark.parametrize(
    ("form", "code"),
    [({"Body": ""}, 21619), ({"From": ""}, 21603), ({"Body": "x" * 1601}, 21617), ({"To": "+15005550009"}, 21614)],
)
def test_the_rules_of_life_hold(vendors: Vendors, form: dict[str, str], code: int) -> None:
    answer = _send(vendors, **form)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    vendors.reset()


def test_a_wrong_token_is_turned_away(vendors: Vendors) -> None:
    answer = vendors.http.post(MESSAGES, data=FORM, auth=(ACCOUNT_SID, "wrong"))

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
