"""The command ``aftercare``; its subcommands import what they need only when they run, so that help is quick."""

from __future__ import annotations

import sys
import warnings

import typer
from psycopg.errors import UndefinedTable
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError

from cli import (
    accounts,
    customer,
    database,
    deployment,
    digests,
    doctor,
    export,
    feedback,
    improvement,
    keys,
    messages,
    people,
    play,
    report,
    service,
    standard,
    survey,
    templates,
    ticket,
    webhooks,
)
from cli.failure import CommandError
from cli.screen import Screen
from db.session import DatabaseUnavailableError, cause
from domain.exceptions import DomainError
from settings import SettingsError

app = typer.Typer(
    name="aftercare",
    help="After-sales service that keeps its promises.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(ticket.app, name="ticket", help="Open, show, list and work on tickets.")
app.add_typer(customer.app, name="customer", help="A copy of a customer's data, who looked at it, erasure.")
app.add_typer(survey.app, name="survey", help="Record a customer's answer to a survey.")
app.add_typer(survey.callbacks_app, name="callback", help="List and record callbacks.")
app.add_typer(improvement.app, name="action", help="Improvement actions: what is to change, by whom and when.")
app.add_typer(messages.app, name="message", help="What became of messages; send one again.")
app.add_typer(messages.channels_app, name="channel", help="By what messages leave; open a stopped channel.")
app.add_typer(messages.addresses_app, name="address", help="Addresses to which nothing is sent.")
app.add_typer(templates.app, name="templates", help="Look at the words of messages; check them.")
people.app.command()(accounts.password)
people.app.command()(accounts.invite)
people.app.command()(accounts.deactivate)
people.app.command()(digests.digest)
app.add_typer(people.app, name="staff", help="List and add staff and teams; let them into the workbench.")
app.add_typer(keys.app, name="keys", help="Keys with which other systems use the API.")
app.add_typer(webhooks.app, name="webhook", help="Other systems that are told of events.")
app.add_typer(export.app, name="export", help="The tracking sheet, as a workbook.")
app.add_typer(feedback.app, name="feedback", help="Take answers on paper from a sheet; what all answers say.")
app.add_typer(report.app, name="report", help="People and teams in figures.")
app.add_typer(standard.app, name="standard", help="The figures in force, and how they changed.")
app.add_typer(database.app, name="db", help="Upgrade, check and seed the database.")
app.command()(service.up)
app.command()(deployment.deploy)
app.command()(play.demo)
app.command()(play.replay)
app.command()(doctor.doctor)

MISTAKES = (DomainError, SettingsError, DatabaseUnavailableError, CommandError)


def main() -> None:
    """Run a command; a mistake ends with one clear sentence on stderr and exit code 1."""
    # platformdirs complains where a machine has no XDG_RUNTIME_DIR; its fallback is what we want.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    try:
        app()
    except MISTAKES as error:
        _fail(str(error))
    except OperationalError as error:
        _fail(f"the database does not answer ({cause(error)}); see 'aftercare doctor'")
    except DataError as error:
        _fail(f"a value cannot be stored ({str(error.orig).strip().splitlines()[0]}); mend it")
    except ProgrammingError as error:
        if not isinstance(error.orig, UndefinedTable):
            raise
        _fail("the database is not migrated; run 'aftercare db upgrade'")


def _fail(sentence: str) -> None:
    Screen(stderr=True).say(f"aftercare: {sentence}", lines=True)
    sys.exit(1)
