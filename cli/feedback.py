"""``aftercare feedback``: answers on paper come in, and what all answers say (S-51, S-52)."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from cli import colleagues
from cli.failure import CommandError
from cli.ready import prepare, working
from cli.screen import Grid, Screen, humanly
from cli.ticket import require_language
from clock import utc_now
from domain.exceptions import InvalidInputError

if TYPE_CHECKING:
    from domain.feedback import Share
    from tasks.feedback import Imported

app = typer.Typer(no_args_is_help=True)
_DAY = ["%Y-%m-%d"]


@app.command("import")
def import_(
    sheet: Annotated[Path, typer.Argument(help="The workbook or CSV with a row per answer.")],
    actor: Annotated[str, typer.Option("--as", help="The address or name of the member of staff who imports.")],
    own_map: Annotated[
        Path | None, typer.Option("--map", help="Your titles and words; see domain/paper_map.toml.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would be taken, and store nothing.")] = False,
    checked: Annotated[
        Path | None, typer.Option(help="Where the copy with the result of each row goes; none: beside the sheet.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="zh-CN or en, of the copy; none: the organisation's.")] = None,
) -> None:
    """Take answers on paper from a sheet; what was taken before, or was answered online, is not counted twice."""
    if language is not None:
        require_language(language)
    out = checked or sheet.with_name(f"{sheet.stem}.checked.xlsx")
    if out.suffix.lower() != ".xlsx" or not out.parent.is_dir() or out.resolve() == sheet.resolve():
        raise CommandError(f"--checked: {out} must be a new *.xlsx in a folder that exists")
    from db.session import transaction
    from domain.paper_map import load_map
    from tasks.feedback import import_answers

    url, standard = prepare()
    with transaction(url) as connection:
        who = colleagues.find(connection, actor)
    errors = Screen(stderr=True)
    try:
        with (
            tempfile.TemporaryDirectory(dir=out.parent, prefix=".aftercare-") as folder,
            Progress(
                SpinnerColumn(),
                TextColumn("{task.description} {task.completed}"),
                console=errors,
                disable=not errors.is_terminal,
            ) as progress,
        ):
            task = progress.add_task("Rows", total=None)
            written = Path(folder) / out.name
            imported = import_answers(
                sheet,
                written,
                who,
                words=load_map(own_map),
                dry_run=dry_run,
                language=language or standard.organisation.default_language,
                standard=standard,
                now=utc_now(),
                each=lambda rows: progress.advance(task, rows),
            )
            written.chmod(0o600)  # it holds what customers wrote
            written.replace(out)
    except InvalidInputError as error:
        where = {"map": "--map", "sheet": "--map, sheet", "file": str(sheet)}
        raise CommandError(f"{where.get(error.field, error.field)}: {error.problem}") from None
    except OSError as error:
        raise CommandError(f"--checked: {out} cannot be written: {error.strerror or error}") from error
    _say(imported, out, dry_run=dry_run)


def _say(imported: Imported, out: Path, *, dry_run: bool) -> None:
    from domain.paper_rows import Fate
    from templates.checked_sheet import said

    screen = Screen()
    columns = Grid("Value", "Column")
    for name, title in imported.titles.items():
        columns.row(name, title)
    if dry_run:
        screen.show(columns)
        if imported.unused:
            screen.say(f"Not read: {', '.join(imported.unused)}")
    refused = Grid("Row", "Why it is not taken", whole={"Row"})
    for number, verdict in imported.refused:
        refused.row(number, said(verdict, "en"))
    if imported.refused:
        screen.show(refused)
    counts = {fate.value: imported.fates[fate] for fate in Fate}
    would = "would be " if dry_run else ""
    screen.say(
        f"{counts['taken']} {would}taken, {counts['repeated']} repeated, {counts['refused']} refused; {out} says why."
    )


@app.command()
def report(
    first: Annotated[datetime, typer.Option("--from", formats=_DAY, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=_DAY, help="Last day.")],
    region: Annotated[str | None, typer.Option(help="Only tickets of this region.")] = None,
    language: Annotated[str | None, typer.Option(help="Of the names of tags: zh-CN or en.")] = None,
) -> None:
    """Say what the answers of these days say, beside as many days before: scores, tags, words."""
    from db import feedback
    from domain.feedback import analyse
    from domain.spans import days_between
    from templates.tag_names import tag_name

    if language is not None:
        require_language(language)
    with working() as (connection, standard):
        span = days_between(first.date(), last.date(), standard.organisation.time_zone).within(region)
        found = analyse(feedback.answers(connection, span), span, standard)
    screen, spoken = Screen(), language or standard.organisation.default_language
    screen.say(f"{span.label}: answers {found.overall.n}, before {found.overall.before}")
    scores = Grid("About", "Answers", "Before", "Mean", "Before", "Low scores")
    for kind, tallies in (("stage", found.stages), *found.tags.items()):
        for tally in tallies:
            name = tag_name(kind, tally.name, spoken, standard)
            scores.row(name, tally.n, tally.before, humanly(tally.mean), humanly(tally.mean_before), _told(tally.share))
    screen.show(scores)
    words = Grid("Frequent word", "Answers", "Before")
    for one in found.wishes:
        words.row(one.word, one.now, one.before)
    screen.show(words, otherwise="No word occurs in two answers.")


def _told(share: Share) -> str:
    if not share.is_told:
        return f"n = {share.n}: too few to say" if share.n else "-"
    return f"{share.value:.0%} ({share.least:.0%} to {share.most:.0%})"
