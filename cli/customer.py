"""``aftercare customer``: what a customer may ask for: a copy of their data, who looked at them, erasure (S-71)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection

from cli import colleagues
from cli.failure import CommandError
from cli.people import named
from cli.ready import working
from cli.screen import Grid, Screen
from cli.ticket import local_time
from clock import utc_now
from domain.access import MAY_ANSWER_FOR_DATA, MAY_READ_VIEWS, require_role
from domain.contact import normalise_email, normalise_phone
from domain.exceptions import NotFoundError
from domain.people import Actor
from domain.standard import Standard

app = typer.Typer(no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id, phone number or e-mail address.")]
Clerk = Annotated[str, typer.Option("--as", help="The staff member's address or name.")]


@app.command()
def export(
    customer: Who,
    file: Annotated[Path, typer.Argument(help="Where the JSON goes; photos go into a folder beside it.")],
    clerk: Clerk,
) -> None:
    """Write everything that is kept of one customer: JSON, readable by its owner only, and the photos."""
    from db import contact_views, exports

    folder = file.with_name(f"{file.name}.photos")
    for path in (file, folder):
        if path.exists():
            raise CommandError(f"{path} is there already; name another file")
    now = utc_now()
    with working() as (connection, standard):
        actor, customer_id = _asked(connection, standard, customer, clerk)
        require_role(actor, MAY_ANSWER_FOR_DATA, "exporting a customer's data")
        contact_views.note(connection, actor, [customer_id], where="export", now=now)
        kept = exports.export(connection, customer_id)
        photos = 0
        try:
            for number, photo_id, photo in exports.photos(connection, customer_id):
                folder.mkdir(mode=0o700, exist_ok=True)
                suffix = photo.media_type.rpartition("/")[2]
                _write(folder / f"{number}-{photo_id}.{suffix}", photo.content)
                photos += 1
            written = {"exported_at": now.isoformat(), **kept}
            _write(file, json.dumps(written, ensure_ascii=False, indent=2).encode("utf-8", "replace"))
        except OSError as error:
            raise CommandError(f"{error.filename}: cannot be written ({error.strerror}); name another file") from error
    beside = f", {photos} photos in {folder}" if photos else ""
    Screen().say(f"Everything kept of customer {customer_id} is in {file}{beside}. Delete it when it was handed over.")


def _write(path: Path, content: bytes) -> None:
    """A new file that only its owner can read from its first moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)


@app.command()
def views(customer: Who, clerk: Clerk) -> None:
    """List who looked at how this customer is reached, when and where."""
    from db import exports

    with working() as (connection, standard):
        zone = ZoneInfo(standard.organisation.time_zone)
        actor, customer_id = _asked(connection, standard, customer, clerk)
        require_role(actor, MAY_READ_VIEWS, "reading who looked")
        rows = exports.views_of(connection, customer_id)
    grid = Grid(f"When ({zone.key})", "Who", "Role", "Where", "Ticket", whole={"Who", "Ticket"})
    for row in rows:
        seen = (row["name"], row["role"], row["seen_on"], row["ticket_number"] or "-")
        grid.row(local_time(row["at"], zone), *seen)
    Screen().show(grid, otherwise="Nobody looked, as far as it is recorded.")


@app.command()
def erase(
    customer: Who,
    clerk: Clerk,
    reason: Annotated[str, typer.Option(help="Why, without personal data: it stays.")],
    cancel: Annotated[list[str] | None, typer.Option(help="An open ticket that ends with it; may be repeated.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only said what would be done.")] = False,
) -> None:
    """Erase everything personal of one customer, for good; counts, times and scores stay."""
    from db import erasure

    because = named(reason, option="--reason")
    with working() as (connection, standard):
        actor, customer_id = _asked(connection, standard, customer, clerk)
        require_role(actor, MAY_ANSWER_FOR_DATA, "erasing a customer's data")
        kept = erasure.survey_of(connection, customer_id)
        if kept.erased_at is not None:
            zone = ZoneInfo(standard.organisation.time_zone)
            done = f"Customer {customer_id} was erased {local_time(kept.erased_at, zone)}; nothing is left to erase."
        else:
            Screen().say(
                f"Erases customer {customer_id}: name and contact, the words of {kept.tickets} tickets and their "
                f"history, {kept.messages} messages, {kept.photos} photos and signatures, answers, callbacks."
            )
            if ending := [number for number in kept.open_numbers if number in (cancel or ())]:
                Screen().say(f"Ends {', '.join(ending)} now.")
            Screen().say("Numbers, times, scores, region and category stay. It cannot be undone.")
            if not yes:
                raise CommandError("nothing was erased; --yes does it")
            erasure.erase_customer(
                connection, customer_id, actor, because, cancel=cancel or (), standard=standard, now=utc_now()
            )
            done = f"Customer {customer_id} is erased."
    Screen().say(done)


def _asked(connection: Connection, standard: Standard, customer: str, clerk: str) -> tuple[Actor, int]:
    """Who asks, and about whom. Raises NotFoundError."""
    return colleagues.find(connection, clerk), _find(connection, standard, customer.strip())


def _find(connection: Connection, standard: Standard, customer: str) -> int:
    from db import customers

    # Phone numbers have more digits than ids will have.
    if customer.isascii() and customer.isdigit() and len(customer) < 10:
        return int(customers.get(connection, int(customer))["id"])
    if "@" in customer:
        found = customers.find_id(connection, phone=None, email=normalise_email(customer))
    else:
        region = standard.organisation.default_phone_region
        found = customers.find_id(connection, phone=normalise_phone(customer, region=region), email=None)
    if found is None:
        raise NotFoundError("no customer has this phone number or address")
    return found
