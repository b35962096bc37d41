"""``aftercare ticket``: open, show, list and work on tickets."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from cli.failure import CommandError
from cli.ready import working
from clock import utc_now
from domain.commands import build_command
from domain.contact import mask_email, mask_phone
from domain.intake import build_customer, build_report
from domain.lifecycle import COMMANDS, CommandName, TicketState
from domain.people import Actor, Role
from domain.tickets import Channel, Impact, Priority, ticket_id

app = typer.Typer(no_args_is_help=True)
As = Annotated[str, typer.Option("--as", help="The staff member's address, or 'customer'.")]


@app.command("open")
def open_(
    description: Annotated[str, typer.Argument(help="What the customer says, in their words.")],
    name: Annotated[str, typer.Option(help="The customer's name or nickname.")],
    phone: Annotated[str | None, typer.Option()] = None,
    email: Annotated[str | None, typer.Option()] = None,
    language: Annotated[str | None, typer.Option(help="zh-CN or en.")] = None,
    region: Annotated[str | None, typer.Option()] = None,
    channel: Channel = Channel.HOTLINE,
    impact: Annotated[Impact | None, typer.Option(help="Asked, else suggested from the words.")] = None,
    safety_risk: Annotated[bool | None, typer.Option(help="Asked, else suggested from the words.")] = None,
    product: Annotated[str | None, typer.Option(help="Device model.")] = None,
    serial: Annotated[str | None, typer.Option(help="Serial number.")] = None,
    order: Annotated[str | None, typer.Option(help="Order number.")] = None,
    taken_by: Annotated[str, typer.Option("--as", help="Who takes the report.")] = "customer",
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same key never opens two tickets.")] = None,
) -> None:
    """Take a report: it becomes a ticket, or joins the open one about the same fault."""
    from db import intake

    details = {"name": name, "phone": phone, "email": email, "language": language, "region": region}
    customer = build_customer({k: v for k, v in details.items() if v is not None})
    said = {
        "channel": channel,
        "description": description,
        "impact": impact,
        "is_safety_risk": safety_risk,
        "product_model": product,
        "serial_number": serial,
        "order_number": order,
    }
    report = build_report({k: v for k, v in said.items() if v is not None})
    now = utc_now()
    with working() as (connection, standard):
        customer_id = intake.find_or_add_customer(connection, customer, standard=standard, now=now)
        actor = Actor(Role.CUSTOMER, customer_id) if taken_by == "customer" else staff_actor(connection, taken_by)
        opened = intake.open_ticket(
            connection, customer_id, report, actor, standard=standard, now=now, idempotency_key=key
        )
    typer.echo(f"{opened.number} {'was open already; the report joined it' if opened.joined else 'is open'}.")


@app.command("list")
def list_tickets(
    state: Annotated[list[TicketState] | None, typer.Option(help="Only these states.")] = None,
    priority: Annotated[Priority | None, typer.Option()] = None,
    assignee: Annotated[str | None, typer.Option(help="The assignee's address.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed and cancelled ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List tickets, open ones unless told otherwise."""
    from db import tickets

    with working() as (connection, standard):
        zone = ZoneInfo(standard.organisation.time_zone)
        person = staff_actor(connection, assignee).id if assignee else None
        rows = tickets.list_open(
            connection, states=state or (), priority=priority, assignee_id=person, limit=limit, include_closed=closed
        )
    table = Table("Number", "P", "State", "Subject", "Assignee", "Tier", f"Next deadline ({zone.key})")
    for row in rows:
        values = (row["number"], row["priority"], row["state"], row["subject"], row["assignee_name"] or "-")
        table.add_row(*values, str(row["tier"]), local_time(row["due_at"], zone))
    Console().print(table if rows else "No tickets.")


@app.command()
def show(number: str) -> None:
    """Show one ticket: its promises, plans, history, messages, surveys and callbacks."""
    from db import callbacks, clocks, events, outbox, surveys, tickets

    with working() as (connection, standard):
        zone = ZoneInfo(standard.organisation.time_zone)
        ticket = tickets.get(connection, ticket_id(number))
        promises = clocks.of_ticket(connection, ticket["id"], ticket["round"])
        history = events.list_of(connection, ticket["id"])
        messages = outbox.list_of(connection, ticket["id"])
        plans = tickets.plans_of(connection, ticket["id"])
        asked = surveys.list_of(connection, ticket["id"])
        calls = callbacks.list_of(connection, ticket["id"])
        photos = tickets.attachments_of(connection, ticket["id"])
    console = Console(highlight=False)
    reach = ", ".join(filter(None, (mask_phone(ticket["customer_phone"]), mask_email(ticket["customer_email"]))))
    console.print(f"[bold]{ticket['number']}[/] {ticket['priority']} {ticket['state']}: {ticket['subject']}")
    console.print(f"{ticket['customer_name']} ({reach}), by {ticket['channel']}, tier {ticket['tier']}")
    console.print(f"category {ticket['category']} ({ticket['category_reason'] or 'no telling word'})", markup=False)
    console.print(f"assignee {ticket['assignee_name'] or '-'}; priority because: {ticket['priority_reason']}")
    for clock in promises:
        stand = "broken" if clock["breached_at"] else "kept" if clock["stopped_at"] else "running"
        stand = "paused" if clock["due_at"] is None else stand
        console.print(f"  {clock['kind']}: by {local_time(clock['due_at'], zone)} ({clock['calendar']}), {stand}")
    for plan in plans:
        console.print(f"  plan {plan['revision']} ({plan['kind']}) {plan['state']}: {'; '.join(plan['steps'])}")
    table = Table("#", "When", "What", "By", "State", "Payload")
    for event in history:
        who = f"{event['actor_role']}{'' if event['actor_id'] is None else ' ' + str(event['actor_id'])}"
        said = json.dumps(event["payload"] or event["facts"], ensure_ascii=False)
        values = (str(event["seq"]), local_time(event["at"], zone), event["kind"], who, event["to_state"], said)
        table.add_row(*values)
    console.print(table)
    for message in messages:
        console.print(
            f"  {local_time(message['queued_at'], zone)} {message['medium']} to {message['recipient_name']}: "
            f"{message['kind']}, {message['state']}",
            markup=False,
        )
    for survey in asked:
        score = "" if survey["overall"] is None else f", overall {survey['overall']}"
        console.print(f"  survey {survey['id']} ({survey['method']}) {survey['state']}{score}")
    for call in calls:
        late = ", escalated" if call["escalated_at"] else ""
        console.print(f"  callback {call['id']} by {local_time(call['due_at'], zone)} {call['state']}{late}")
    for photo in photos:
        console.print(f"  photo {photo['file_name']} ({photo['media_type']})", markup=False)


@app.command()
def do(
    number: str,
    command: CommandName,
    actor: As,
    values: Annotated[list[str] | None, typer.Argument(help="What the command must be told, as name=value.")] = None,
    photo: Annotated[list[Path] | None, typer.Option(help="A photo as evidence; may be given several times.")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same key never acts twice.")] = None,
) -> None:
    """Give a ticket a command, for example: first_contact --as li@... summary="called, confirmed"."""
    from db import attachments, commands, tickets

    order = build_command(command, _values(values or []))
    contents = [attachments.read_photo(path) for path in photo or ()]
    now = utc_now()
    with working() as (connection, standard):
        ticket = tickets.get(connection, ticket_id(number))
        who = Actor(Role.CUSTOMER, ticket["customer_id"]) if actor == "customer" else staff_actor(connection, actor)
        applied = commands.apply_command(
            connection, ticket["id"], order, who, standard=standard, now=now, idempotency_key=key
        )
        if not applied.was_repeated:
            for content in contents:
                attachments.add(connection, ticket["id"], applied.event_id, content, now=now)
    repeated = " (done before)" if applied.was_repeated else ""
    typer.echo(f"{applied.number} is {applied.state.value}{repeated}.")


@app.command()
def commands() -> None:
    """List what may be done to a ticket, in which states, and by whom."""
    table = Table("Command", "While the ticket is", "Leads to", "By")
    for name, traits in COMMANDS.items():
        states = ", ".join(sorted(state.value for state in traits.sources))
        roles = ", ".join(sorted(role.value for role in traits.by))
        table.add_row(name.value, states, traits.to.value if traits.to else "", roles)
    Console().print(table)


def staff_actor(connection: Connection, email: str) -> Actor:
    """The member of staff with this address. Raises NotFoundError."""
    from db import staff

    return staff.actor(connection, email)


def _values(pairs: list[str]) -> dict[str, Any]:
    values = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator:
            raise CommandError(f"{pair!r} is no name=value")
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def local_time(moment: datetime | None, zone: ZoneInfo) -> str:
    """``2026-11-24 14:30`` in the zone, or a dash."""
    return "-" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
