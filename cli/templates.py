"""``aftercare templates``: look at the words before customers do, and find what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from cli.failure import CommandError
from cli.screen import Grid, Screen

if TYPE_CHECKING:
    from templates.preview import Shown

app = typer.Typer(no_args_is_help=True)


@app.command()
def check() -> None:
    """Check every message in every form and language; exit code 1 when something is wrong."""
    from settings import written_standard
    from templates.check import Cost, House, find_faults
    from templates.languages import languages

    house = House.of(written_standard())
    faults, costs = find_faults(house)
    if faults:
        for fault in faults:
            Screen().say(fault)
        number = "1 fault is" if len(faults) == 1 else f"{len(faults)} faults are"
        raise CommandError(f"{number} in the templates; mend them and run 'aftercare templates check' again")

    def said(cost: Cost | None) -> str:
        if cost is None:
            return "-"
        few, many = cost.usual.segments, cost.most.segments
        return f"{few}" if few == many else f"{few} to {many}"

    by_place = {(cost.kind, cost.language): cost for cost in costs}
    grid = Grid("SMS", *(f"{language}, segments" for language in languages()), whole={"SMS"})
    for kind in dict.fromkeys(cost.kind for cost in costs):
        grid.row(kind.value, *(said(by_place.get((kind, language))) for language in languages()))
    Screen().show(grid)
    Screen().say(
        f"All templates are fine: {', '.join(languages())}. No SMS needs more than {house.sms_segments} segments."
    )


@app.command()
def preview(
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("build/templates"),
    language: Annotated[str | None, typer.Option(help="Only this language, like zh-CN.")] = None,
    png: Annotated[bool, typer.Option("--png", help="With screenshots, where a Chromium is on the PATH.")] = False,
) -> None:
    """Write every message with sample data and with hostile data to a folder, and an index to look at."""
    from settings import written_standard
    from templates.check import House
    from templates.environment import WordsError
    from templates.languages import languages
    from templates.preview import write_index, write_messages

    known = languages()
    if language is not None and language not in known:
        raise CommandError(f"there is no language {language!r}; there are {', '.join(known)}")
    house = House.of(written_standard())
    try:
        shown = write_messages(out, [language] if language else known, house)
        if png:
            _take_pictures(out, shown)
        index = write_index(out, shown, house)
    except WordsError as error:
        raise CommandError(f"{error}; 'aftercare templates check' lists all faults") from error
    except OSError as error:
        raise CommandError(f"cannot write to {out}: {error.strerror}; name another folder with --out") from error
    Screen().say(f"{len(shown)} messages are in {index}")


def _take_pictures(out: Path, shown: Sequence[Shown]) -> None:
    from templates.preview import take_pictures
    from templates.screenshots import BrowserError, browser, find_browser

    command = find_browser()
    if command is None:
        Screen().say("No screenshots: there is no chromium on the PATH.")
        return
    try:
        with browser(command) as started, Progress(console=Screen(stderr=True)) as progress:
            for _ in progress.track(take_pictures(out, shown, started), len(shown), description="Screenshots"):
                pass
    except BrowserError as error:
        Screen().say(f"No more screenshots: {error}.")
