"""The most frequent words and phrases of what people wrote, in Chinese and English, counted by answer (S-52)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

from domain.quality_policies import FeedbackPolicy

# Chinese in one piece, a word of an alphabet, or anything else that is no blank: there a phrase ends.
_PIECES = re.compile(r"[㐀-鿿]+|[^\W\d_㐀-鿿]+(?:['-][^\W\d_㐀-鿿]+)*|\S")
_CHINESE = re.compile(r"[㐀-鿿]")
_COUNT = re.compile(r"[一二两三四五六七八九十百几半多]+[天次个年月日周星期小时分钟号点回趟遍块元]+")
_LEAST = 2  # what one person says is not frequent
# A phrase stands instead of its words when so many of their answers have it.
_MOSTLY = 0.75


@dataclass(frozen=True, slots=True)
class Frequency:
    """In how many answers of the period and of the one before it a word or phrase occurs."""

    word: str
    now: int
    before: int


@dataclass(frozen=True, slots=True)
class _StopWords:
    never: frozenset[str]
    telling: frozenset[str]
    negations: Mapping[str, str]
    degrees: frozenset[str]


def frequent(now: Iterable[str], before: Iterable[str], policy: FeedbackPolicy, *, most: int = 20) -> list[Frequency]:
    """The words and phrases of the most answers, one text per answer, beside the answers of the period before."""
    own = frozenset(policy.stop_words)
    synonyms = {word: meant for meant, words in policy.synonyms.items() for word in words}
    counts, counts_before = (_count(texts, own, synonyms) for texts in (now, before))
    covered = {
        part
        for phrase, count in counts.items()
        for part in phrase
        if len(phrase) > 1 and count >= max(_LEAST, _MOSTLY * counts[(part,)])
    }
    listed = [
        Frequency(_joined(words), count, counts_before[words])
        for words, count in counts.items()
        if count >= _LEAST and not (len(words) == 1 and words[0] in covered)
    ]
    return sorted(listed, key=lambda one: (-one.now, -len(one.word), one.word))[:most]


def _count(texts: Iterable[str], own: frozenset[str], synonyms: Mapping[str, str]) -> Counter[tuple[str, ...]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        found: set[tuple[str, ...]] = set()
        for clause in _clauses(text):
            told = _telling(clause, own, synonyms)
            found |= {(word,) for word in told if word}
            found |= {(first, then) for first, then in pairwise(told) if first and then and first != then}
        counts.update(found)
    return counts


def _clauses(text: str) -> Iterator[list[str]]:
    """The words of each stretch without punctuation or figures, in lower case."""
    # Its dictionary takes 30 MB: only who counts words is to have it.
    import rjieba

    clause: list[str] = []
    for piece in _PIECES.findall(unicodedata.normalize("NFKC", text).casefold().replace("’", "'")):
        if _CHINESE.match(piece):
            clause += rjieba.cut(piece)
        elif piece[0].isalpha():
            clause.append(piece)
        else:
            yield clause
            clause = []
    yield clause


def _telling(clause: Sequence[str], own: frozenset[str], synonyms: Mapping[str, str]) -> list[str]:
    """The words that say something, a negation with its word; empty where another stood, which no phrase spans."""
    stop = _stop_words()
    found: list[str] = []
    negation = ""
    for word in clause:
        if word in stop.negations:
            negation = stop.negations[word]
        elif word in stop.degrees:
            continue
        else:
            meant = synonyms.get(word, word)
            if negation:
                meant = _joined((negation, meant))
                meant, negation = synonyms.get(meant, meant), ""
            elif meant in stop.never or meant in own or _is_idle(meant, stop):
                meant = ""
            found.append(meant)
    return found


def _is_idle(word: str, stop: _StopWords) -> bool:
    """A single character that says little, or a count such as 三天."""
    return (len(word) == 1 and word not in stop.telling) or _COUNT.fullmatch(word) is not None


def _joined(words: Sequence[str]) -> str:
    is_chinese = all(_CHINESE.match(word) for word in words)
    return ("" if is_chinese else " ").join(words)


@cache
def _stop_words() -> _StopWords:
    lists = tomllib.loads(resources.files("domain").joinpath("stop_words.toml").read_text("utf-8"))
    return _StopWords(
        frozenset([*lists["chinese"], *lists["english"]]),
        frozenset(lists["telling"]),
        {word: line[0] for line in lists["negations"] for word in line},
        frozenset(lists["degrees"]),
    )
