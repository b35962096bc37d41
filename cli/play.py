"""``aftercare demo`` and ``aftercare replay``: the product at work on a story, and on real history."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli.failure import CommandError
from cli.screen import Grid, Screen, clean

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
    engineers: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Play it with so many engineers too, side by side.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report for machines to this file.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write the two side by side to this HTML file.")] = None,
    language: Annotated[str | None, typer.Option(help="The language of the page.")] = None,
) -> None:
    """Play a real event log through the same commands and due sweeps, with the time taken from the log."""
    from cli import what_if
    from replay.history_map import load_map
    from replay.log_reader import read_log
    from replay.runner import Runner
    from replay.what_if import compare

    history_map = load_map(map_)
    if page is not None and standard is None and engineers is None:
        raise CommandError("--page shows two standards side by side; name the other with --standard or --engineers")
    _require_writable("--report", report)
    _require_writable("--page", page)
    rows, bad = read_log(log, history_map)
    screen = Screen()
    results = []
    with Runner(history_map, database_url, standard, engineers) as runner:
        for play in runner.plays:
            with _bar(screen) as progress:
                task = progress.add_task(f"Replaying {clean(log.name)} under {clean(play.name)}", total=len(rows))
                results.append(runner.run(rows, bad, play, progress=partial(_show, progress, task)))
    # First of all: what a long replay found is not lost to whatever the terminal makes of it.
    content: Any = results[0].as_json() | {"compared": [result.as_json() for result in results[1:]]}
    _write(report, json.dumps(content, ensure_ascii=False, indent=2))
    if len(results) > 1:
        moments = [row.at for row in rows]
        compared = compare(*results) | {
            "log": log.name,
            "since": min(moments, default=None),
            "until": max(moments, default=None),
            "changed": runner.changed,
            "engineers": engineers,
        }
        _write(page, what_if.page(compared, runner.plays[0].standard, language=language))
        what_if.show(screen, compared)
    _print(screen, results)
    for file in filter(None, (report, page)):
        screen.say(f"Written to {file}")
    if results[0].rejected == results[0].rows_read:
        why = next(iter(results[0].rejections))
        raise CommandError(f"none of the {results[0].rows_read:,} rows could be used; the most frequent reason: {why}")


def _require_writable(option: str, file: Path | None) -> None:
    """Raise CommandError when a file cannot be written: said before the replay, not after it."""
    if file is None:
        return
    folder = file.absolute().parent
    if not folder.is_dir():
        raise CommandError(f"{option}: {file}: there is no folder {folder}")
    if file.is_dir():
        raise CommandError(f"{option}: {file} is a folder; name a file in it")
    if not os.access(file if file.exists() else folder, os.W_OK):
        raise CommandError(f"{option}: {file} may not be written; name another file")


def _write(file: Path | None, content: str) -> None:
    if file is not None:
        file.write_text(content, "utf-8")


def _show(progress: Progress, task: TaskID, completed: int) -> None:
    progress.update(task, completed=completed)


def _bar(screen: Screen) -> Progress:
    description = TextColumn("{task.description}", markup=False)
    return Progress(description, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=screen)


def _print(screen: Screen, results: list[Any]) -> None:
    first = results[0]
    table = Grid("", *(result.standard for result in results), title="Replay")
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
        table.row(name.replace("_", " "), *(f"{getattr(result, name):,}" for result in results))
    for priority in sorted({p for result in results for p in result.breaches_by_priority}):
        table.row(f"breaches {priority}", *(f"{r.breaches_by_priority.get(priority, 0):,}" for r in results))
    screen.show(table)
    _counts(screen, "Repaired rows", first.repairs)
    _counts(screen, "Rejected rows", first.rejections)
    _counts(screen, "Messages that would have gone out", first.messages_by_kind)
    weeks = Grid(
        "Week", *("P1", "P2", "P3"), title=f"Breaches in the last {_SHOWN} of {len(first.breaches_by_week)} weeks"
    )
    for week, counts in list(first.breaches_by_week.items())[-_SHOWN:]:
        weeks.row(week, *(str(counts.get(priority, 0)) for priority in ("P1", "P2", "P3")))
    screen.show(weeks)
    load = Grid("Assignee", "Tickets", "Commands", title=f"Load, first {_SHOWN} of {len(first.load)}")
    for person in first.load[:_SHOWN]:
        load.row(person["name"], f"{person['tickets']:,}", f"{person['commands']:,}")
    screen.show(load)
    digests = Grid(
        "Digest", "Opened", "Completed", "Response kept", "Resolution kept", "Breaches", title="Last digests"
    )
    for digest in first.digests:
        volume, sla = digest["volume"], digest["sla"]
        shares = [_percent(sla[kind]["share"]["now"]) for kind in ("response", "resolution")]
        breaches = sla["response"]["missed"]["now"] + sla["resolution"]["missed"]["now"]
        digests.row(
            digest["week"], str(volume["opened"]["now"]), str(volume["completed"]["now"]), *shares, str(breaches)
        )
    screen.show(digests)


def _counts(screen: Screen, title: str, counts: dict[str, int]) -> None:
    if counts:
        table = Grid(title, "Rows" if "rows" in title else "Count")
        for what, count in list(counts.items())[: 3 * _SHOWN]:
            table.row(what, f"{count:,}")
        screen.show(table)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
