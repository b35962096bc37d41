"""What is left to do, and whether everything is as it should be: each ticket, life, follow-up, message and breach once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.chaos.lives import UNATTENDED
from benchmarks.chaos.rules import Success

# The standard of this load: what can be owed comes due within minutes, an unclear fate is looked up soon.
STANDARD = """
[priorities.P1]
response = "60s"

[delivery]
unknown_after = "20s"
look_up_after = ["5s", "10s"]
per_second = { sms = 1000, email = 1000 }

[courtesy]
quiet_from = 00:00:00
quiet_until = 00:00:00
merge_within = "1s"
messages_per_customer_and_day = 1000
"""
_LEFT = {
    "events to follow up": "SELECT count(*) FROM pending_events",
    "messages to hand over": "SELECT count(*) FROM messages WHERE state = 'queued' AND send_after <= now()",
    "messages in doubt": "SELECT count(*) FROM messages WHERE state = 'sending' OR look_at <= now() + interval '1 min'",
    "alarms to raise": "SELECT count(*) FROM sla_clocks WHERE next_alarm_at <= now()",
    "breaches to come": "SELECT count(*) FROM sla_clocks c JOIN tickets t ON t.id = c.ticket_id WHERE t.priority = 'P1' "
    "AND c.kind = 'response' AND c.stopped_at IS NULL AND c.breached_at IS NULL",
}


class Ledger:
    """Reads the database of a run; connections of its own, because the database may have been restarted."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, pool_pre_ping=True)

    def rows(self, query: str) -> list[Any]:
        """The rows of a query."""
        with self._engine.connect() as connection:
            return list(connection.execute(text(query)))

    def left(self) -> dict[str, int]:
        """What is still to be done, without what is nothing."""
        counts = {what: self.rows(query)[0][0] for what, query in _LEFT.items()}
        return {what: count for what, count in counts.items() if count}

    def wait_until_awake(self, *, seconds: float) -> None:
        """Wait until the first message is handed over. Raises TimeoutError."""
        started = time.monotonic()
        while not self.handovers():
            if time.monotonic() - started > seconds:
                raise TimeoutError(f"no message was handed over within {seconds:.0f} s")
            time.sleep(1)

    def wait_until_quiet(self, *, seconds: float) -> dict[str, int]:
        """Wait until nothing is left to do; returns what still is after so many seconds."""
        until = time.monotonic() + seconds
        while (left := self.left()) and time.monotonic() < until:
            time.sleep(2)
        return left

    def handovers(self) -> list[Success]:
        """Each message that need not wait for other news: when it was owed, when it was handed over."""
        query = (
            "SELECT extract(epoch FROM m.queued_at), extract(epoch FROM b.received_at) FROM messages m "
            "JOIN mailbox_entries b ON b.message_id = m.id "
            "WHERE m.kind IN ('ticket_received', 'staff_assigned', 'staff_sla_breach')"
        )
        return [Success(float(owed), float(handed)) for owed, handed in self.rows(query)]

    def since(self, moment: float) -> dict[str, int]:
        """What was taken and handed over after a moment."""
        columns = {
            "tickets taken": ("tickets", "opened_at"),
            "messages handed over": ("mailbox_entries", "received_at"),
        }
        query = "SELECT count(*) FROM {} WHERE {} > to_timestamp({})"
        return {what: self.rows(query.format(*column, moment))[0][0] for what, column in columns.items()}

    def faults(self, opened: Mapping[int, str]) -> list[str]:
        """What is lost, doubled or not at its end; empty: all is well. ``opened``: what the API said to each life."""
        attended = {number for life, number in opened.items() if life % UNATTENDED}
        stored = Counter(f"{row[0]}: {row[1]}" for row in self.rows("SELECT number, description FROM tickets"))
        wanted = Counter(f"{number}: The fridge leaks, case {life}" for life, number in opened.items())
        states = {row[0]: row[1] for row in self.rows("SELECT number, state FROM tickets")}
        found = {
            "a ticket that was accepted is not there, or not as it was given": wanted - stored,
            "a ticket is there that nobody was told of": stored - wanted,
            "a life is not at its end": [n for n in attended if states.get(n) != "closed"],
            "an event was not followed up": self.rows("SELECT ticket_id FROM pending_events"),
            "acknowledged or assigned not exactly once": self.rows(
                "SELECT ticket_id, kind, count(e.id) FROM tickets t CROSS JOIN (VALUES ('acknowledge'), ('assign')) k "
                "(wanted) LEFT JOIN ticket_events e ON e.ticket_id = t.id AND e.kind = k.wanted "
                "GROUP BY t.id, k.wanted, ticket_id, kind HAVING count(e.id) <> 1"
            ),
            "a step of a life was done not exactly once": self.rows(
                "SELECT ticket_id, kind, count(*) FROM ticket_events WHERE kind IN ('first_contact', 'propose_plan', "
                "'agree_plan', 'log_step', 'complete', 'confirm_completion') "
                "GROUP BY ticket_id, kind HAVING count(*) <> 1"
            ),
            "a message was handed over twice, or never": self.rows(
                "SELECT m.id, m.kind, m.state, count(b.id) FROM messages m LEFT JOIN mailbox_entries b ON b.message_id = m.id "
                "WHERE m.state NOT IN ('unknown', 'queued') GROUP BY m.id "
                "HAVING count(b.id) <> CASE WHEN m.state IN ('delivered', 'accepted') THEN 1 ELSE 0 END"
            ),
            "a message failed, or was withheld for another reason than that it was out of date": self.rows(
                "SELECT id, kind, error_code FROM messages WHERE state = 'failed' "
                "OR state = 'withheld' AND error_code IS DISTINCT FROM 'out_of_date'"
            ),
            "a ticket has not one acknowledgement": self.rows(
                "SELECT t.id, count(m.id) FROM tickets t LEFT JOIN messages m ON m.ticket_id = t.id "
                "AND m.kind = 'ticket_received' GROUP BY t.id HAVING count(m.id) <> 1"
            ),
            "a breach was told not exactly once": self.rows(
                "SELECT t.number, count(e.id) FROM tickets t LEFT JOIN ticket_events e ON e.ticket_id = t.id AND "
                "e.kind = 'sla_breached' AND e.facts->>'clock' = 'response' WHERE t.priority = 'P1' "
                "GROUP BY t.number HAVING count(e.id) <> 1"
            ),
            "an alarm was raised twice": self.rows(
                "SELECT ticket_id, facts->>'clock', facts->>'round', facts->>'share' FROM ticket_events "
                "WHERE kind LIKE 'sla_%' GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
            ),
        }
        return [f"{what}: {len(those)}, first {list(those)[:3]}" for what, those in found.items() if those]

    def counts(self) -> dict[str, int]:
        """What there is in the end."""
        tables = {"tickets": "tickets", "events": "ticket_events", "handed over": "mailbox_entries"}
        counts = {what: self.rows(f"SELECT count(*) FROM {table}")[0][0] for what, table in tables.items()}
        states = self.rows("SELECT state, count(*) FROM messages GROUP BY state")
        alarms = self.rows("SELECT kind, count(*) FROM ticket_events WHERE kind LIKE 'sla_%' GROUP BY kind")
        return counts | {f"messages {state}": count for state, count in states} | dict(map(tuple, alarms))
