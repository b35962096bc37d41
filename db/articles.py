"""Knowledge articles: written from a solved case, published, retired; and who was helped by which (S-62)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from db.models import Article as Record
from db.models import ArticleHelp, Staff, Ticket
from db.rows import Row, fetch, fetch_one
from domain.access import MAY_PUBLISH, MAY_WRITE_ARTICLES, require_role
from domain.articles import Article, ArticleState
from domain.exceptions import IllegalTransitionError, NotFoundError
from domain.people import Actor
from domain.search_words import words_of

# Postgres gives the words of an index no more room than a megabyte; a long article has some thousand.
_MOST_WORDS = 3000
# English words are stemmed, Chinese ones left as they are: one configuration serves both.
CONFIGURATION = "english"
_FROM = {
    ArticleState.PUBLISHED: (ArticleState.DRAFT, ArticleState.RETIRED),
    ArticleState.RETIRED: (ArticleState.DRAFT, ArticleState.PUBLISHED),
}


def _articles() -> Select[Any]:
    def helped(column: Any) -> Any:
        query = select(func.count()).where(ArticleHelp.article_id == Record.id, column.is_not(None))
        return query.correlate(Record).scalar_subquery()

    return (
        select(
            *(column for column in Record.__table__.c if column.name != "search"),
            Staff.name.label("writer_name"),
            Ticket.number.label("ticket_number"),
            helped(ArticleHelp.form_key).label("helped_customers"),
            helped(ArticleHelp.ticket_id).label("helped_tickets"),
        )
        .join(Staff, Staff.id == Record.written_by)
        .outerjoin(Ticket, Ticket.id == Record.ticket_id)
    )


def _search(article: Article) -> Any:
    """What the article is found by: its title before all, then what goes wrong, then the rest."""
    parts = (
        ("A", f"{article.title} {article.product_model} {' '.join(article.tags)}"),
        ("B", article.problem),
        ("D", f"{article.cause} {article.solution}"),
    )
    vectors = [
        func.setweight(
            func.to_tsvector(CONFIGURATION, " ".join(words_of(text, most=_MOST_WORDS))),
            literal_column(f"'{weight}'::\"char\""),
        )
        for weight, text in parts
    ]
    return vectors[0].op("||")(vectors[1]).op("||")(vectors[2])


def _columns(article: Article) -> dict[str, Any]:
    said = article.model_dump(mode="json")
    return said | {"product_model": article.product_model or None, "search": _search(article)}


def add(connection: Connection, article: Article, actor: Actor, *, ticket_id: int | None, now: datetime) -> int:
    """Keep a draft; returns its id. Raises NotPermittedError."""
    require_role(actor, MAY_WRITE_ARTICLES, "writing articles")
    values = _columns(article) | {"written_by": actor.id, "written_at": now, "ticket_id": ticket_id}
    return int(connection.execute(insert(Record).values(**values).returning(Record.id)).scalar_one())


def change(connection: Connection, article_id: int, article: Article, actor: Actor, *, now: datetime) -> None:
    """Write an article anew; one that is no draft, only by who may publish. Raises NotFoundError, NotPermittedError."""
    state = _lock(connection, article_id)
    allowed = MAY_WRITE_ARTICLES if state is ArticleState.DRAFT else MAY_PUBLISH
    require_role(actor, allowed, "changing this article")
    values = _columns(article) | {"written_by": actor.id, "written_at": now}
    connection.execute(update(Record).where(Record.id == article_id).values(**values))


def move(connection: Connection, article_id: int, to: ArticleState, actor: Actor, *, now: datetime) -> None:
    """Publish an article, or retire it. Raises NotFoundError, NotPermittedError, IllegalTransitionError."""
    require_role(actor, MAY_PUBLISH, "publishing articles")
    state = _lock(connection, article_id)
    if state not in _FROM[to]:
        raise IllegalTransitionError(f"the article is {state.value}")
    published = {"published_at": now} if to is ArticleState.PUBLISHED else {}
    connection.execute(update(Record).where(Record.id == article_id).values(state=to.value, **published))


def _lock(connection: Connection, article_id: int) -> ArticleState:
    state = connection.execute(
        select(Record.state).where(Record.id == article_id).with_for_update()
    ).scalar_one_or_none()
    if state is None:
        raise NotFoundError(f"no article has the id {article_id}")
    return ArticleState(state)


def get(connection: Connection, article_id: int) -> Row:
    """An article with who wrote it, from which ticket, and how often it helped. Raises NotFoundError."""
    row = fetch_one(connection, _articles().where(Record.id == article_id))
    if row is None:
        raise NotFoundError(f"no article has the id {article_id}")
    return row


def list_newest(connection: Connection, *, limit: int) -> list[Row]:
    """The articles written last, in every state."""
    return fetch(connection, _articles().order_by(Record.written_at.desc(), Record.id).limit(limit))


def get_many(connection: Connection, ids: list[int]) -> list[Row]:
    """Articles in the order of their ids as given."""
    rows = {row["id"]: row for row in fetch(connection, _articles().where(Record.id.in_(ids)))} if ids else {}
    return [rows[key] for key in ids]


def helped_with(connection: Connection, ticket_id: int) -> list[Row]:
    """The articles that helped with a ticket, in the order they were noted."""
    query = _articles().join(ArticleHelp, ArticleHelp.article_id == Record.id)
    return fetch(connection, query.where(ArticleHelp.ticket_id == ticket_id).order_by(ArticleHelp.id))


def note_help(
    connection: Connection,
    article_id: int,
    *,
    ticket_id: int | None = None,
    staff_id: int | None = None,
    form_key: str | None = None,
    now: datetime,
) -> bool:
    """Note that a published article helped with a ticket, or made one needless; False when it was noted before."""
    published = select(Record.id).where(Record.id == article_id, Record.state == ArticleState.PUBLISHED.value)
    if connection.execute(published).scalar_one_or_none() is None:
        raise NotFoundError(f"no published article has the id {article_id}")
    values = {"article_id": article_id, "ticket_id": ticket_id, "staff_id": staff_id, "form_key": form_key}
    noted = insert(ArticleHelp).values(**values, at=now).on_conflict_do_nothing().returning(ArticleHelp.id)
    return connection.execute(noted).scalar_one_or_none() is not None
