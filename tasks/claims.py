"""The first step of delivery: claim what is due, decide on each message, and freeze the words of what may leave."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from db import fates, media, outbox, suppressions
from db.events import ERASED, NO_WORDS
from db.rows import Row
from db.session import transaction
from db.standards import get_standard
from domain.courtesy import (
    Before,
    Decision,
    Postpone,
    Recipient,
    Switch,
    Withhold,
    decide,
    is_out_of_date,
    next_morning,
)
from domain.delivery import Remedy
from domain.lifecycle import TicketState
from domain.messages import MESSAGES, Medium, MessageKind
from domain.satisfaction import SurveyState
from domain.segments import sms_size
from domain.standard import Standard
from domain.tickets import Priority, ticket_number
from tasks import words
from tasks.transports import transport
from templates.render import WordsError

# What one claim takes is what a killed sender leaves to be looked up: enough to keep the threads busy, no more.
BATCH = 100
# While this version is replaced, worker by worker: what only the next one can say is left to it.
_KINDS = frozenset(kind.value for kind in MessageKind)
_UNTIL_A_NEWER_ONE_SENDS = timedelta(minutes=1)
# No reason for anybody to call: a survey less, and what is settled.
_AS_IT_SHOULD_BE = frozenset({"declined", "out_of_date", ERASED})


@dataclass(frozen=True, slots=True)
class Letters:
    """Claimed messages of one ticket, or one about none."""

    ticket_number: str | None
    ids: list[int]
    kinds: list[str]


@dataclass(frozen=True)
class Claimed:
    """What one claim took. ``messages``: id, ticket number, kind. ``is_throttled``: more may leave in a moment.

    ``send_by``: on ``time.monotonic``; later nothing of it may leave, because somebody may be looking it up.
    """

    medium: Medium
    messages: list[tuple[int, str | None, str]]
    send_by: float
    is_throttled: bool = False
    is_stopped: bool = False
    other: Counter[str] = field(default_factory=Counter)

    def by_ticket(self) -> list[Letters]:
        """The messages of one ticket together, in their order; those about no ticket one by one."""
        groups: dict[Any, Letters] = {}
        for message_id, number, kind in self.messages:
            letters = groups.setdefault(number or message_id, Letters(number, [], []))
            letters.ids.append(message_id)
            letters.kinds.append(kind)
        return list(groups.values())


def claim_messages(medium: Medium, *, now: datetime) -> Claimed:
    """Claim due messages of a medium: decide on each, freeze their words, mark them sending, in one transaction.

    A message whose words cannot be made is failed with its reason and holds up nobody. Raises SettingsError when the
    medium's transport lacks something; then nothing is claimed.
    """
    provider = transport(medium).name
    standard = get_standard()
    today = now.astimezone(ZoneInfo(standard.organisation.time_zone)).date()
    send_by = time.monotonic() + standard.delivery.unknown_after.total_seconds() / 2
    rate = standard.delivery.per_second[medium]
    with transaction() as connection:
        if not outbox.is_due(connection, medium, now=now):
            return Claimed(medium, [], send_by)
        allowed = media.allowance(connection, medium, per_second=rate, today=today, most=BATCH)
        if not allowed.messages:
            return Claimed(medium, [], send_by, not allowed.is_stopped, allowed.is_stopped)
        rows = outbox.claim(connection, medium, now=now, limit=allowed.messages)
        work = _Claim(connection, medium, standard, now, segments=allowed.segments)
        ready = work.with_words(work.merged(work.decided(rows)))
        look_at = now + standard.delivery.unknown_after
        outbox.freeze(connection, ready, provider=provider, look_at=look_at, now=now)
        media.spend(connection, medium, messages=len(ready), segments=work.segments, today=today)
    taken = [(row["id"], ticket_number(row["ticket_id"]) if row["ticket_id"] else None, row["kind"]) for row in ready]
    return Claimed(medium, taken, send_by, len(rows) == allowed.messages < BATCH, other=work.other)


def give_up(connection: Connection, row: Row, code: str, why: str, *, now: datetime) -> None:
    """Give up a message, keep the reason where staff find it, and let a person tell the customer."""
    outbox.refuse(connection, row["id"], code=code, now=now)
    fates.note(connection, [(row["id"], row["attempts"], "claim", code, why[:500])], now=now)
    fates.tell_staff(connection, row, code, now=now)


@dataclass
class _Claim:
    """The decisions of one claim. ``segments``: SMS segments of this day so far; ``other``: what did not leave."""

    connection: Connection
    medium: Medium
    standard: Standard
    now: datetime
    segments: int
    other: Counter[str] = field(default_factory=Counter)

    def decided(self, rows: Sequence[Row]) -> list[Row]:
        """The messages that may leave now; the others are put off, switched or withheld."""
        suppressed = suppressions.find(
            self.connection, {address for row in rows for address in (row["phone"], row["email"]) if address}
        )
        before = self._before(rows)
        ready: list[Row] = []
        waits: dict[int, datetime] = {}
        withheld: dict[int, str] = {}
        for row in rows:
            if row["kind"] not in _KINDS:
                waits[row["id"]] = self.now + _UNTIL_A_NEWER_ONE_SENDS
                continue
            try:
                decision = self._decision(row, suppressed, before)
            except (LookupError, TypeError, ValueError) as error:  # one row that cannot be read holds up nobody
                self._give_up(row, "unreadable", type(error).__name__)
                continue
            match decision:
                case Postpone(until=until):
                    waits[row["id"]] = until
                case Withhold(code=code):
                    withheld[row["id"]] = code
                    if code not in _AS_IT_SHOULD_BE:
                        fates.tell_staff(self.connection, row, code, now=self.now)
                case Switch(to=to):
                    outbox.switch_medium(self.connection, row["id"], to, now=self.now)
                    self.other["switched"] += 1
                case _:
                    ready.append(row)
                    if row["attempts"] == 0:
                        before["sent", row["customer_id"]].append(self.now)
        self._put_off(waits)
        outbox.withhold(self.connection, withheld, now=self.now)
        self.other["withheld"] += len(withheld)
        return ready

    def _decision(self, row: Row, suppressed: dict[str, Remedy], before: defaultdict[Any, list[datetime]]) -> Decision:
        if row["context"] == NO_WORDS:
            return Withhold(ERASED)
        if self._is_out_of_date(row):
            return Withhold("out_of_date")
        return decide(
            MessageKind(row["kind"]),
            self.medium,
            self._recipient(row, suppressed),
            Before(before["sent", row["customer_id"]], before["news", (row["customer_id"], row["ticket_id"])]),
            priority=Priority(row["priority"]) if row["priority"] else None,
            is_first_attempt=row["attempts"] == 0,
            policy=self.standard.courtesy,
            now=self.now,
        )

    def _give_up(self, row: Row, code: str, why: str) -> None:
        give_up(self.connection, row, code, why, now=self.now)
        self.other["without words"] += 1

    def merged(self, rows: Sequence[Row]) -> list[Row]:
        """The same, with several news of one ticket said in one message."""
        groups: dict[Any, list[Row]] = defaultdict(list)
        for row in rows:
            is_news = MESSAGES[MessageKind(row["kind"])].merges and row["attempts"] == 0
            groups[("news", row["ticket_id"], row["customer_id"]) if is_news else row["id"]].append(row)
        whole = []
        for group in groups.values():
            if len(group) > 1:
                self.other["merged"] += len(group)
                whole.append(outbox.merge(self.connection, group, now=self.now))
            else:
                whole += group
        return whole

    def with_words(self, rows: Sequence[Row]) -> list[Row]:
        """The messages with frozen words and address, as far as the day's SMS segments last."""
        ready: list[Row] = []
        waits: dict[int, datetime] = {}
        for row in rows:
            try:
                said = {} if row["address"] is not None else words.of(row, self.now)
            except WordsError as error:
                self._give_up(row, "words", str(error))
                continue
            row = row | said | {"address": row["phone"] if self.medium is Medium.SMS else row["email"]}
            row["segments"] = sms_size(row["body"]).segments if self.medium is Medium.SMS else None
            cost = row["segments"] or 0
            is_urgent = row["priority"] == Priority.P1
            if self.segments + cost > self.standard.courtesy.sms_segments_per_day and cost and not is_urgent:
                self._out_of_segments(row, waits)
                continue
            self.segments += cost
            ready.append(row)
        self._put_off(waits)
        return ready

    def _out_of_segments(self, row: Row, waits: dict[int, datetime]) -> None:
        if row["email"] and not suppressions.find(self.connection, [row["email"]]):
            outbox.switch_medium(self.connection, row["id"], Medium.EMAIL, now=self.now)
            self.other["switched: day's segments are used up"] += 1
            return
        zone = row["time_zone"] or self.standard.organisation.time_zone
        waits[row["id"]] = next_morning(zone, self.standard.courtesy, now=self.now)

    def _put_off(self, waits: dict[int, datetime]) -> None:
        outbox.postpone(self.connection, waits)
        self.other["postponed"] += len(waits)

    def _before(self, rows: Sequence[Row]) -> defaultdict[Any, list[datetime]]:
        """By customer what they were sent in the last day, by customer and ticket the news."""
        found: defaultdict[Any, list[datetime]] = defaultdict(list)
        customers = sorted({row["customer_id"] for row in rows if row["customer_id"] is not None})
        since = self.now - timedelta(days=1)
        for sent in outbox.sent_since(self.connection, customers, since=since):
            found["sent", sent["customer_id"]].append(sent["sending_at"])
            if sent["is_news"]:
                found["news", (sent["customer_id"], sent["ticket_id"])].append(sent["sending_at"])
        return found

    def _recipient(self, row: Row, suppressed: dict[str, Remedy]) -> Recipient:
        addresses = {Medium.SMS: row["phone"], Medium.EMAIL: row["email"]}
        return Recipient(
            addresses={medium: address for medium, address in addresses.items() if address},
            suppressed={medium: suppressed[address] for medium, address in addresses.items() if address in suppressed},
            time_zone=row["time_zone"] or self.standard.organisation.time_zone,
            has_declined=row["has_declined"],
        )

    def _is_out_of_date(self, row: Row) -> bool:
        return is_out_of_date(
            MessageKind(row["kind"]),
            row["context"],
            state=TicketState(row["ticket_state"]) if row["ticket_state"] else None,
            plan_revision=row["plan_revision"],
            completion_no=row["completion_no"],
            survey=SurveyState(row["survey_state"]) if row["survey_state"] else None,
            was_held=row["send_after"] > row["queued_at"],
            now=self.now,
        )
