"""This file carries a sheet of answers on paper into the database, a batch at a time, and the verdicts back (S-51)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from db import paper_answers
from db.session import transaction
from domain.access import MAY_IMPORT_ANSWERS, require_role
from domain.exceptions import InvalidInputError
from domain.faults import Fault
from domain.paper_map import PaperMap, places_in
from domain.paper_rows import Fate, PaperRow, Verdict, read_row
from domain.people import Actor
from domain.sheets import Row
from domain.standard import Standard
from tasks.workbooks import open_rows
from templates.checked_sheet import CheckedSheet

_AT_A_TIME = 200
_HEADER_WITHIN = 20
_MOST_SHOWN = 20


@dataclass
class Imported:
    """What an import did, or would do. ``titles``: the column of each value; ``refused``: the first such rows."""

    titles: Mapping[str, str]
    unused: Sequence[str]
    fates: Counter[Fate] = field(default_factory=Counter)
    refused: list[tuple[int, Verdict]] = field(default_factory=list)

    def note(self, row: Row, verdict: Verdict) -> None:
        """Count a row's verdict."""
        self.fates[verdict.fate] += 1
        if verdict.fate is Fate.REFUSED and len(self.refused) < _MOST_SHOWN:
            self.refused.append((row.number, verdict))


def import_answers(
    source: Path,
    checked: Path,
    actor: Actor,
    *,
    words: PaperMap,
    dry_run: bool,
    language: str,
    standard: Standard,
    now: datetime,
    each: Callable[[int], object] = lambda _rows: None,
) -> Imported:
    """Take every row of the sheet that can be taken, and write a copy that says of each what became of it.

    Each batch is committed by itself: what a second run meets again counts as repeated. A ``dry_run`` stores nothing.
    ``each`` is told how many rows more were looked at. Raises NotPermittedError, InvalidInputError when the sheet
    cannot be read, and OSError when the copy cannot be written.
    """
    require_role(actor, MAY_IMPORT_ANSWERS, "importing answers")
    today = now.astimezone(ZoneInfo(standard.organisation.time_zone)).date()
    taken: dict[int, int] = {}
    with open_rows(source, sheet=words.sheet) as rows, CheckedSheet.open(checked, language) as copy:
        places, head = _header(rows, words)
        for row in head:
            copy.add(row, is_title=row is head[-1])
        titles = {name: str(head[-1].cells[place]) for name, place in places.items()}
        unused = [str(cell) for place, cell in enumerate(head[-1].cells) if cell and place not in places.values()]
        imported = Imported(titles, unused)
        while batch := list(islice(rows, _AT_A_TIME)):
            filled = [row for row in batch if not row.is_blank]
            read = [read_row(row.cells, places, words, today=today) for row in filled]
            verdicts = _decide(read, actor, taken, dry_run=dry_run, standard=standard, now=now)
            for row, verdict in zip(filled, verdicts, strict=True):
                imported.note(row, verdict)
                copy.add(row, verdict)
            each(len(batch))
    return imported


def _header(rows: Iterator[Row], words: PaperMap) -> tuple[dict[str, int], list[Row]]:
    """Where each value stands, and the rows down to the one with the titles."""
    head: list[Row] = []
    for row in islice(rows, _HEADER_WITHIN):
        head.append(row)
        places = places_in(row.cells, words)
        if places is not None:
            return places, head
    seen = next((row for row in head if sum(cell is not None for cell in row.cells) > 1), Row(0, ()))
    titles = ", ".join(str(cell) for cell in seen.cells if cell) or "none"
    raise InvalidInputError(
        "map",
        f"none of the first {_HEADER_WITHIN} rows has titles for overall, answered_on and one of ticket, order and "
        f"customer; the titles found are: {titles[:300]}",
    )


def _decide(
    read: Sequence[PaperRow | Mapping[str, Fault]],
    actor: Actor,
    taken: dict[int, int],
    *,
    dry_run: bool,
    standard: Standard,
    now: datetime,
) -> list[Verdict]:
    """The verdict on each row, in one transaction; tickets are locked by number, so that two imports never wait for
    each other."""
    papers = [row for row in read if isinstance(row, PaperRow)]
    with transaction() as connection:
        matched = paper_answers.match(connection, papers, taken, standard=standard)
        matches = [one for one in matched if isinstance(one, paper_answers.Match)]
        stored: dict[int, Verdict] = {}
        for one in sorted(matches, key=lambda each: each.ticket_id):
            stored[one.survey_id] = (
                Verdict(Fate.TAKEN)
                if dry_run
                else paper_answers.store(connection, one, actor, standard=standard, now=now)
            )
    of_papers = iter([one if isinstance(one, Verdict) else stored[one.survey_id] for one in matched])
    return [next(of_papers) if isinstance(row, PaperRow) else Verdict(Fate.REFUSED, row) for row in read]
