"""This file renders a message's words with its signed links, once, before it is first sent."""

from __future__ import annotations

from datetime import datetime, timedelta

from db.rows import Row
from db.standards import get_standard
from domain.links import PATHS, Subject, sign
from domain.messages import MESSAGES, LinkPurpose, Medium, MessageKind, Subscription
from domain.standard import Standard
from settings import get_settings
from templates.render import WordsError, render_message


def of(row: Row, now: datetime) -> dict[str, str | None]:
    """Subject, body and html of a claimed message. Raises WordsError."""
    organisation = get_standard().organisation
    kind = MessageKind(row["kind"])
    words = render_message(
        kind,
        Medium(row["medium"]),
        language=row["language"],
        context=row["context"],
        recipient_name=row["recipient_name"],
        organisation=organisation.name.get(row["language"], organisation.name[organisation.default_language]),
        time_zone=row["time_zone"] or organisation.time_zone,
        link=_link(row, get_standard()),
        unsubscribe_link=unsubscribe_link(row),
        now=now,
    )
    if not words.text.strip():
        raise WordsError(f"templates of {kind.value} in {row['language']} make an empty message")
    return {"subject": words.subject, "body": words.text, "html": words.html}


def unsubscribe_link(row: Row) -> str | None:
    """The link that ends surveys or digests for the reader; None where the message is no such."""
    subscription = MESSAGES[MessageKind(row["kind"])].subscription
    if subscription is None:
        return None
    person = row["customer_id"] if subscription is Subscription.SURVEYS else row["staff_id"]
    subject = Subject(person, list(Subscription).index(subscription))
    return _signed(LinkPurpose.UNSUBSCRIBE, subject, row["queued_at"] + get_standard().links.unsubscribe)


def _link(row: Row, standard: Standard) -> str | None:
    purpose = MESSAGES[MessageKind(row["kind"])].link
    context = row["context"]
    match purpose:
        case LinkPurpose.SURVEY:
            subject = Subject(context["survey_id"])
        case LinkPurpose.PLAN:
            subject = Subject(row["ticket_id"], context["plan"]["revision"])
        case LinkPurpose.SIGN_OFF:
            subject = Subject(row["ticket_id"], context["completion_no"])
        case LinkPurpose.PROGRESS:
            subject = Subject(row["ticket_id"])
        case _:
            return None
    lasts: timedelta = getattr(standard.links, purpose.value)
    return _signed(purpose, subject, row["queued_at"] + lasts)


def _signed(purpose: LinkPurpose, subject: Subject, expires_at: datetime) -> str:
    settings = get_settings()
    token = sign(purpose, subject, key=settings.signing_key(), expires_at=expires_at)
    return f"{settings.web_url}/{PATHS[purpose]}/{token}"
