"""This file checks that a signed link opens what it was made for, until it expires, and nothing else."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.links import PATHS, LinkError, Subject, read, sign
from domain.messages import LinkPurpose

KEY = "a key of the tests"
NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
EXPIRES = NOW + timedelta(days=14)
TOKEN = sign(LinkPurpose.PLAN, Subject(7, 2), key=KEY, expires_at=EXPIRES)


def test_every_purpose_has_a_path_of_its_own() -> None:
    assert set(PATHS) == set(LinkPurpose)
    assert len(set(PATHS.values())) == len(PATHS)


def test_the_same_link_is_signed_the_same_way_twice() -> None:
    assert sign(LinkPurpose.PLAN, Subject(7, 2), key=KEY, expires_at=EXPIRES) == TOKEN


def test_a_link_opens_until_the_moment_it_expires() -> None:
    assert read(LinkPurpose.PLAN, TOKEN, key=KEY, now=EXPIRES - timedelta.resolution) == Subject(7, 2)


def test_a_link_is_closed_from_the_moment_it_expires() -> None:
    with pytest.raises(LinkError, match="the link has expired"):
        read(LinkPurpose.PLAN, TOKEN, key=KEY, now=EXPIRES)


@pytest.mark.parametrize("purpose", [p for p in LinkPurpose if p is not LinkPurpose.PLAN])
def test_a_link_is_useless_for_another_purpose(purpose: LinkPurpose) -> None:
    with pytest.raises(LinkError, match="the link is not valid"):
        read(purpose, TOKEN, key=KEY, now=NOW)


def test_a_link_signed_with_another_key_is_not_valid() -> None:
    with pytest.raises(LinkError, match="the link is not valid"):
        read(LinkPurpose.PLAN, TOKEN, key="another key", now=NOW)


@given(text=st.text())
def test_a_text_that_was_never_signed_is_not_valid(text: str) -> None:
    with pytest.raises(LinkError, match="the link is not valid"):
        read(LinkPurpose.PLAN, text, key=KEY, now=NOW)


@given(at=st.integers(0, len(TOKEN) - 2), char=st.sampled_from("abcXYZ019-_."))
def test_a_link_with_one_changed_character_is_not_valid(at: int, char: str) -> None:
    changed = TOKEN[:at] + char + TOKEN[at + 1 :]
    if changed == TOKEN:
        return

    with pytest.raises(LinkError, match="the link is not valid"):
        read(LinkPurpose.PLAN, changed, key=KEY, now=NOW)


@given(purpose=st.sampled_from(LinkPurpose), id_=st.integers(1, 10**10), part=st.integers(0, 1000))
def test_every_link_opens_what_it_was_made_for(purpose: LinkPurpose, id_: int, part: int) -> None:
    token = sign(purpose, Subject(id_, part), key=KEY, expires_at=EXPIRES)

    assert read(purpose, token, key=KEY, now=NOW) == Subject(id_, part)


def test_of_a_hundred_thousand_guesses_none_is_accepted() -> None:
    random, letters = Random(4), "".join({*TOKEN, *"abcxyzABCXYZ0189-_."})
    accepted = []

    for number in range(100_000):
        # Not the last letter: it carries two bits that belong to no byte of the signature.
        changed = list(TOKEN)
        for _ in range(1 + number % 3):
            changed[random.randrange(len(changed) - 1)] = random.choice(letters)
        guess = "".join(changed) if number % 2 else f"{TOKEN.rpartition('.')[0]}.{random.getrandbits(160):040x}"
        if guess != TOKEN:
            with contextlib.suppress(LinkError):
                accepted.append(read(LinkPurpose.PLAN, guess, key=KEY, now=NOW))

    assert accepted == []
