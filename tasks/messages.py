"""The steps of delivery: freeze the words, hand over, record the fate, look up what is unclear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from channels.base import Outgoing, Transport
from channels.mailbox import Mailbox
from db import mailbox, outbox
from db.session import transaction
from domain.links import PATHS, Subject, sign
from domain.messages import MESSAGES, LinkPurpose, Medium, MessageKind
from domain.standard import Standard
from domain.tickets import ticket_number
from settings import get_settings, get_standard
from templates.render import WordsError, render_message

BATCH = 200


def _keep(message: Outgoing, now: datetime) -> int | None:
    with transaction() as connection:
        return mailbox.keep(
            connection,
            message.id,
            attempt=message.attempt,
            address=message.address,
            subject=message.subject,
            body=message.body,
            html=message.html,
            now=now,
        )


def _find(message_id: int) -> int | None:
    with transaction() as connection:
        return mailbox.find(connection, message_id)


def transport() -> Transport:
    """The transport of this process."""
    return Mailbox(_keep, _find)


def claim_messages(*, now: datetime) -> list[tuple[int, str | None]]:
    """Claim due messages: freeze their words and mark them sending, in one transaction.

    Returns id and ticket number. A message whose words cannot be made is failed with its reason and holds up nobody.
    """
    claimed: list[tuple[int, str | None]] = []
    with transaction() as connection:
        frozen = []
        for row in outbox.claim(connection, now=now, limit=BATCH):
            try:
                frozen.append(row if row["body"] is not None else {**row, **_words(row, now)})
            except WordsError as error:
                outbox.refuse(connection, row["id"], code="words", body=str(error), now=now)
                continue
            claimed.append((row["id"], ticket_number(row["ticket_id"]) if row["ticket_id"] else None))
        outbox.freeze(connection, frozen, now=now)
    return claimed


@task(cache_policy=NO_CACHE, retries=0)
def send_messages(message_ids: Sequence[int], now: datetime) -> Counter[str]:
    """Hand messages over and record each fate; never retried: a crash leaves ``sending``, which is looked up.

    Returns how many had which outcome.
    """
    through = transport()
    outcomes: Counter[str] = Counter()
    with transaction() as connection:
        rows = outbox.frozen(connection, message_ids)
    for row in rows:
        outcome = through.send(_outgoing(row), now=now)
        with transaction() as connection:
            outbox.settle(connection, row["id"], outcome, attempt=row["attempts"], provider=through.name, now=now)
        outcomes[type(outcome).__name__.lower()] += 1
    return outcomes


def look_up_unclear(*, now: datetime) -> Counter[str]:
    """Ask the transport about messages that have been sending for too long; returns how many had which outcome."""
    through = transport()
    stale_since = now - get_standard().delivery.unknown_after
    with transaction() as connection:
        unclear = outbox.claim_unclear(connection, stale_since=stale_since, now=now, limit=BATCH)
    outcomes: Counter[str] = Counter()
    for message_id, attempt in unclear:
        outcome = through.lookup(message_id)
        with transaction() as connection:
            outbox.settle(connection, message_id, outcome, attempt=attempt, provider=through.name, now=now)
        outcomes[f"found_{type(outcome).__name__.lower()}"] += 1
    return outcomes


def _outgoing(row: dict[str, Any]) -> Outgoing:
    medium = Medium(row["medium"])
    return Outgoing(
        id=row["id"],
        attempt=row["attempts"],
        medium=medium,
        address=row["phone"] if medium is Medium.SMS else row["email"],
        subject=row["subject"],
        body=row["body"],
        html=row["html"],
    )


def _words(row: dict[str, Any], now: datetime) -> dict[str, str | None]:
    standard = get_standard()
    organisation = standard.organisation
    words = render_message(
        MessageKind(row["kind"]),
        Medium(row["medium"]),
        language=row["language"],
        context=row["context"],
        recipient_name=row["recipient_name"],
        organisation=organisation.name.get(row["language"], organisation.name[organisation.default_language]),
        time_zone=row["time_zone"] or organisation.time_zone,
        link=_link(row, standard),
        now=now,
    )
    return {"subject": words.subject, "body": words.text, "html": words.html}


def _link(row: dict[str, Any], standard: Standard) -> str | None:
    purpose = MESSAGES[MessageKind(row["kind"])].link
    if purpose is None:
        return None
    context = row["context"]
    lasts: timedelta = getattr(standard.links, purpose.value)
    match purpose:
        case LinkPurpose.SURVEY:
            subject = Subject(context["survey_id"])
        case LinkPurpose.PLAN:
            subject = Subject(row["ticket_id"], context["plan"]["revision"])
        case LinkPurpose.SIGN_OFF:
            subject = Subject(row["ticket_id"], context["completion_no"])
        case LinkPurpose.PROGRESS:
            subject = Subject(row["ticket_id"])
    settings = get_settings()
    token = sign(purpose, subject, key=settings.signing_key(), expires_at=row["queued_at"] + lasts)
    return f"{settings.web_url}/{PATHS[purpose]}/{token}"
