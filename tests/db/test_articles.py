"""Articles are found by the words of a question, by whoever may read them, and what helped is counted (S-62)."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from db import article_search, articles
from domain.articles import Article, ArticleState, Audience
from domain.contact import mask_words
from domain.exceptions import IllegalTransitionError, NotFoundError, NotPermittedError
from tests.conftest import Cast
from tests.desk import Desk


def _add(
    desk: Desk, cast: Cast, title: str, *, solution: str = "清洗滤网", state: str = "published", **more: object
) -> int:
    said = {"language": "zh-CN", "audience": "customers", "title": title, "problem": title, "solution": solution}
    article_id = articles.add(
        desk.connection, Article.model_validate(said | more), cast.agent, ticket_id=None, now=desk.now
    )
    if state != "draft":
        articles.move(desk.connection, article_id, ArticleState.PUBLISHED, cast.supervisor, now=desk.now)
    if state == "retired":
        articles.move(desk.connection, article_id, ArticleState.RETIRED, cast.supervisor, now=desk.now)
    return article_id


def _found(connection: Connection, asked: str, audience: Audience | None = None) -> list[str]:
    return [row["title"] for row in article_search.find(connection, asked, audience=audience)]


def test_a_question_in_chinese_or_english_finds_what_shares_its_words(desk: Desk, cast: Cast) -> None:
    _add(desk, cast, "空调不制冷，显示E4")
    _add(desk, cast, "洗衣机漏水")
    _add(desk, cast, "Air conditioner does not cool", language="en")
    _add(desk, cast, "空调制冷剂价格", audience="staff")
    _add(desk, cast, "空调不制冷草稿", state="draft")
    _add(desk, cast, "空调不制冷旧文", state="retired")
    customers = Audience.CUSTOMERS

    asked = "家里的空调昨天开始就不制冷了，面板上写着E4"
    assert _found(desk.connection, asked, customers) == ["空调不制冷，显示E4"]
    assert "空调制冷剂价格" in _found(desk.connection, asked)
    assert _found(desk.connection, "My conditioner is not cooling any more") == ["Air conditioner does not cool"]
    assert _found(desk.connection, "洗衣机露水", customers) == ["洗衣机漏水"]  # one wrong character
    for nothing in ("", "的", "!!! ' & | \\ <->", "\U0001f600", "电视", "a" * 5000):
        assert _found(desk.connection, nothing, customers) == []


def test_an_article_is_published_by_who_may_and_changed_by_them_from_then_on(desk: Desk, cast: Cast) -> None:
    article_id = _add(desk, cast, "空调不制冷", state="draft")
    new = Article(language="zh-CN", audience=Audience.STAFF, title="洗衣机漏水", problem="漏水", solution="换垫圈")
    publish = ArticleState.PUBLISHED

    with pytest.raises(NotPermittedError):
        articles.move(desk.connection, article_id, publish, cast.agent, now=desk.now)
    articles.move(desk.connection, article_id, publish, cast.supervisor, now=desk.now)
    with pytest.raises(IllegalTransitionError):
        articles.move(desk.connection, article_id, publish, cast.supervisor, now=desk.now)
    with pytest.raises(NotPermittedError):
        articles.change(desk.connection, article_id, new, cast.agent, now=desk.now)
    articles.change(desk.connection, article_id, new, cast.supervisor, now=desk.now)

    assert _found(desk.connection, "洗衣机漏水") == ["洗衣机漏水"]
    assert _found(desk.connection, "空调不制冷") == []


def test_what_helped_is_counted_once_by_ticket_and_by_form(desk: Desk, cast: Cast) -> None:
    article_id, draft = _add(desk, cast, "空调不制冷"), _add(desk, cast, "草稿", state="draft")
    ticket_id, noted = desk.open(), {"now": desk.now, "staff_id": cast.agent.id}

    assert articles.note_help(desk.connection, article_id, ticket_id=ticket_id, **noted)
    assert not articles.note_help(desk.connection, article_id, ticket_id=ticket_id, **noted)
    assert articles.note_help(desk.connection, article_id, form_key="a", now=desk.now)
    with pytest.raises(NotFoundError):
        articles.note_help(desk.connection, draft, form_key="a", now=desk.now)

    article = articles.get(desk.connection, article_id)
    assert (article["helped_customers"], article["helped_tickets"]) == (1, 1)
    assert [row["id"] for row in articles.helped_with(desk.connection, ticket_id)] == [article_id]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("王丽的电话138 0013 8000，邮箱wang.li@example.com", "***的电话***，***"),
        ("KFR-35 shows E4 since 2026, SN-0042", "KFR-35 shows E4 since 2026, ***"),
        ("call +44 (20) 7946-0958 or 4008000000", "call *** or ***"),
    ],
)
def test_an_article_from_a_case_leaves_out_what_is_personal(text: str, expected: str) -> None:
    assert mask_words(text, "王丽", known=["SN-0042", None, ""]) == expected
