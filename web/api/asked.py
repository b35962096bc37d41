"""What many operations are told: who calls, which ticket, from where on; and the key that does nothing twice."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPBearer
from sqlalchemy import Connection

from clock import utc_now
from db import contact_views
from domain.access import MAY_READ_CONTACT, shown_feedback, shown_words
from domain.api_keys import Caller
from domain.commands import LARGEST_ID
from domain.exceptions import InvalidInputError
from domain.people import Actor
from domain.tickets import ticket_id

# The door has read the key already; this one only documents it.
KEY = HTTPBearer(scheme_name="key", description="A key of `aftercare keys create`.", auto_error=False)


async def _known(request: Request) -> Caller:  # not "def": that would cost each request a change of threads
    caller: Caller = request.state.caller
    return caller


Known = Annotated[Caller, Depends(_known)]
Number = Annotated[
    str,
    Path(
        pattern=r"^(TK-)?0{0,20}[1-9][0-9]{0,9}$", max_length=40, description="With or without `TK-` and leading zeros."
    ),
]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
OnceKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="A text of your own, new for each thing you want done, the same when you ask for it again: "
        "then nothing is done twice, and you get the first answer.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=100, description="At most so many.")]


Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]


@contextmanager
def naming(prefix: str) -> Iterator[None]:
    """Within it a value that cannot be used is named with this before its name."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError(f"{prefix}{error.field}", error.problem) from error


def id_of(number: str) -> int:
    """The ticket's id; the path's pattern has checked the number."""
    return ticket_id(number)


def once_key(actor: Actor, key: str) -> str:
    """The key as events keep it: each member of staff has their own, so that nobody meets another's, and a rotated
    API key still knows what was done."""
    return f"api:{actor.id}:{key}"


def may_read_contact(caller: Caller) -> bool:
    """Whether this caller sees how customers are reached (S-71, S-72)."""
    return caller.actor.role in MAY_READ_CONTACT


def note_contact_view(
    connection: Connection, caller: Caller, customer_ids: Sequence[int], *, ticket_id: int | None = None
) -> None:
    """Record that this caller is shown how these customers are reached, if they are (S-71)."""
    if may_read_contact(caller) and customer_ids:
        contact_views.note(connection, caller.actor, customer_ids, ticket_id=ticket_id, where="api", now=utc_now())


def seen_by(caller: Caller, row: Mapping[str, Any], *, wants_anonymity: bool = False) -> Mapping[str, Any]:
    """The row as this caller may see it: what people said is left out for who need not read it (S-72).

    ``wants_anonymity``: it is feedback of a customer who asked for that (S-02).
    """
    row = shown_feedback(row, caller.actor.role, wants_anonymity=wants_anonymity)
    return shown_words(row, caller.actor.role)


def write_cursor(*parts: object) -> str:
    """An opaque text for the place after which the next page begins."""
    return base64.urlsafe_b64encode("|".join(map(str, parts)).encode()).decode().rstrip("=")


def read_cursor(cursor: str, count: int) -> list[str]:
    """The parts of a place. Raises InvalidInputError when it is none of ours."""
    try:
        parts = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").split("|")
    except ValueError as error:
        raise foreign_cursor() from error
    if len(parts) != count:
        raise foreign_cursor()
    return parts


def place_of(cursor: str | None) -> int | None:
    """The id or place in a cursor that has nothing else. Raises InvalidInputError."""
    return None if cursor is None else whole(read_cursor(cursor, 1)[0])


def whole(text: str) -> int:
    """A number of a cursor. Raises InvalidInputError."""
    if not text.isdecimal() or len(text) > 16:
        raise foreign_cursor()
    return int(text)


def foreign_cursor() -> InvalidInputError:
    """What is said of a cursor that was not given out."""
    return InvalidInputError("query.cursor", "is none that was given out; take next_cursor as it is")
