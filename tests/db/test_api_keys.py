"""Keys are recognised by their hash, until they expire or are revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from db import api_keys
from domain.api_keys import KeyRefusedError, Scope
from domain.exceptions import NotFoundError
from domain.people import Actor, Role
from tests.conftest import Cast


@pytest.fixture
def key(connection: Connection, cast: Cast, now: datetime) -> str:
    """A key of the agent, for a day."""
    return _create(connection, cast.agent, now)


def _create(connection: Connection, member: Actor, now: datetime, **values: Any) -> str:
    assert member.id is not None
    given = {"role": member.role, "scopes": [Scope.WRITE, Scope.READ], "expires_at": now + timedelta(days=1), **values}
    return api_keys.create(connection, "the shop", staff_id=member.id, now=now, **given)


def _altered(key: str) -> str:
    return key[:-1] + ("A" if key[-1] != "A" else "B")


def test_a_key_is_recognised_with_member_role_and_scopes(
    connection: Connection, cast: Cast, key: str, now: datetime
) -> None:
    caller = api_keys.recognise(connection, key, now=now)

    assert caller.actor == cast.agent
    assert caller.scopes == {Scope.READ, Scope.WRITE}


def test_a_key_may_have_another_role_than_its_member(connection: Connection, cast: Cast, now: datetime) -> None:
    key = _create(connection, cast.manager, now, role=Role.QUALITY_INSPECTOR)

    assert api_keys.recognise(connection, key, now=now).actor == Actor(Role.QUALITY_INSPECTOR, cast.manager.id)


def test_nothing_of_the_key_but_prefix_and_hash_is_kept(connection: Connection, key: str) -> None:
    secret = key.split("_", 2)[2]
    row = connection.execute(text("SELECT * FROM api_keys")).one()

    assert secret not in str(row)
    assert row.prefix == key.split("_")[1]
    assert "key_hash" not in api_keys.list_all(connection)[0]


@pytest.mark.parametrize("change", [_altered, lambda _: "", lambda key: "ac_00000000" + key[11:], str.upper])
def test_another_key_is_refused(connection: Connection, key: str, now: datetime, change: Any) -> None:
    with pytest.raises(KeyRefusedError):
        api_keys.recognise(connection, change(key), now=now)


def test_a_key_is_refused_from_the_moment_it_expires(connection: Connection, key: str, now: datetime) -> None:
    end = now + timedelta(days=1)

    api_keys.recognise(connection, key, now=end - timedelta(microseconds=1))
    with pytest.raises(KeyRefusedError):
        api_keys.recognise(connection, key, now=end)


def test_a_revoked_key_is_refused_and_keeps_its_moment(connection: Connection, key: str, now: datetime) -> None:
    prefix = key.split("_")[1]

    api_keys.revoke(connection, prefix, now=now)
    row = api_keys.revoke(connection, prefix, now=now + timedelta(hours=1))

    assert row["revoked_at"] == now
    with pytest.raises(KeyRefusedError):
        api_keys.recognise(connection, key, now=now)


def test_revoking_what_is_no_key_is_said(connection: Connection, now: datetime) -> None:
    with pytest.raises(NotFoundError, match="ac_nothing"):
        api_keys.revoke(connection, "nothing", now=now)


def test_a_key_of_somebody_who_left_is_refused(connection: Connection, cast: Cast, key: str, now: datetime) -> None:
    connection.execute(text("UPDATE staff SET is_active = false WHERE id = :id"), {"id": cast.agent.id})

    with pytest.raises(KeyRefusedError):
        api_keys.recognise(connection, key, now=now)


def test_a_key_from_before_members_were_named_is_refused(connection: Connection, key: str, now: datetime) -> None:
    connection.execute(text("UPDATE api_keys SET staff_id = NULL"))

    with pytest.raises(KeyRefusedError):
        api_keys.recognise(connection, key, now=now)


def test_its_last_use_is_noted_once_a_minute(connection: Connection, key: str, now: datetime) -> None:
    seen = []
    for seconds in (0, 59, 60):
        api_keys.recognise(connection, key, now=now + timedelta(seconds=seconds))
        seen.append(api_keys.list_all(connection)[0]["last_used_at"])

    assert seen == [now, now, now + timedelta(seconds=60)]


def test_a_refused_key_notes_no_use(connection: Connection, key: str, now: datetime) -> None:
    with pytest.raises(KeyRefusedError):
        api_keys.recognise(connection, _altered(key), now=now)

    assert api_keys.list_all(connection)[0]["last_used_at"] is None


@pytest.mark.parametrize("scopes", ["{}", "{read,everything}"])
def test_the_schema_knows_the_scopes(connection: Connection, key: str, scopes: str) -> None:
    with pytest.raises(IntegrityError, match="scopes_known"):
        connection.execute(text("UPDATE api_keys SET scopes = :scopes"), {"scopes": scopes})
