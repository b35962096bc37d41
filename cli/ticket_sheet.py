"""What ``aftercare ticket show`` prints: everything that is known of one ticket, people by their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cli import colleagues
from cli.screen import Grid, Screen, humanly
from cli.ticket import local_time
from db import attachments, callbacks, clocks, events, outbox, surveys, tickets
from domain.contact import mask_email, mask_phone, shown_name
from domain.people import Role
from settings import get_settings

# Where an event names a member of staff by id; "from" is one where it is a number.
_PEOPLE = frozenset({"assignee_id", "from", "told", "supervisor_id"})

Row = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """One ticket as it was at one moment."""

    ticket: Row
    promises: list[Row]
    history: list[Row]
    messages: list[Row]
    plans: list[Row]
    asked: list[Row]
    calls: list[Row]
    photos: list[Row]
    staff: dict[int, str]


def read_sheet(connection: Connection, ticket_id: int) -> Sheet:
    """Read it. Raises NotFoundError."""
    ticket = tickets.get(connection, ticket_id)
    ticket["customer_name"] = shown_name(ticket, to_servers=False)
    return Sheet(
        ticket,
        list(clocks.of_ticket(connection, ticket["id"], ticket["round"])),
        events.list_of(connection, ticket["id"]),
        [
            row | {"recipient_name": ticket["customer_name"] if row["customer_id"] else row["recipient_name"]}
            for row in outbox.list_of(connection, ticket["id"])
        ],
        tickets.plans_of(connection, ticket["id"]),
        surveys.list_of(connection, ticket["id"]),
        callbacks.list_of(connection, ticket["id"]),
        attachments.list_of(connection, ticket["id"]),
        colleagues.names(connection),
    )


def print_contact(screen: Screen, ticket: Row) -> None:
    """Print who the customer is and how they are reached, unmasked; the caller records that somebody looked."""
    reach = ", ".join(filter(None, (ticket["customer_phone"], ticket["customer_email"])))
    screen.say(f"{ticket['customer_name']}: {reach or 'erased'}")


def print_sheet(screen: Screen, sheet: Sheet, zone: ZoneInfo) -> None:
    """Print it, with times in the zone."""
    ticket = sheet.ticket
    reach = ", ".join(filter(None, (mask_phone(ticket["customer_phone"]), mask_email(ticket["customer_email"]))))
    screen.say((ticket["number"], "bold"), f" {ticket['priority']} {ticket['state']}: {ticket['subject']}")
    screen.say(f"{ticket['customer_name']} ({reach}), by {ticket['channel']}, tier {ticket['tier']}")
    screen.say(f"category {ticket['category']} ({ticket['category_reason'] or 'no telling word'})")
    screen.say(f"assignee {ticket['assignee_name'] or '-'}; priority because: {ticket['priority_reason']}")
    if ticket["description"].strip() != ticket["subject"]:
        screen.say(f"“{ticket['description'].strip()}”", lines=True)
    for clock in sheet.promises:
        stand = "broken" if clock["breached_at"] else "kept" if clock["stopped_at"] else "running"
        stand = "paused" if clock["due_at"] is None else stand
        screen.say(f"  {clock['kind']}: by {local_time(clock['due_at'], zone)} ({clock['calendar']}), {stand}")
    for plan in sheet.plans:
        screen.say(f"  plan {plan['revision']} ({plan['kind']}) {plan['state']}: {'; '.join(plan['steps'])}")
    grid = Grid("#", "When", "What", "By", "State", "Told", whole={"#", "When", "What", "State"})
    for event in sheet.history:
        when = local_time(event["at"], zone)
        grid.row(event["seq"], when, event["kind"], _who(sheet, event), event["to_state"], _told(sheet, event))
    screen.show(grid)
    for message in sheet.messages:
        screen.say(
            f"  {local_time(message['queued_at'], zone)} {message['medium']} to {message['recipient_name']}: "
            f"{message['kind']}, {message['state']}"
        )
    for survey in sheet.asked:
        score = "" if survey["overall"] is None else f", overall {survey['overall']}"
        screen.say(f"  survey {survey['id']} ({survey['method']}) {survey['state']}{score}")
    for call in sheet.calls:
        late = ", escalated" if call["escalated_at"] else ""
        screen.say(f"  callback {call['id']} by {local_time(call['due_at'], zone)} {call['state']}{late}")
    for photo in sheet.photos:
        screen.say(f"  photo {photo['file_name']} ({photo['media_type']})")
    settings = get_settings()
    for url in filter(None, (settings.ticket_url(ticket["number"]), settings.runs_url(ticket["number"]))):
        screen.say(f"  {url}")


def _who(sheet: Sheet, event: Row) -> str:
    role, person = event["actor_role"], event["actor_id"]
    if person is None:
        return str(role)
    if role == Role.CUSTOMER:
        name = sheet.ticket["customer_name"] if person == sheet.ticket["customer_id"] else f"customer {person}"
        return str(name)
    return f"{sheet.staff.get(person, person)} ({role})"


def _told(sheet: Sheet, event: Row) -> str:
    """What was asked, then what followed."""
    return ", ".join(
        f"{'assignee' if name == 'assignee_id' else name.replace('_', ' ')}: {_named(sheet, name, value)}"
        for part in (event["payload"], event["facts"])
        for name, value in part.items()
    )


def _named(sheet: Sheet, name: str, value: object) -> str:
    if name in _PEOPLE and isinstance(value, int) and not isinstance(value, bool):
        return sheet.staff.get(value, str(value))
    if name in _PEOPLE and isinstance(value, list) and all(isinstance(each, int) for each in value):
        return "; ".join(sheet.staff.get(each, str(each)) for each in value)
    return humanly(value)
