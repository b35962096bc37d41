"""``aftercare export``: sheets for people who decide."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from cli.failure import CommandError
from cli.ready import working
from cli.screen import Screen
from cli.ticket import require_language
from clock import utc_now
from domain.exceptions import InvalidInputError
from domain.tracking import opened_within

app = typer.Typer(no_args_is_help=True)
_DAY = ["%Y-%m-%d"]
_OPTIONS = {"first": "--from", "last": "--to"}


@app.callback()
def _group() -> None:
    """The group stays one with a single command."""


@app.command("tracking-sheet")
def tracking_sheet(
    out: Annotated[Path, typer.Option(help="The workbook to write, *.xlsx; one that is there is replaced.")],
    first: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="First day of opening; none: the first ticket's.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="Last day of opening; none: today.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="zh-CN or en; none: the organisation's.")] = None,
) -> None:
    """Write the service progress tracking sheet, a row per ticket (S-60)."""
    if out.suffix.lower() != ".xlsx":
        raise CommandError(f"--out: {out} must end with .xlsx")
    if out.is_dir():
        raise CommandError(f"--out: {out} is a folder")
    if not out.parent.is_dir():
        raise CommandError(f"--out: there is no folder {out.parent}")
    if language is not None:
        require_language(language)
    with working() as (connection, standard):
        from db import tracking
        from templates import tracking_sheet as sheet

        organisation = standard.organisation
        zone = organisation.time_zone
        try:
            since, until = opened_within(first and first.date(), last and last.date(), time_zone=zone, now=utc_now())
        except InvalidInputError as error:
            raise CommandError(f"{_OPTIONS[error.field]}: {error.problem}") from None
        total = tracking.count(connection, since=since, until=until)
        try:
            # Beside the target, so that nobody ever finds half a workbook there; what it holds is its owner's alone.
            with (
                tempfile.TemporaryDirectory(dir=out.parent, prefix=".aftercare-") as folder,
                Progress(console=Screen(stderr=True)) as progress,
            ):
                task = progress.add_task("Tickets", total=total)
                written = Path(folder) / out.name
                count = sheet.write(
                    tracking.rows(connection, since=since, until=until),
                    written,
                    language=language or organisation.default_language,
                    time_zone=zone,
                    each=lambda: progress.advance(task),
                )
                written.chmod(0o600)
                written.replace(out)
        except OSError as error:
            raise CommandError(f"--out: {out} cannot be written: {error.strerror or error}") from error
    Screen().say(f"Wrote {count} tickets to {out}." if count != 1 else f"Wrote 1 ticket to {out}.")
