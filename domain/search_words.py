"""A text cut into the words by which it is found, Chinese too, for a full-text index that knows only blanks (S-62)."""

from __future__ import annotations

from collections.abc import Sequence


def words_of(text: str, *, most: int) -> Sequence[str]:
    """The words and their parts in order, each once, in lower case; no marks, no lone Chinese characters.

    A lone character is hardly ever what somebody looks for, and stands in half of all texts.
    """
    # Its dictionary takes 30 MB: only who searches is to have it.
    import rjieba

    words: dict[str, None] = {}
    for word in rjieba.cut_for_search(text):
        bare = word.strip().casefold()
        if any(map(str.isalnum, bare)) and (len(bare) > 1 or bare.isascii()):
            words[bare] = None
            if len(words) == most:
                break
    return list(words)
