"""``aftercare demo`` and ``aftercare replay``: the product at work on a story, and on real history."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.failure import CommandError

_SHOWN = 8


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave Prefect's UI running afterwards, until Ctrl-C.")] = False,
) -> None:
    """Play five tickets from the first word to the digest, through real flow runs on a real Prefect server."""
    from cli.demo import play

    play(keep_open=keep)


def replay(
    log: Annotated[Path, typer.Argument(help="The event log, CSV or CSV.gz.")],
    map_: Annotated[str, typer.Option("--map", help="A TOML map, or the name of one that comes along.")],
    database_url: Annotated[str | None, typer.Option(help="An empty database; none: a fresh embedded one.")] = None,
    standard: Annotated[Path | None, typer.Option(help="Play it under this standard too, side by side.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report for machines to this file.")] = None,
) -> None:
    """Play a real event log through the same commands and due sweeps, with the time taken from the log."""
    from replay.history_map import load_map
    from replay.log_reader import read_log
    from replay.runner import Runner

    history_map = load_map(map_)
    rows, bad = read_log(log, history_map)
    if report is not None and not report.absolute().parent.is_dir():
        raise CommandError(f"{report}: there is no folder {report.absolute().parent}")
    console = Console(highlight=False, soft_wrap=True)
    results = []
    with Runner(history_map, database_url) as runner:
        for name, standard_file in [("standard", None), *([(standard.stem, standard)] if standard else [])]:
            with _bar(console) as progress:
                task = progress.add_task(f"Replaying {log.name} under {name}", total=len(rows))
                step = partial(_show, progress, task)
                results.append(runner.run(rows, bad, name, standard_file, progress=step))
    _print(console, results)
    if report is not None:
        content: Any = results[0].as_json() | {"compared": [result.as_json() for result in results[1:]]}
        report.write_text(json.dumps(content, ensure_ascii=False, indent=2), "utf-8")
        console.print(f"Report written to {report}")


def _show(progress: Progress, task: TaskID, completed: int) -> None:
    progress.update(task, completed=completed)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


def _print(console: Console, results: list[Any]) -> None:
    first = results[0]
    table = Table("", *(result.standard for result in results), title="Replay")
    for name in (
        "rows_read",
        "applied",
        "repaired",
        "rejected",
        "tickets",
        "events",
        "breaches",
        "messages",
        "seconds",
    ):
        table.add_row(name.replace("_", " "), *(f"{getattr(result, name):,}" for result in results))
    for priority in sorted({p for result in results for p in result.breaches_by_priority}):
        table.add_row(f"breaches {priority}", *(f"{r.breaches_by_priority.get(priority, 0):,}" for r in results))
    console.print(table)
    _counts(console, "Repaired rows", first.repairs)
    _counts(console, "Rejected rows", first.rejections)
    _counts(console, "Messages that would have gone out", first.messages_by_kind)
    weeks = Table(
        "Week", *("P1", "P2", "P3"), title=f"Breaches in the last {_SHOWN} of {len(first.breaches_by_week)} weeks"
    )
    for week, counts in list(first.breaches_by_week.items())[-_SHOWN:]:
        weeks.add_row(week, *(str(counts.get(priority, 0)) for priority in ("P1", "P2", "P3")))
    console.print(weeks)
    load = Table("Assignee", "Tickets", "Commands", title=f"Load, first {_SHOWN} of {len(first.load)}")
    for person in first.load[:_SHOWN]:
        load.add_row(person["name"], f"{person['tickets']:,}", f"{person['commands']:,}")
    console.print(load)
    digests = Table(
        "Digest", "Opened", "Completed", "Response kept", "Resolution kept", "Breaches", title="Last digests"
    )
    for digest in first.digests:
        volume, sla = digest["volume"], digest["sla"]
        shares = [_percent(sla[kind]["share"]["now"]) for kind in ("response", "resolution")]
        breaches = sla["response"]["missed"]["now"] + sla["resolution"]["missed"]["now"]
        digests.add_row(
            digest["week"], str(volume["opened"]["now"]), str(volume["completed"]["now"]), *shares, str(breaches)
        )
    console.print(digests)


def _counts(console: Console, title: str, counts: dict[str, int]) -> None:
    if counts:
        table = Table(title, "Rows" if "rows" in title else "Count")
        for what, count in list(counts.items())[: 3 * _SHOWN]:
            table.add_row(what, f"{count:,}")
        console.print(table)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
