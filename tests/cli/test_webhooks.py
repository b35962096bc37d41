"""Other systems that are told of events, as the operator sees them."""

from __future__ import annotations

from clock import utc_now
from db import webhooks
from db.session import transaction
from tests.cli.conftest import Console


def _subscribe(console: Console) -> int:
    with transaction(console.database) as connection:
        row = webhooks.subscribe(
            connection, "the CRM", "https://crm.example.com/hook", kinds=["opened"], created_by=None, now=utc_now()
        )
        return int(row["id"])


def test_nobody_is_told_until_somebody_subscribes(console: Console) -> None:
    assert "Nobody is told" in console.succeed("webhook", "list")


def test_a_paused_subscription_says_why_and_is_resumed(console: Console) -> None:
    known = _subscribe(console)
    console.succeed("ticket", "open", "空调不制冷", "--name", "王丽", "--email", "w@example.com")
    with transaction(console.database) as connection:
        webhooks.pause(connection, known, "503", now=utc_now())
    paused = console.succeed("webhook", "list")
    doctor = console.run("doctor").stdout

    resumed = console.succeed("webhook", "resume", str(known))

    assert "https://crm.example.com/hook" in paused
    assert "paused: 503" in paused
    assert "the CRM is paused: 503" in doctor
    assert "owed 1" in resumed
    assert "paused" not in console.succeed("webhook", "list")


def test_a_subscription_ends(console: Console) -> None:
    known = _subscribe(console)

    console.succeed("webhook", "end", str(known))

    assert "Nobody is told" in console.succeed("webhook", "list")
    assert "no subscription has the id" in console.refuse("webhook", "end", str(known))
    assert "no subscription has the id" in console.refuse("webhook", "resume", "99")
