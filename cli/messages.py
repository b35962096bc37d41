"""``aftercare message``, ``channel`` and ``address``: what became of messages, and what staff do about it."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from cli.failure import CommandError
from cli.ready import working
from cli.ticket import local_time
from clock import utc_now
from domain.contact import mask_email, mask_phone
from domain.delivery import MessageState
from domain.messages import Medium

app = typer.Typer(no_args_is_help=True)
channels_app = typer.Typer(no_args_is_help=True)
addresses_app = typer.Typer(no_args_is_help=True)

_OVER = (MessageState.FAILED, MessageState.UNKNOWN, MessageState.WITHHELD)


@app.command("list")
def list_messages(
    state: Annotated[list[MessageState] | None, typer.Option(help="Only these; default: what needs a person.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List messages that failed or whose fate is unknown, newest first."""
    from db import outbox

    with working() as (connection, standard):
        rows = outbox.list_in(connection, state or [MessageState.FAILED, MessageState.UNKNOWN], limit=limit)
    table = Table("Id", "Ticket", "To", "What", "By", "State", "Why", "Queued")
    for row in rows:
        queued = local_time(row["queued_at"], ZoneInfo(standard.organisation.time_zone))
        table.add_row(
            str(row["id"]),
            row["ticket_number"] or "",
            row["recipient_name"],
            row["kind"],
            row["medium"],
            row["state"],
            row["error_code"] or "",
            queued,
        )
    Console().print(table if rows else "There are none.")


@app.command()
def show(message_id: Annotated[int, typer.Argument(help="The message's id.", min=1, max=2**63 - 1)]) -> None:
    """Show a message: its words, and everything that was learnt of its fate."""
    from db import fates, outbox

    with working() as (connection, standard):
        row = outbox.get(connection, message_id)
        story = fates.story(connection, message_id)
    zone = ZoneInfo(standard.organisation.time_zone)
    console = Console(highlight=False, soft_wrap=True)
    address = row["address"] or ""
    masked = mask_email(address) if "@" in address else mask_phone(address)
    console.print(f"{row['kind']} by {row['medium']} to {row['recipient_name']} {masked}", markup=False)
    console.print(f"{row['state']}{': ' + row['error_code'] if row['error_code'] else ''}", markup=False)
    for step in story:
        code = f" ({step['code']})" if step["code"] else ""
        line = f"  {local_time(step['at'], zone)}  attempt {step['attempt']}  {step['source']}: {step['status']}{code}"
        console.print(line, markup=False)
    if row["subject"]:
        console.print(f"\n{row['subject']}", markup=False)
    if row["body"]:
        console.print(f"\n{row['body']}", markup=False)


@app.command()
def resend(message_id: Annotated[int, typer.Argument(help="The message's id.", min=1, max=2**63 - 1)]) -> None:
    """Send a message again that failed, was withheld, or stays unknown: you decide that it may come twice."""
    from db import outbox

    with working() as (connection, _):
        row = outbox.get(connection, message_id)
        if row["state"] not in _OVER:
            raise CommandError(
                f"message {message_id} is {row['state']}; only what is over and did not arrive is resent"
            )
        outbox.resend(connection, message_id, now=utc_now())
    typer.echo(f"Message {message_id} is queued again.")


@channels_app.command("list")
def list_channels() -> None:
    """Show by what SMS and e-mail leave, what waits, and whether a vendor refuses us."""
    from channels.registry import chosen
    from db import media
    from settings import get_settings

    with working() as (connection, standard):
        rows = media.list_all(connection)
    table = Table("Channel", "By", "State", "Waiting", "SMS segments")
    for row in rows:
        state = "open"
        if row["stopped_at"] is not None:
            since = local_time(row["stopped_at"], ZoneInfo(standard.organisation.time_zone))
            state = f"stopped since {since}: {row['stop_code']}"
        segments = (
            f"{row['segments']:,} on {row['spent_on']}" if row["medium"] == Medium.SMS and row["spent_on"] else ""
        )
        by = chosen(Medium(row["medium"]), get_settings()).value
        table.add_row(row["medium"], by, state, f"{row['waiting']:,}", segments)
    Console().print(table)


@channels_app.command()
def resume(channel: Annotated[Medium, typer.Argument(help="The channel to open again.")]) -> None:
    """Let a channel send again that was stopped because its vendor refused us; mend the cause first."""
    from db import media

    with working() as (connection, _):
        if not media.resume(connection, channel):
            raise CommandError(f"{channel.value} is not stopped")
    typer.echo(f"{channel.value} sends again.")


@addresses_app.command("list")
def list_addresses() -> None:
    """List addresses to which nothing is sent, newest first."""
    from db import suppressions

    with working() as (connection, standard):
        rows = suppressions.list_active(connection)
    table = Table("Address", "Why", "Code", "Since")
    for row in rows:
        masked = mask_email(row["address"]) if row["medium"] == Medium.EMAIL else mask_phone(row["address"])
        table.add_row(
            masked, row["reason"], row["code"], local_time(row["since"], ZoneInfo(standard.organisation.time_zone))
        )
    Console().print(table if rows else "There are none.")


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
    typer.echo("Messages go there again.")
