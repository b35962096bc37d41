"""Where the workbench's pages are: what the navigation offers to whom, the daily ones first, the others in menus."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.access import (
    MAY_CARE,
    MAY_IMPROVE,
    MAY_READ_APPRAISAL,
    MAY_READ_BOARD,
    MAY_READ_FEEDBACK,
    MAY_READ_OUTBOX,
    MAY_READ_WORDS,
    MAY_REVIEW,
)
from domain.people import STAFF_ROLES, Role

DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page by its template's name, its address below the workbench, and its word in a section of the labels."""

    page: str
    path: str
    word: str
    section: str = "bench"
    roles: Collection[Role] = STAFF_ROLES


@dataclass(frozen=True, slots=True)
class Menu:
    """Entries that belong together; ``name`` is its word in the section of the workbench."""

    name: str
    entries: tuple[Entry, ...]


_MENUS = (
    Menu(
        DAILY,
        (
            Entry("mine", "", "mine"),
            Entry("calls", "/callbacks", "callbacks"),
            Entry("board", "/board", "board", roles=MAY_READ_BOARD),
            Entry("messages", "/messages", "outbox", roles=MAY_READ_OUTBOX),
            Entry("knowledge", "/knowledge", "title", "knowledge", MAY_READ_WORDS),
            Entry("search", "/search", "search"),
        ),
    ),
    Menu(
        "reports",
        (
            Entry("digest", "/digest", "digest", roles=MAY_READ_BOARD),
            Entry("ticket_list", "/tickets", "tickets", roles=MAY_READ_BOARD),
            Entry("sheet", "/sheet", "title", "tracking_sheet", MAY_READ_BOARD),
            Entry("feedback", "/feedback", "title", "feedback", MAY_READ_FEEDBACK),
            Entry("appraisal", "/appraisal", "title", "appraisal", MAY_READ_APPRAISAL),
        ),
    ),
    Menu(
        "improving",
        (
            Entry("quality", "/quality", "title", "quality"),
            Entry("reviews", "/reviews", "title", "reviews", MAY_REVIEW),
            Entry("churn", "/churn", "title", "churn", MAY_CARE),
            Entry("improvement", "/improvement", "title", "improvement", MAY_IMPROVE),
        ),
    ),
)


def menus_for(role: Role) -> list[Menu]:
    """What this role may go to; a menu of one page is no menu, its page is with the daily ones."""
    allowed = [Menu(menu.name, tuple(entry for entry in menu.entries if role in entry.roles)) for menu in _MENUS]
    single = tuple(menu.entries[0] for menu in allowed[1:] if len(menu.entries) == 1)
    return [Menu(DAILY, allowed[0].entries + single), *(menu for menu in allowed[1:] if len(menu.entries) > 1)]
