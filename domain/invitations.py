"""Invitations of staff to choose a password: signed, for some days, of no use once a password was chosen (S-72)."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest

from itsdangerous import BadSignature, URLSafeSerializer

from domain.links import LinkError

_SALT = "aftercare.invitation"


def invite(staff_id: int, password_hash: str | None, *, key: str, expires_at: datetime) -> str:
    """The token of an invitation; it holds as long as the password is the present one."""
    return str(URLSafeSerializer(key, salt=_SALT).dumps([staff_id, int(expires_at.timestamp()), _mark(password_hash)]))


def invited(token: str, *, key: str, now: datetime) -> tuple[int, str]:
    """The staff id, and the mark of the password that was then. Raises LinkError when it is not ours or has expired."""
    try:
        staff_id, expires, mark = URLSafeSerializer(key, salt=_SALT).loads(token)
    except (BadSignature, ValueError, TypeError) as error:
        raise LinkError("the invitation is not valid") from error
    if now >= datetime.fromtimestamp(expires, UTC):
        raise LinkError("the invitation has expired")
    return int(staff_id), str(mark)


def is_unused(mark: str, password_hash: str | None) -> bool:
    """Whether no password was chosen since the invitation was written."""
    return compare_digest(mark, _mark(password_hash))


def _mark(password_hash: str | None) -> str:
    return sha256((password_hash or "").encode()).hexdigest()[:20]
