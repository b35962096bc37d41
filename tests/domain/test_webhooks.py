"""What other systems are told, how it is signed, where it may go, and when it is tried again."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from domain.exceptions import InvalidInputError
from domain.webhooks import (
    LONGEST_WAIT,
    Verdict,
    check_url,
    headers,
    may_be_reached,
    payload,
    read_status,
    secret_of,
    signature,
    wait_after,
    written_secret,
)

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
INSIDE = [ip_network("10.1.0.0/16"), ip_network("127.0.0.0/8"), ip_network("fd00::/8")]


class TestTheSignature:
    def test_is_that_of_standard_webhooks(self) -> None:
        # The example of its own libraries.
        secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        at = datetime.fromtimestamp(1614265330, UTC)

        signed = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')

        assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_is_made_with_each_secret_that_is_valid(self) -> None:
        new, old = (secret_of("key", salt) for salt in (b"1", b"2"))

        both = signature([new, old], "m", NOW, b"{}").split(" ")

        assert both == [signature([new], "m", NOW, b"{}"), signature([old], "m", NOW, b"{}")]

    def test_needs_the_house_key_and_the_salt(self) -> None:
        known = secret_of("key", b"salt")

        assert len({known, secret_of("other", b"salt"), secret_of("key", b"pepper")}) == 3
        assert b64decode(written_secret(known).removeprefix("whsec_")) == known
        assert len(known) == 32

    def test_comes_with_the_moment_of_the_try(self) -> None:
        sent = headers([b"k"], "TK-00000001_2", NOW, b"{}")

        assert (sent["webhook-id"], sent["webhook-timestamp"]) == ("TK-00000001_2", str(int(NOW.timestamp())))


def test_nothing_that_people_said_and_nobody_is_told() -> None:
    event = {
        "ticket_number": "TK-00000001",
        "seq": 2,
        "kind": "log_step",
        "at": NOW,
        "to_state": "in_work",
        "actor_role": "customer",
        "actor_id": 7,
        "payload": {"step": "王丽 13800138000"},
        "facts": {"x": "y"},
    }

    told = json.loads(payload(event))

    assert told == {
        "type": "ticket.log_step",
        "timestamp": "2026-11-26T02:00:00Z",
        "data": {
            "ticket": "TK-00000001",
            "seq": 2,
            "kind": "log_step",
            "state": "in_work",
            "actor_role": "customer",
        },
    }


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.TAKEN),
        (202, Verdict.TAKEN),
        (204, Verdict.TAKEN),
        (301, Verdict.REFUSED),
        (307, Verdict.REFUSED),
        (400, Verdict.REFUSED),
        (404, Verdict.REFUSED),
        (410, Verdict.GONE),
        (429, Verdict.OUT_OF_REACH),
        (500, Verdict.REFUSED),
        (502, Verdict.OUT_OF_REACH),
        (503, Verdict.OUT_OF_REACH),
        (504, Verdict.OUT_OF_REACH),
        (100, Verdict.REFUSED),
    ],
)
def test_a_status_says_what_to_do(status: int, verdict: Verdict) -> None:
    assert read_status(status, None, now=NOW).verdict is verdict


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("120", timedelta(minutes=2)),
        ("Thu, 26 Nov 2026 02:05:00 GMT", timedelta(minutes=5)),
        ("Thu, 26 Nov 2026 01:00:00 GMT", None),
        ("999999999999999999999", LONGEST_WAIT),
        ("Thu, 26 Nov 2099 02:05:00 GMT", LONGEST_WAIT),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
        ("", None),
        (None, None),
    ],
)
def test_how_long_a_receiver_asks_to_wait(header: str | None, asked: timedelta | None) -> None:
    assert read_status(429, header, now=NOW).asked == asked


def test_the_waits_grow_and_are_never_shorter_than_asked() -> None:
    waits = [wait_after(failures, jitter=0) for failures in range(1, 9)]

    assert waits == sorted(waits)
    assert waits[0] == timedelta(seconds=5)
    assert waits[-1] == timedelta(hours=2)
    assert wait_after(1, jitter=1) == timedelta(seconds=6.25)
    assert wait_after(1, jitter=0, asked=timedelta(hours=1)) == timedelta(hours=1)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_what_is_not_public_is_not_reached(address: str) -> None:
    assert not may_be_reached(address, [])


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_what_is_public_is_reached(address: str) -> None:
    assert may_be_reached(address, [])


@pytest.mark.parametrize(
    ("address", "is_reached"),
    [("10.1.2.3", True), ("10.2.0.1", False), ("::ffff:10.1.2.3", True), ("fd00::1", True), ("169.254.169.254", False)],
)
def test_a_network_of_ones_own_is_reached_when_it_is_named(address: str, is_reached: bool) -> None:
    assert may_be_reached(address, INSIDE) is is_reached


@pytest.mark.parametrize(
    "url",
    [
        "",
        "crm",
        "//crm.example.com",
        "ftp://crm.example.com",
        "file:///etc/passwd",
        "gopher://crm.example.com",
        "http://crm.example.com",
        "http://127.0.0.1/x",
        "https://",
        "https:///x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://user:secret@crm.example.com",
        "https://crm.example.com/#x",
        "https://crm.example.com:0/",
        "https://crm.example.com:99999/",
        "https://crm.example.com/a b",
        "https://crm.example.com/a\r\nX: y",
        "https://crm.example.com/\x00",
        "https://例子.example.com/",
        "https://[::1/",
        "https://crm.example.com\\@127.0.0.1/",
    ],
)
def test_an_address_that_cannot_be_told_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        check_url(url, [])

    assert refusal.value.field == "url"


@pytest.mark.parametrize(
    "url", ["https://crm.example.com/hooks?x=1", "https://8.8.8.8:8443/", "HTTPS://crm.example.com"]
)
def test_a_public_address_is_taken(url: str) -> None:
    check_url(url, [])


def test_without_tls_only_a_number_of_a_named_network() -> None:
    check_url("http://127.0.0.1:8000/hook", INSIDE)
    check_url("https://10.1.0.5/hook", INSIDE)
    for url in ("http://localhost:8000/hook", "http://8.8.8.8/", "http://10.2.0.1/"):
        with pytest.raises(InvalidInputError):
            check_url(url, INSIDE)
