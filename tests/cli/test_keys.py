"""Keys are made, listed, rotated and revoked by the command line."""

from __future__ import annotations

import pytest

from clock import utc_now
from db import api_keys
from db.session import transaction
from domain.api_keys import KeyRefusedError, Scope
from tests.cli.conftest import ENGINEER, SUPERVISOR, Console

CREATE = ("keys", "create", "the shop", "--for", SUPERVISOR)


def _scopes(console: Console, key: str) -> frozenset[Scope]:
    with transaction(console.database) as connection:
        return api_keys.recognise(connection, key, now=utc_now()).scopes


def test_a_key_is_shown_once_and_works(console: Console) -> None:
    made = console.run(*CREATE, "--scope", "read", "--scope", "write")
    key = made.stdout.strip()

    listed = console.succeed("keys", "list")

    assert "not shown again" in made.stderr
    assert _scopes(console, key) == {Scope.READ, Scope.WRITE}
    assert key[:11] in listed
    assert key not in listed
    assert "supervisor" in listed


def test_a_key_may_only_read_unless_told_otherwise(console: Console) -> None:
    assert _scopes(console, console.succeed(*CREATE).strip()) == {Scope.READ}


def test_rotation_makes_a_new_key_and_ends_the_old(console: Console) -> None:
    old = console.succeed(*CREATE).strip()

    new = console.succeed(*CREATE, "--replaces", old[:11]).strip()

    assert _scopes(console, new)
    with pytest.raises(KeyRefusedError):
        _scopes(console, old)


def test_a_revoked_key_stays_in_the_list(console: Console) -> None:
    key = console.succeed(*CREATE).strip()

    assert key[:11] in console.succeed("keys", "revoke", key)
    assert "revoked" in console.succeed("keys", "list")


def test_what_cannot_be_made_or_revoked_is_said_and_leaves_nothing(used: Console) -> None:
    assert "no key begins with ac_00000000" in used.refuse("keys", "revoke", "ac_00000000")
    assert "no key begins with" in used.refuse(*CREATE, "--replaces", "ac_00000000")
    assert "no role of staff" in used.refuse(*CREATE, "--role", "customer")
    assert "no active member" in used.refuse("keys", "create", "x", "--for", "nobody@example.com")
    assert "name: " in used.refuse("keys", "create", " ", "--for", ENGINEER)
    assert "No keys yet" in used.succeed("keys", "list")
