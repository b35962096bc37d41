"""Signed links: good for one purpose and one subject until they expire, useless for anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous import BadSignature, URLSafeSerializer

from domain.exceptions import DomainError
from domain.messages import LinkPurpose

PATHS = {
    LinkPurpose.PROGRESS: "progress",
    LinkPurpose.PLAN: "plan",
    LinkPurpose.SIGN_OFF: "sign-off",
    LinkPurpose.SURVEY: "survey",
    LinkPurpose.UNSUBSCRIBE: "unsubscribe",
}


class LinkError(DomainError):
    """The link was altered, is for something else, or has expired."""


class LinkExpiredError(LinkError):
    """The link was ours, but its time is over; nobody guessed it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a link is about: a ticket or a survey, and which plan revision or completion of it (0: none)."""

    id: int
    part: int = 0


def sign(purpose: LinkPurpose, subject: Subject, *, key: str, expires_at: datetime) -> str:
    """The token of a link. The same input gives the same token, so a message can be rendered again."""
    values = [subject.id, subject.part, int(expires_at.timestamp())]
    return str(_serializer(purpose, key).dumps(values))


def read(purpose: LinkPurpose, token: str, *, key: str, now: datetime) -> Subject:
    """What a token is about. Raises LinkError when it is not ours, not for this purpose, or expired."""
    try:
        subject_id, part, expires = _serializer(purpose, key).loads(token)
    except (BadSignature, ValueError, TypeError) as error:
        raise LinkError("the link is not valid") from error
    if now >= datetime.fromtimestamp(expires, UTC):
        raise LinkExpiredError("the link has expired")
    return Subject(subject_id, part)


def _serializer(purpose: LinkPurpose, key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=f"aftercare.link.{purpose.value}")
