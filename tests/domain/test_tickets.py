"""This file checks that a ticket's number leads back to its ticket, however a customer writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.exceptions import InvalidInputError
from domain.tickets import Priority, ticket_id, ticket_number


class TestNumber:
    @pytest.mark.parametrize(
        ("id_", "number"), [(1, "TK-00000001"), (1024, "TK-00001024"), (99_999_999, "TK-99999999")]
    )
    def test_a_number_has_eight_digits(self, id_: int, number: str) -> None:
        assert ticket_number(id_) == number

    @given(id_=st.integers(1, 9_999_999_999))
    def test_every_number_leads_back_to_its_ticket(self, id_: int) -> None:
        assert ticket_id(ticket_number(id_)) == id_

    @given(one=st.integers(1, 99_999_998), more=st.integers(1, 1000))
    def test_numbers_sort_like_their_tickets(self, one: int, more: int) -> None:
        assert ticket_number(one) < ticket_number(min(one + more, 99_999_999))

    @pytest.mark.parametrize("written", ["TK-00001024", "tk-00001024", "TK-1024", "1024", "00001024", "  TK-1024\n"])
    def test_a_number_is_understood_however_it_is_written(self, written: str) -> None:
        assert ticket_id(written) == 1024

    @pytest.mark.parametrize(
        "written",
        ["", "TK-", "TK-0", "0", "-1", "TK--1", "TK1024", "XX-1024", "TK-10 24", "1024a", "1.5", "TK-12345678901"],
    )
    def test_anything_else_is_refused_with_an_example(self, written: str) -> None:
        with pytest.raises(InvalidInputError) as refusal:
            ticket_id(written)

        assert str(refusal.value) == f"ticket: {written!r} is no ticket number; write it like TK-00001024"


def test_the_most_urgent_priority_sorts_first() -> None:
    assert sorted(Priority) == [Priority.P1, Priority.P2, Priority.P3]
