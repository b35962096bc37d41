"""What all answers say together: tags, means, shares of low scores, words, and themes with examples (S-52)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statsmodels.stats.proportion import proportion_confint

from domain.contact import mask_words
from domain.satisfaction import STAGES, wishes_of
from domain.spans import Span
from domain.standard import Standard
from domain.triage import first_found
from domain.words import Frequency, frequent

_MOST_QUOTES = 3
_LONGEST_QUOTE = 200

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of ``n`` are low; ``least`` and ``most``: between which the true share lies in 19 of 20 such cases."""

    low: int
    n: int
    value: float | None
    least: float
    most: float
    is_told: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The scores of a group in the period, and how many there were in the one before."""

    name: str
    n: int
    before: int
    mean: float | None
    mean_before: float | None
    share: Share


@dataclass(frozen=True, slots=True)
class Quote:
    """What one customer wrote, masked; who asked for anonymity is not told by the ticket (S-02)."""

    text: str
    overall: int
    ticket_number: str | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """All of it; ``tags`` by kind: theme, stage, problem, product, customer. ``wishes`` and ``praise``: words."""

    overall: Tally
    stages: Sequence[Tally]
    tags: Mapping[str, Sequence[Tally]]
    wishes: Sequence[Frequency]
    praise: Sequence[Frequency]
    quotes: Mapping[str, Sequence[Quote]]


def tags_of(row: Row, standard: Standard) -> set[tuple[str, str]]:
    """What the answer is about, as (kind, name), by the rules and words of the standard.

    It is about a stage that it rates low, asks to improve, or names; about each theme whose words occur; and of its
    ticket's problem type and product and its customer's type.
    """
    policy, wishes = standard.feedback, wishes_of(row)
    stages = {
        stage
        for stage, words in policy.stages.items()
        if row[f"{stage}_improvement"]
        or (row[stage] is not None and row[stage] <= standard.callback.low_score)
        or first_found(words, wishes) is not None
    }
    themes = {name for name, theme in policy.themes.items() if first_found(theme.words, wishes) is not None}
    return {
        *(("stage", stage) for stage in stages),
        *(("theme", theme) for theme in themes),
        ("problem", row["category"]),
        ("customer", row["customer_tier"]),
        ("customer", "returning" if row["is_returning"] else "new"),
        *([("product", row["product_model"])] if row["product_model"] else []),
    }


def analyse(rows: Sequence[Row], span: Span, standard: Standard) -> Feedback:
    """What the answers of the span say, beside the period before; ``rows`` are those of ``db.feedback.answers``."""
    now, before = _halves(rows, span)
    by_tag, by_tag_before = _by_tag(now, standard), _by_tag(before, standard)
    tags: dict[str, list[Tally]] = {}
    for (kind, name), tagged in by_tag.items():
        tags.setdefault(kind, []).append(_tally(name, "overall", tagged, by_tag_before.get((kind, name), ()), standard))
    for tallies in tags.values():
        tallies.sort(key=lambda tally: (-tally.n, tally.name))
    return Feedback(
        _tally("overall", "overall", now, before, standard),
        [_tally(stage, stage, now, before, standard) for stage in STAGES],
        tags,
        frequent(map(wishes_of, now), map(wishes_of, before), standard.feedback),
        frequent((r["best_point"] for r in now), (r["best_point"] for r in before), standard.feedback, most=12),
        {name: _quotes(tagged) for (kind, name), tagged in by_tag.items() if kind == "theme"},
    )


def _halves(rows: Sequence[Row], span: Span) -> tuple[list[Row], list[Row]]:
    now = [row for row in rows if span.since <= row["answered_at"] < span.until]
    return now, [row for row in rows if span.before <= row["answered_at"] < span.since]


def _by_tag(rows: Iterable[Row], standard: Standard) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for tag in tags_of(row, standard):
            found.setdefault(tag, []).append(row)
    return found


def _tally(name: str, score: str, now: Sequence[Row], before: Sequence[Row], standard: Standard) -> Tally:
    given = [row[score] for row in now if row[score] is not None]
    given_before = [row[score] for row in before if row[score] is not None]
    low = sum(value <= standard.callback.low_score for value in given)
    share = _share(low, len(given), too_few=standard.feedback.too_few)
    return Tally(name, len(given), len(given_before), _mean(given), _mean(given_before), share)


def _mean(scores: Sequence[int]) -> float | None:
    return round(sum(scores) / len(scores), 2) if scores else None


def _share(low: int, n: int, *, too_few: int) -> Share:
    if n == 0:
        return Share(0, 0, None, 0.0, 1.0, is_told=False)
    least, most = proportion_confint(low, n, method="wilson")
    return Share(low, n, low / n, float(least), float(most), is_told=n >= too_few)


def _quotes(tagged: Sequence[Row]) -> list[Quote]:
    """The lowest scores first, of these the newest; no text twice."""
    ranked = sorted(tagged, key=lambda row: (row["overall"], -row["answered_at"].timestamp()))
    quotes: dict[str, Quote] = {}
    for row in ranked:
        text = " ".join(mask_words(wishes_of(row), row["customer_name"]).split())
        if len(text) > _LONGEST_QUOTE:
            text = f"{text[: _LONGEST_QUOTE - 1]}…"
        quotes.setdefault(text, Quote(text, row["overall"], None if row["wants_anonymity"] else row["ticket_number"]))
        if len(quotes) == _MOST_QUOTES:
            break
    return list(quotes.values())
