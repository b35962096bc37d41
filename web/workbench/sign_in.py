"""Signing in and out of the workbench, choosing a password and a language (S-72)."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from clock import utc_now
from db import staff_accounts, staff_sessions
from db.session import transaction
from db.standards import get_standard
from domain.exceptions import InvalidInputError
from domain.invitations import invited, is_unused
from domain.links import LinkError
from domain.passwords import LEAST, MOST, hash_password, is_outdated, is_right
from domain.rate_limit import client_address
from settings import get_settings
from templates.languages import languages
from web.language import page_language
from web.workbench.door import SIGN_IN, Member, StaffMember, forget, keep, require_own_origin, token_of
from web.workbench.frame import show, show_outside

router = APIRouter(prefix="/workbench")
Text = Annotated[str, Form()]
_HOME = "/workbench"
_LONGEST_ADDRESS = 320
# A path of ours and nothing that a browser could take for another host.
_INSIDE = re.compile(r"/workbench(/[A-Za-z0-9/_.-]*)?(\?[A-Za-z0-9=&_.%-]*)?")


@router.get("/sign-in")
def show_sign_in(request: Request, next: str = "") -> Response:  # noqa: A002 - as the address names it
    """The form with address and password."""
    return _sign_in_page(request, next)


@router.post("/sign-in")
def sign_in(
    request: Request,
    email: Text = "",
    password: Text = "",
    next: Text = "",  # noqa: A002 - as the form names it
) -> Response:
    """Start a session, or say no in the same words and time whatever was wrong."""
    require_own_origin(request)
    policy, now = get_standard().workbench, utc_now()
    address = email.strip()
    account_name = f"account {address.lower()}"
    peer = request.client.host if request.client else ""
    forwarded = ", ".join(request.headers.getlist("x-forwarded-for"))
    place = f"address {client_address(peer, forwarded, proxies=get_settings().proxies)}"
    # Committed before the password is looked at: who tries many at once is counted as often.
    with transaction() as connection:
        of_account, of_place = staff_accounts.count_attempts(
            connection, (account_name, place), within=policy.attempts_within, now=now
        )
    if of_account > policy.attempts_per_account or of_place > policy.attempts_per_address:
        return _sign_in_page(request, next, email=address, fault="too_many", status=429)
    account = None
    if address.isprintable() and len(address) <= _LONGEST_ADDRESS:
        with transaction() as connection:
            account = staff_accounts.find(connection, address)
    kept = account.password_hash if account else None
    if not is_right(kept, password) or account is None or kept is None:
        return _sign_in_page(request, next, email=address, fault="wrong", status=401)
    with transaction() as connection:
        staff_accounts.forget_attempts(connection, account_name)
        if is_outdated(kept):
            staff_accounts.keep_hash(connection, account.staff_id, hash_password(password))
        return _enter(request, connection, account.staff_id, next if _INSIDE.fullmatch(next) else _HOME)


@router.post("/sign-out")
def sign_out(request: Request, _member: Member) -> Response:
    """End this session."""
    with transaction() as connection:
        staff_sessions.end(connection, token_of(request) or "")
    response = RedirectResponse(SIGN_IN, status_code=303)
    forget(response)
    return response


@router.get("/account")
def show_account(member: Member, done: str = "") -> Response:
    """Language and password."""
    return _account_page(member, done=done if done == "language" else "")


@router.post("/account/language")
def choose_language(member: Member, language: Text = "") -> Response:
    """In which language a member reads, here and in messages."""
    if language not in languages():
        raise InvalidInputError("language", "is not offered")
    with transaction() as connection:
        staff_accounts.set_language(connection, member.id, language)
    return RedirectResponse("/workbench/account?done=language", status_code=303)


@router.post("/account/password")
def change_password(request: Request, member: Member, present: Text = "", password: Text = "") -> Response:
    """Another password; other browsers are signed out."""
    policy, now = get_standard().workbench, utc_now()
    with transaction() as connection:
        name = f"password {member.id}"
        (tried,) = staff_accounts.count_attempts(connection, (name,), within=policy.attempts_within, now=now)
    if tried > policy.attempts_per_account:
        return _account_page(member, faults={"present": "too_many"}, status=429)
    with transaction() as connection:
        account = staff_accounts.get(connection, member.id, for_update=True)
        if account is None or not is_right(account.password_hash, present):
            return _account_page(member, faults={"present": "wrong_present"}, status=422)
        try:
            kept = hash_password(password)
        except InvalidInputError as error:
            return _account_page(member, faults={"password": error.problem}, status=422)
        staff_accounts.set_password(connection, member.id, kept)
        return _enter(request, connection, member.id, _HOME)


@router.get("/invitation/{token}")
def show_invitation(request: Request, token: str) -> Response:
    """Choose a password; opening the page uses nothing up."""
    with transaction() as connection:
        is_open = _invited(connection, token) is not None
    return _invitation_page(request, is_open=is_open, status=200 if is_open else 410)


@router.post("/invitation/{token}")
def accept_invitation(request: Request, token: str, password: Text = "") -> Response:
    """Keep the password and sign in."""
    require_own_origin(request)
    with transaction() as connection:
        staff_id = _invited(connection, token, for_update=True)
        if staff_id is None:
            return _invitation_page(request, is_open=False, status=410)
        try:
            kept = hash_password(password)
        except InvalidInputError as error:
            return _invitation_page(request, is_open=True, fault=error.problem, status=422)
        staff_accounts.set_password(connection, staff_id, kept)
        return _enter(request, connection, staff_id, _HOME)


def _invited(connection: Any, token: str, *, for_update: bool = False) -> int | None:
    try:
        staff_id, mark = invited(token, key=get_settings().signing_key(), now=utc_now())
    except LinkError:
        return None
    account = staff_accounts.get(connection, staff_id, for_update=for_update)
    return staff_id if account is not None and is_unused(mark, account.password_hash) else None


def _enter(request: Request, connection: Any, staff_id: int, path: str) -> Response:
    """A new session, whatever the browser brought: a token that somebody put there is worth nothing."""
    policy = get_standard().workbench
    staff_sessions.end(connection, token_of(request) or "")
    token = staff_sessions.start(
        connection, staff_id, idle=policy.idle_after, lasts=policy.session_lasts, now=utc_now()
    )
    response = RedirectResponse(path, status_code=303)
    keep(response, token)
    return response


def _sign_in_page(request: Request, then: str, *, email: str = "", fault: str = "", status: int = 200) -> Response:
    minutes = int(get_standard().workbench.attempts_within.total_seconds() // 60)
    then = then if _INSIDE.fullmatch(then) else ""
    return show_outside(
        request,
        "sign_in",
        page_language(request),
        status=status,
        then=then,
        email=email,
        fault=fault,
        minutes=minutes,
    )


def _invitation_page(request: Request, *, is_open: bool, fault: str = "", status: int) -> Response:
    language = page_language(request)
    return show_outside(
        request, "invitation", language, status=status, is_open=is_open, fault=fault, least=LEAST, most=MOST
    )


def _account_page(
    member: StaffMember, *, done: str = "", faults: dict[str, str] | None = None, status: int = 200
) -> Response:
    minutes = int(get_standard().workbench.attempts_within.total_seconds() // 60)
    return show(
        member,
        "account",
        now=utc_now(),
        status=status,
        done=done,
        faults={"present": "", "password": ""} | (faults or {}),
        least=LEAST,
        most=MOST,
        minutes=minutes,
    )
