"""After a backup was restored: what was owed may have left since, and is looked up before it leaves again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from channels.registry import chosen
from db import outbox
from db.events import ERASED, NO_WORDS
from db.rows import Row
from db.session import transaction
from domain.messages import Medium
from settings import get_settings
from tasks import words
from tasks.claims import BATCH, give_up
from templates.render import WordsError


def doubt_what_was_owed(*, now: datetime) -> int:
    """Put each message that is due into the hands of a sender who will never answer; returns how many.

    So they are looked up at once (``db/doubts.py``): what left is found at the vendor by its mark, what is twice not
    found leaves once, and where nobody can be asked a person decides. What comes due later has not left, and stays.
    """
    held = 0
    for medium in Medium:
        while due := _doubt(medium, now):
            held += due
    return held


def _doubt(medium: Medium, now: datetime) -> int:
    with transaction() as connection:
        rows = outbox.claim(connection, medium, now=now, limit=BATCH)
        if rows:
            ready = list(_with_words(connection, medium, rows, now))
            provider, since = chosen(medium, get_settings()).value, min(row["send_after"] for row in rows)
            outbox.freeze(connection, ready, provider=provider, look_at=now, now=since)
    return len(rows)


def _with_words(connection: Connection, medium: Medium, rows: Sequence[Row], now: datetime) -> Iterator[Row]:
    for row in rows:
        address = row["address"] or row["phone" if medium is Medium.SMS else "email"]
        if row["context"] == NO_WORDS:
            outbox.withhold(connection, {row["id"]: ERASED}, now=now)
        elif address is None:
            give_up(connection, row, "no_address", "restored", now=now)
        else:
            try:
                said = {} if row["address"] is not None else words.of(row, now)
            except WordsError as error:
                give_up(connection, row, "words", str(error), now=now)
            else:
                yield {**row, **said, "address": address}
