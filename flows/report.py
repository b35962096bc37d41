"""What a run leaves behind: an artifact of what it did, a state message, and a red run when something failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from prefect.artifacts import create_table_artifact
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

import tracing
from domain.exceptions import DomainError
from settings import get_settings
from tasks.windows import DATABASE_AWAY

_MOST_ROWS = 20


class Report:
    """Counts what a run did and keeps the first rows of it; ``key`` names the artifact in the Prefect UI."""

    def __init__(self, key: str, description: str) -> None:
        self.key = key
        self.description = description
        self.counts: Counter[str] = Counter()
        self.rows: list[Mapping[str, Any]] = []
        self.failed: set[Hashable] = set()
        self.problems: list[str] = []

    def add(self, what: str, rows: Iterable[Mapping[str, Any]] = (), *, count: int | None = None) -> int:
        """Note what was done; returns how much."""
        rows = list(rows)
        amount = len(rows) if count is None else count
        self.counts[what] += amount
        self.rows += rows[: _MOST_ROWS - len(self.rows)]
        return amount

    def outcome(self, run: PrefectFuture[Any], subjects: Iterable[Hashable], what: str) -> Any:
        """The result of a task run, or None when it failed: the run goes on with the rest and ends red.

        What failed is left alone for the rest of this run; the next one tries again. What only the database kept from
        its end is tried again at once.
        """
        subjects = list(subjects)
        result = run.result(raise_on_failure=False)
        if isinstance(result, DATABASE_AWAY):
            return None
        if isinstance(result, BaseException):
            self.failed.update(subjects)
            self.problem(f"{what} of {', '.join(map(str, subjects[:3]))}: {type(result).__name__}")
            return None
        return result

    def problem(self, what: str) -> None:
        """Note something that a person must mend; the run ends red and says it once."""
        if what not in self.problems:
            self.problems.append(what)

    def finish(self) -> State[None]:
        """Write the artifact if there is something to read, and return the run's final state."""
        tracing.flush()
        summary = ", ".join(f"{what}: {count}" for what, count in self.counts.items() if count) or "nothing was due"
        if self.rows:
            more = f" First {len(self.rows)} of {self.counts.total()}." if self.counts.total() > len(self.rows) else ""
            table = [_linked(row) for row in self.rows]
            create_table_artifact(key=self.key, table=table, description=f"{self.description} {summary}.{more}")
        if self.problems:
            return Failed(
                message=f"{summary}; failed: {'; '.join(self.problems[:5])}. See the failed task runs; "
                "what failed is tried again by the next run."
            )
        return Completed(message=summary)


def _linked(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row, its ticket's number as a link to the workbench."""
    if not row.get("ticket"):
        return dict(row)
    return {**row, "ticket": f"[{row['ticket']}]({get_settings().ticket_url(str(row['ticket']))})"}


def too_late() -> State[None]:
    """The state of a run that started after its window was over."""
    return Completed(message="started after its window was over; the run that is due now does the work")


def refused(error: DomainError) -> State[None]:
    """The state of a run that somebody asked for and that a rule forbids: it says what to mend."""
    return Failed(message=f"{error}. Nothing was changed; mend it and run the form again.")
