"""``aftercare ticket``: open, show, list and work on tickets."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection

from cli import colleagues, told
from cli.failure import CommandError
from cli.ready import working
from cli.screen import Grid, Screen
from clock import utc_now
from domain.access import MAY_READ_CONTACT, require_role
from domain.commands import COMMAND_TYPES, build_command
from domain.intake import build_customer, build_report
from domain.lifecycle import COMMANDS, CommandName, TicketState
from domain.people import Actor, Role
from domain.tickets import Channel, Impact, Priority, ticket_id

app = typer.Typer(no_args_is_help=True)
As = Annotated[str, typer.Option("--as", help="The staff member's address or name, or 'customer'.")]
Key = Annotated[str | None, typer.Option(help="Idempotency key: the same key never does it twice.")]
ENDS = frozenset({TicketState.CLOSED, TicketState.CANCELLED})


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
    key: Key = None,
) -> None:
    """Take a report: it becomes a ticket, or joins the open one about the same fault."""
    from db import intake

    require_key(key)
    if language is not None:
        require_language(language)
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
        by_customer = taken_by == "customer"
        actor = Actor(Role.CUSTOMER, customer_id) if by_customer else colleagues.find(connection, taken_by)
        opened = intake.open_ticket(
            connection, customer_id, report, actor, standard=standard, now=now, idempotency_key=key
        )
        unserved = region is not None and not _is_served(connection, region)
    said_of = "was open already; the report joined it" if opened.joined else "is open"
    hint = f" No team serves the region {region!r}; 'aftercare staff list' shows the regions." if unserved else ""
    Screen().say(f"{opened.number} {said_of}.{hint}")


def _is_served(connection: Connection, region: str) -> bool:
    """Whether the team of anybody active is for this region, or for every region."""
    from db import staff

    return any(person["region"] in (None, region) for person in staff.list_all(connection) if person["is_active"])


@app.command("list")
def list_tickets(
    state: Annotated[list[TicketState] | None, typer.Option(help="Only these states.")] = None,
    priority: Annotated[Priority | None, typer.Option()] = None,
    assignee: Annotated[str | None, typer.Option(help="The assignee's address or name.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed and cancelled ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List tickets, open ones unless told otherwise."""
    from db import tickets

    # Whoever asks for a state that is an end wants tickets that have ended.
    closed = closed or not ENDS.isdisjoint(state or ())
    with working() as (connection, standard):
        zone = ZoneInfo(standard.organisation.time_zone)
        person = colleagues.find(connection, assignee).id if assignee else None
        find = partial(tickets.list_open, connection, states=state or (), priority=priority, assignee_id=person)
        rows = find(limit=limit, include_closed=closed)
        only_closed = not rows and not closed and bool(find(limit=1, include_closed=True))
    grid = Grid(
        "Number", "P", "State", "Subject", "Assignee", "Tier", f"Next deadline ({zone.key})", whole={"Number", "State"}
    )
    for row in rows:
        values = (row["number"], row["priority"], row["state"], row["subject"], row["assignee_name"] or "-")
        grid.row(*values, row["tier"], local_time(row["due_at"], zone))
    screen = Screen()
    if rows:
        screen.show(grid)
    else:
        screen.say("No open tickets; --closed lists the closed ones." if only_closed else "No tickets.")


@app.command()
def show(
    number: str,
    contact: Annotated[bool, typer.Option("--contact", help="Who the customer is and how to reach them.")] = False,
    looks: Annotated[str | None, typer.Option("--as", help="Who looks, with --contact: address or name.")] = None,
) -> None:
    """Show one ticket: its promises, plans, history, messages, surveys and callbacks."""
    from cli.ticket_sheet import print_contact, print_sheet, read_sheet
    from db import contact_views, tickets

    if contact and looks is None:
        raise CommandError("--contact: say with --as who looks; it is recorded (S-71)")
    asked = None
    with working() as (connection, standard):
        sheet = read_sheet(connection, ticket_id(number))
        if contact and looks is not None:
            who = colleagues.find(connection, looks)
            require_role(who, MAY_READ_CONTACT, "reading how customers are reached")
            asked = tickets.get(connection, ticket_id(number))
            contact_views.note(
                connection, who, [asked["customer_id"]], ticket_id=asked["id"], where="command line", now=utc_now()
            )
    if asked is not None:
        print_contact(Screen(), asked)
    print_sheet(Screen(), sheet, ZoneInfo(standard.organisation.time_zone))


@app.command()
def do(
    number: str,
    command: CommandName,
    actor: As,
    values: Annotated[
        list[str] | None,
        typer.Argument(help="What it must be told, as name=value; 'ticket commands NAME' lists them."),
    ] = None,
    photo: Annotated[list[Path] | None, typer.Option(help="A photo as evidence; may be given several times.")] = None,
    key: Key = None,
) -> None:
    """Give a ticket a command, for example: first_contact --as li@... summary="called, confirmed"."""
    from cli.photos import read_photo
    from db import attachments, commands, tickets

    said = told.read(command, values or [])
    require_key(key)
    # Who is meant is known only to the database; what can be refused without it is refused first.
    named = said.pop(told.ASSIGNEE, None) if told.takes_assignee(command) else None
    order = build_command(command, said if named is None else said | {"assignee_id": 0})
    contents = [read_photo(path) for path in photo or ()]
    now = utc_now()
    with working() as (connection, standard):
        ticket = tickets.get(connection, ticket_id(number))
        if named is not None:
            order = build_command(command, said | {"assignee_id": colleagues.find(connection, named).id})
        who = Actor(Role.CUSTOMER, ticket["customer_id"]) if actor == "customer" else colleagues.find(connection, actor)
        applied = commands.apply_command(
            connection, ticket["id"], order, who, standard=standard, now=now, idempotency_key=key
        )
        if not applied.was_repeated:
            for content in contents:
                attachments.add(connection, ticket["id"], applied.event_id, content, now=now)
    repeated = " (done before)" if applied.was_repeated else ""
    Screen().say(f"{applied.number} is {applied.state.value}{repeated}.")


@app.command()
def commands(
    name: Annotated[CommandName | None, typer.Argument(help="Only this command, with what it must be told.")] = None,
) -> None:
    """List what may be done to a ticket, in which states, and by whom; with a name, what the command must be told."""
    screen = Screen()
    if name is not None:
        _explain(screen, name)
        return
    grid = Grid("Command", "While the ticket is", "Leads to", "By", whole={"Command", "Leads to"})
    for command, traits in COMMANDS.items():
        states = ", ".join(sorted(state.value for state in traits.sources))
        roles = ", ".join(sorted(role.value for role in traits.by))
        grid.row(command.value, states, traits.to.value if traits.to else "", roles)
    screen.show(grid)


def _explain(screen: Screen, name: CommandName) -> None:
    meaning = " ".join((COMMAND_TYPES[name].__doc__ or "").split())
    screen.say((name.value, "bold"), f": {meaning}")
    screen.say(f"While the ticket is {', '.join(sorted(state.value for state in COMMANDS[name].sources))}.")
    values = list(told.explain(name))
    if not values:
        screen.say("It takes no values.")
        return
    grid = Grid("Value", "Is", "Needed", "Meaning", whole={"Value"})
    for value in values:
        grid.row(*value)
    screen.show(grid)


def require_key(key: str | None) -> None:
    """Raise CommandError when an idempotency key was given and is empty: it would be one key for everything."""
    if key is not None and not key.strip():
        raise CommandError("--key: is empty; give a key of your own or leave it out")


def local_time(moment: datetime | None, zone: ZoneInfo) -> str:
    """``2026-11-24 14:30`` in the zone, or a dash."""
    return "-" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def require_language(language: str) -> None:
    """Raise CommandError unless there are words in this language, or in another one of its kind (zh-TW reads zh-CN)."""
    from templates.languages import language_for, languages

    asked = language.strip().replace("_", "-").casefold().partition("-")[0]
    if language_for(language).casefold().partition("-")[0] != asked:
        raise CommandError(f"--language: there are no words in {language!r}; there are {', '.join(languages())}")
