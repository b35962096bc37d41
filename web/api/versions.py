"""Versions of what the API shows: nobody gets twice what they have, nobody overwrites what they have not read."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import Header, Response

from domain.lifecycle import TicketState
from web.api.problems import Current, StaleError

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="The ETag of the ticket as you read it: refused (412) when somebody has changed it since.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=1000,
        description="The ETag that you have: 304 without a body when it is still the same.",
    ),
]


def version_tag(ticket: Any, shown: bytes = b"") -> str:
    """The ETag of a ticket: its version, which changes with each event, and a digest of what was ``shown`` of it,
    which changes with the customer's details too and is not the same for every role."""
    digest = f"-{sha256(shown).hexdigest()[:16]}" if shown else ""
    return f'"{ticket["event_count"]}{digest}"'


def set_etag(response: Response, ticket: Any) -> None:
    """Name the ticket's version in an answer that does not show the ticket."""
    response.headers["ETag"] = version_tag(ticket)


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller has what this ETag names."""
    return if_none_match is not None and (if_none_match.strip() == "*" or etag in _tags(if_none_match))


def require_unchanged(if_match: str | None, ticket: Any) -> None:
    """Raise StaleError when the caller has read another version than this one."""
    if if_match is None or if_match.strip() == "*":
        return
    versions = {tag[1:-1].partition("-")[0] for tag in _tags(if_match) if tag[:1] == tag[-1:] == '"'}
    if str(ticket["event_count"]) not in versions:
        raise StaleError(Current(number=ticket["number"], state=TicketState(ticket["state"]), etag=version_tag(ticket)))


def _tags(header: str) -> list[str]:
    """The tags of a header. A proxy that compresses marks them as weak: they name a version and mean the same."""
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]
