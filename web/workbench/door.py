"""The door of the workbench: who is signed in, in which role, and that a form was sent from our own page (S-72)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from clock import utc_now
from db import staff_sessions
from db.session import transaction
from db.standards import get_standard
from domain.access import require_role
from domain.exceptions import NotPermittedError
from domain.people import Actor, Role
from settings import get_settings
from templates.languages import language_for

SIGN_IN = "/workbench/sign-in"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_FILES, _MOST_FIELDS = 8, 200


class NotSignedInError(Exception):
    """Nobody is signed in; the visitor is led to the sign-in page."""


class ForeignFormError(NotPermittedError):
    """A form did not come from a page that we showed to this member of staff."""


@dataclass(frozen=True)
class StaffMember:
    """Who is at the workbench; ``csrf`` goes into every form, hidden."""

    id: int
    name: str
    role: Role
    language: str
    time_zone: str
    csrf: str

    @property
    def actor(self) -> Actor:
        """As whom they give commands."""
        return Actor(self.role, self.id)


async def signed_in(request: Request) -> StaffMember:
    """Who is signed in. Raises NotSignedInError; for a form that is not ours, ForeignFormError."""
    require_own_origin(request)
    member = await run_in_threadpool(_find, request)
    if request.method not in _READING:
        # Read once with our limits; whoever asks for the form later gets the same one.
        form = await request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS)
        given = form.get("csrf")
        if not isinstance(given, str) or not hmac.compare_digest(
            given.encode("utf-8", "replace"), member.csrf.encode()
        ):
            raise ForeignFormError("the form was not shown to who sends it")
    return member


Member = Annotated[StaffMember, Depends(signed_in)]


def require(*roles: Role) -> Callable[..., StaffMember]:
    """A dependency that lets only these roles pass. It raises NotPermittedError."""

    def of_role(member: Member) -> StaffMember:
        require_role(member.actor, roles, "this page")
        return member

    return of_role


def require_own_origin(request: Request) -> None:
    """Refuse what another site's page sends here. Raises ForeignFormError.

    Browsers say it in Sec-Fetch-Site, older ones in Origin; "null" is what they write under our referrer policy.
    """
    if request.method in _READING:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        own = urlsplit(get_settings().public_url).netloc or request.headers.get("host", "")
        is_ours = origin == "null" or urlsplit(origin).netloc == own
    if not is_ours:
        raise ForeignFormError("the form was sent from another site")


def keep(response: Response, token: str) -> None:
    """Let the browser keep the token of a session; script cannot read it and other sites cannot send it."""
    lasts = int(get_standard().workbench.session_lasts.total_seconds())
    response.set_cookie(_cookie(), token, max_age=lasts, **_cookie_traits())


def forget(response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(_cookie(), **_cookie_traits())


def token_of(request: Request) -> str | None:
    """The token that the browser kept."""
    return request.cookies.get(_cookie())


def csrf_of(token: str) -> str:
    """What the forms of this session carry; nobody can make it who has not both the cookie and our key."""
    return hmac.new(get_settings().signing_key().encode(), f"workbench.csrf.{token}".encode(), sha256).hexdigest()


def _find(request: Request) -> StaffMember:
    token = token_of(request)
    if not token:
        raise NotSignedInError
    standard = get_standard()
    with transaction() as connection:
        row = staff_sessions.find(connection, token, idle=standard.workbench.idle_after, now=utc_now())
    if row is None:
        raise NotSignedInError
    return StaffMember(
        row["staff_id"],
        row["name"],
        Role(row["role"]),
        language_for(row["language"]),
        standard.organisation.time_zone,
        csrf_of(token),
    )


def _is_https() -> bool:
    return urlsplit(get_settings().public_url).scheme == "https"


def _cookie() -> str:
    return "__Host-aftercare" if _is_https() else "aftercare"


def _cookie_traits() -> dict[str, Any]:
    # Lax and not Strict: whoever taps the link to a ticket in a message is to arrive signed in.
    return {"path": "/", "secure": _is_https(), "httponly": True, "samesite": "lax"}
