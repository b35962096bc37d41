"""Finding published articles: by the words of a question in any order, and by nearly the same title (S-62)."""

from __future__ import annotations

from sqlalchemy import Connection, text

from db import articles
from db.rows import Row
from domain.articles import Audience
from domain.search_words import words_of

# What is asked is read so far; a long description repeats itself.
_MOST_WORDS = 40
# A title is compared with short questions only: of a long one every title is a part.
_LONGEST_TITLE = 60

# A Chinese word with one wrong character shares a third of its trigrams; the default asks for twice that.
_NEARLY = text("SELECT set_config('pg_trgm.word_similarity_threshold', '0.3', true)")
# The best by their words, then only those that share two of them (one, if there is but one): a lone common word is no
# reason to offer an article. The rank of so many is the price, so the index hands over the candidates.
_FOUND = text("""
    WITH asked AS (
        SELECT replace(plainto_tsquery('english', :words)::text, '&', '|')::tsquery AS any_word
    ), by_words AS (
        SELECT a.id, ts_rank(a.search, asked.any_word) AS rank, a.search
        FROM articles a, asked
        WHERE a.search @@ asked.any_word AND a.state = 'published'
            AND (CAST(:audience AS text) IS NULL OR a.audience = :audience)
        ORDER BY rank DESC LIMIT 30
    ), by_title AS (
        SELECT a.id, word_similarity(:title, a.title) AS rank
        FROM articles a
        WHERE CAST(:title AS text) IS NOT NULL AND a.title %> :title AND a.state = 'published'
            AND (CAST(:audience AS text) IS NULL OR a.audience = :audience)
        ORDER BY rank DESC LIMIT 10
    )
    SELECT id FROM (
        SELECT id, rank FROM by_words
        WHERE (SELECT count(*) FROM unnest(CAST(:each AS text[])) word
               WHERE by_words.search @@ plainto_tsquery('english', word)) >= :least
        UNION ALL SELECT id, rank FROM by_title
    ) found GROUP BY id ORDER BY max(rank) DESC, id LIMIT :most
""")


def find(connection: Connection, asked: str, *, audience: Audience | None = None, limit: int = 3) -> list[Row]:
    """The published articles that fit best, at most ``limit``; ``audience``: only what these are offered."""
    each = list(words_of(asked, most=_MOST_WORDS))
    if not each:
        return []
    title = asked.strip() if len(asked.strip()) <= _LONGEST_TITLE else None
    values = {
        "words": " ".join(each),
        "each": each,
        "least": min(2, len(each)),
        "title": title,
        "audience": audience.value if audience else None,
        "most": limit,
    }
    connection.execute(_NEARLY)
    return articles.get_many(connection, list(connection.execute(_FOUND, values).scalars()))


def find_for_ticket(connection: Connection, ticket_id: int, asked: str) -> list[Row]:
    """The articles that helped with a ticket, then others that may; ``did_help`` tells them apart."""
    helped = articles.helped_with(connection, ticket_id)
    known = {row["id"] for row in helped}
    found = [row for row in find(connection, asked) if row["id"] not in known]
    return [row | {"did_help": row["id"] in known} for row in (*helped, *found)]
