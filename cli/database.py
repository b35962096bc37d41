"""``aftercare db``: bring the database up to date, check its history, put sample staff into it."""

from __future__ import annotations

import typer
from rich.progress import track

from cli.failure import CommandError
from cli.ready import prepare, working
from cli.screen import Screen
from clock import utc_now

app = typer.Typer(no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Migrate the database to this version's schema and write the standard's calendars into it."""
    from db.schema import head

    prepare(migrate=True)
    Screen().say(f"The database is at revision {head()}.")


@app.command()
def check() -> None:
    """Check that the schema is this version's and that no ticket's history was altered (S-70)."""
    from db import events, mailbox, schema
    from db.session import transaction

    url, _ = prepare()
    with transaction(url) as connection:
        differing = schema.differences(connection)
        flaws = list(
            track(events.find_flaws(connection), description="Checking histories", console=Screen(), transient=True)
        )
        doubled = mailbox.find_doubled(connection)
    for difference in differing:
        Screen().say(f"schema: {difference}")
    for flaw in flaws:
        Screen().say(f"history: {flaw}")
    for message_id in doubled:
        Screen().say(f"message {message_id} was handed over more than once")
    if differing or flaws or doubled:
        raise CommandError("the database is not as it should be; the lines above say where")
    Screen().say("Schema, histories and messages are as they should be.")


@app.command()
def restored() -> None:
    """After a backup was restored, before anything else starts: what may have left since is looked up first."""
    from db import recovery
    from db.session import transaction
    from tasks.recovery import doubt_what_was_owed

    url, _ = prepare()
    with transaction(url) as connection:
        next_ticket = recovery.leave_gap(connection)
        signed_out = recovery.end_sessions(connection)
    held = doubt_what_was_owed(now=utc_now())
    say = Screen().say
    say(f"Messages that were owed and may have left since: {held}. They are looked up before they leave again;")
    say("'aftercare message list --state unknown' names those about which nobody can be asked.")
    say(f"The next ticket is {next_ticket}: numbers and links given out since the backup belong to nobody.")
    say(f"Sessions ended: {signed_out}. Do again what was forbidden since the backup: keys revoked, staff who left,")
    say("addresses that opted out, erasures; it is in no backup.")


@app.command()
def seed() -> None:
    """Add sample teams and staff, so that tickets find an assignee; does nothing when there are staff."""
    from db import seed as samples

    with working() as (connection, _):
        added = samples.add_staff(connection)
    Screen().say(f"Added {added} members of staff." if added else "There are staff already; nothing was added.")
