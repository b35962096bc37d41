"""What a key looks like, and how it is compared."""

from __future__ import annotations

import pytest

from domain.api_keys import Scope, is_same_key, key_hash, prefix_of, require_scope, write_key
from domain.exceptions import NotPermittedError

SECRET = "s" * 43


def test_a_key_is_found_by_its_prefix() -> None:
    assert prefix_of(write_key("1a2b3c4d", SECRET)) == "1a2b3c4d"


@pytest.mark.parametrize(
    "text",
    ["", "ac_", "ac_1a2b3c4d", f"ac_1a2b3c4d_{SECRET}x", f"xc_1a2b3c4d_{SECRET}", f"ac_1A2B3C4D_{SECRET}", "密钥"],
)
def test_what_has_not_the_form_of_a_key_has_no_prefix(text: str) -> None:
    assert prefix_of(text) is None


def test_a_key_is_its_own_and_no_others() -> None:
    key = write_key("1a2b3c4d", SECRET)

    assert is_same_key(key, key_hash(key))
    assert not is_same_key(key + "x", key_hash(key))
    assert key.encode() not in key_hash(key)


def test_a_scope_that_lacks_is_named() -> None:
    require_scope({Scope.READ}, Scope.READ)

    with pytest.raises(NotPermittedError, match="'write'"):
        require_scope({Scope.READ}, Scope.WRITE)
