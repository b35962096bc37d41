"""What answers are about, and how sure their shares are (S-52)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.contact import mask_words
from domain.feedback import analyse, tags_of
from domain.satisfaction import SurveyAnswer
from domain.spans import days_between
from domain.standard import Standard

SPAN = days_between(date(2026, 11, 16), date(2026, 11, 22), "Asia/Shanghai")
NOTHING = SurveyAnswer(efficiency=5, attitude=5, solution=5, overall=5).model_dump()


def _row(*, days_ago: int = 0, **said: Any) -> dict[str, Any]:
    ticket = {"ticket_number": "TK-00000001", "category": "product_fault", "product_model": None}
    customer = {"customer_name": "王丽", "customer_tier": "standard", "wants_anonymity": False, "is_returning": False}
    at = {"answered_at": datetime(2026, 11, 20, 4, 0, tzinfo=UTC) - timedelta(days=days_ago)}
    return NOTHING | ticket | customer | at | said


def test_an_answer_is_tagged_by_its_ratings_its_words_its_ticket_and_its_customer(standard: Standard) -> None:
    row = _row(on_site=2, booking_improvement="hotline is busy", comment="等了三天，还是不制冷", is_returning=True)

    assert tags_of(row, standard) == {
        ("stage", "on_site"),
        ("stage", "booking"),
        ("theme", "waiting"),
        ("theme", "unsolved"),
        ("problem", "product_fault"),
        ("customer", "standard"),
        ("customer", "returning"),
    }


def test_a_share_of_few_is_not_told_and_one_of_many_comes_with_its_interval(standard: Standard) -> None:
    rows = [_row(overall=2)] * 3 + [_row()] * 7 + [_row(overall=1, days_ago=7)] * 2 + [_row(booking=1)]

    found = analyse(rows, SPAN, standard)

    overall = found.overall
    assert (overall.n, overall.before, overall.mean, overall.mean_before) == (11, 2, 4.18, 1.0)
    # Wilson's interval of 3 in 11, worked out by hand.
    assert (overall.share.least, overall.share.most) == pytest.approx((0.0975, 0.5656), abs=1e-3)
    booking = found.stages[0]
    assert (booking.n, booking.share.low, booking.share.is_told) == (1, 1, False)
    assert analyse([], SPAN, standard).overall.share.value is None


def test_a_quote_names_nobody_and_of_who_wished_so_not_even_the_ticket(standard: Standard) -> None:
    said = "我是王丽，王女士等了很久，电话138-0013-8000，wang.li@example.com"
    rows = [_row(comment=said, overall=1), _row(comment="等了三天", overall=3, wants_anonymity=True)]

    first, second = analyse(rows, SPAN, standard).quotes["waiting"]

    assert first.text == "我是***，***女士等了很久，电话***，***"
    assert (first.ticket_number, second.ticket_number) == ("TK-00000001", None)
    assert mask_words("Tom Lee (tom.lee) waited; tomorrow at 9:30 for 1200 yuan", "Tom Lee") == (
        "*** (***.***) waited; tomorrow at 9:30 for 1200 yuan"
    )
