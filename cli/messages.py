"""``aftercare message``, ``channel`` and ``address``: what became of messages, and what staff do about it."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.failure import CommandError
from cli.ready import working
from cli.screen import Grid, Screen
from cli.ticket import local_time
from clock import utc_now
from domain.contact import mask_address
from domain.delivery import MessageState
from domain.interventions import MessageStep
from domain.message_care import Shelf
from domain.messages import Medium

app = typer.Typer(no_args_is_help=True)
channels_app = typer.Typer(no_args_is_help=True)
addresses_app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_messages(
    state: Annotated[list[MessageState] | None, typer.Option(help="Only these; default: what needs a person.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List messages that failed or whose fate is unknown, newest first."""
    from db import messages

    with working() as (connection, standard):
        if state:
            rows = messages.list_in(connection, state, limit=limit)
        else:
            rows = messages.on_shelf(connection, Shelf.NEEDS_A_PERSON, limit=limit)
    grid = Grid("Id", "Ticket", "To", "What", "By", "State", "Why", "Queued", whole={"Id", "Ticket", "What", "Queued"})
    for row in rows:
        queued = local_time(row["queued_at"], ZoneInfo(standard.organisation.time_zone))
        grid.row(
            str(row["id"]),
            row["ticket_number"] or "",
            row["recipient_name"],
            row["kind"],
            row["medium"],
            row["state"],
            row["error_code"] or "",
            queued,
        )
    Screen().show(grid, otherwise="There are none.")


@app.command()
def show(message_id: Annotated[int, typer.Argument(help="The message's id.", min=1, max=2**63 - 1)]) -> None:
    """Show a message: its words, and everything that was learnt of its fate."""
    from db import fates, messages

    with working() as (connection, standard):
        row = messages.get(connection, message_id)
        story = fates.story(connection, message_id)
    zone = ZoneInfo(standard.organisation.time_zone)
    screen = Screen()
    screen.say(f"{row['kind']} by {row['medium']} to {row['recipient_name']} {mask_address(row['address'])}")
    screen.say(f"{row['state']}{': ' + row['error_code'] if row['error_code'] else ''}")
    for step in story:
        code = f" ({step['code']})" if step["code"] else ""
        line = f"  {local_time(step['at'], zone)}  attempt {step['attempt']}  {step['source']}: {step['status']}{code}"
        screen.say(line)
    if row["subject"]:
        screen.say(f"\n{row['subject']}", lines=True)
    if row["body"]:
        screen.say(f"\n{row['body']}", lines=True)


@app.command()
def resend(message_id: Annotated[int, typer.Argument(help="The message's id.", min=1, max=2**63 - 1)]) -> None:
    """Send a message again that failed, was withheld, or stays unknown: you decide that it may come twice."""
    from db import interventions

    with working() as (connection, _):
        interventions.decide_message(connection, message_id, MessageStep.RESEND, now=utc_now())
    Screen().say(f"Message {message_id} is queued again.")


@channels_app.command("list")
def list_channels() -> None:
    """Show by what SMS and e-mail leave, what waits, and whether a vendor refuses us."""
    from channels.registry import chosen
    from db import media
    from settings import get_settings

    with working() as (connection, standard):
        rows = media.list_all(connection)
    grid = Grid("Channel", "By", "State", "Waiting", "SMS segments", whole={"Channel", "By"})
    for row in rows:
        state = "open"
        if row["stopped_at"] is not None:
            since = local_time(row["stopped_at"], ZoneInfo(standard.organisation.time_zone))
            state = f"stopped since {since}: {row['stop_code']}"
        segments = (
            f"{row['segments']:,} on {row['spent_on']}" if row["medium"] == Medium.SMS and row["spent_on"] else ""
        )
        by = chosen(Medium(row["medium"]), get_settings()).value
        grid.row(row["medium"], by, state, f"{row['waiting']:,}", segments)
    Screen().show(grid)


@channels_app.command()
def resume(channel: Annotated[Medium, typer.Argument(help="The channel to open again.")]) -> None:
    """Let a channel send again that was stopped because its vendor refused us; mend the cause first."""
    from db import media

    with working() as (connection, _):
        if not media.resume(connection, channel):
            raise CommandError(f"{channel.value} is not stopped")
    Screen().say(f"{channel.value} sends again.")


@addresses_app.command("list")
def list_addresses() -> None:
    """List addresses to which nothing is sent, newest first."""
    from db import suppressions

    with working() as (connection, standard):
        rows = suppressions.list_active(connection)
    grid = Grid("Address", "Why", "Code", "Since", whole={"Address", "Since"})
    for row in rows:
        masked = mask_address(row["address"])
        grid.row(
            masked, row["reason"], row["code"], local_time(row["since"], ZoneInfo(standard.organisation.time_zone))
        )
    Screen().show(grid, otherwise="There are none.")


@addresses_app.command()
def allow(address: Annotated[str, typer.Argument(help="The number or e-mail address, in full.")]) -> None:
    """Send to an address again, for example after its owner asked for it or it was mended."""
    from db import suppressions
    from domain.contact import normalise_email, normalise_phone

    with working() as (connection, standard):
        region = standard.organisation.default_phone_region
        known = normalise_email(address) if "@" in address else normalise_phone(address, region=region)
        if not suppressions.lift(connection, known, now=utc_now()):
            raise CommandError("nothing forbids this address; see 'aftercare address list'")
    Screen().say("Messages go there again.")
