"""``aftercare survey`` and ``aftercare callback``: what customers answered, and who called them back."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from cli import colleagues
from cli.ready import working
from cli.screen import Grid, Screen
from cli.ticket import As, local_time
from clock import utc_now
from domain.commands import describe_fault
from domain.exceptions import InvalidInputError, NotFoundError
from domain.people import Actor, Role
from domain.satisfaction import SurveyAnswer
from domain.tickets import ticket_id

app = typer.Typer(no_args_is_help=True)
callbacks_app = typer.Typer(no_args_is_help=True)


@app.command()
def answer(
    number: Annotated[str, typer.Argument(help="The ticket's number.")],
    efficiency: Annotated[int, typer.Option()],
    attitude: Annotated[int, typer.Option()],
    solution: Annotated[int, typer.Option()],
    overall: Annotated[int, typer.Option(help="1 very dissatisfied, 5 very satisfied.")],
    comment: Annotated[str, typer.Option()] = "",
    actor: As = "customer",
) -> None:
    """Record the answer to the survey of a ticket's last completion."""
    from db import surveys, tickets

    scores = {"efficiency": efficiency, "attitude": attitude, "solution": solution, "overall": overall}
    try:
        answered = SurveyAnswer.model_validate(scores | {"comment": comment})
    except ValidationError as error:
        fault = error.errors()[0]
        raise InvalidInputError(str(fault["loc"][0]), describe_fault(dict(fault))) from error
    with working() as (connection, standard):
        ticket = tickets.get(connection, ticket_id(number))
        asked = surveys.list_of(connection, ticket["id"])
        if not asked:
            raise NotFoundError(f"{ticket['number']} has no survey: it was not completed yet")
        who = Actor(Role.CUSTOMER, ticket["customer_id"]) if actor == "customer" else colleagues.find(connection, actor)
        stored = surveys.record_answer(connection, asked[-1]["id"], answered, who, standard=standard, now=utc_now())
    Screen().say("The answer is stored." if stored else "It was answered before; the first answer counts.")


@callbacks_app.command("list")
def list_callbacks() -> None:
    """List open callbacks, the most urgent first."""
    from db import callbacks

    with working() as (connection, standard):
        zone = ZoneInfo(standard.organisation.time_zone)
        rows = callbacks.list_open(connection)
    grid = Grid(
        "Id", "Ticket", "Kind", "Call by", "Supervisor", "Overall", "Escalated", whole={"Id", "Ticket", "Call by"}
    )
    for row in rows:
        score = "-" if row["overall"] is None else str(row["overall"])
        values = (str(row["id"]), row["ticket_number"], row["kind"], local_time(row["due_at"], zone))
        grid.row(*values, row["supervisor_name"] or "-", score, local_time(row["escalated_at"], zone))
    Screen().show(grid, otherwise="No callbacks are open.")


@callbacks_app.command()
def done(
    callback_id: int,
    actor: As,
    reason: Annotated[str, typer.Option(help="Why the customer was unhappy.")],
    suggestion: Annotated[str, typer.Option(help="What they would have us do better.")] = "",
) -> None:
    """Record that the customer was called back."""
    from db import callbacks

    with working() as (connection, _):
        who = colleagues.find(connection, actor)
        callbacks.complete(connection, callback_id, who, reason=reason, suggestion=suggestion, now=utc_now())
    Screen().say("The callback is recorded.")
