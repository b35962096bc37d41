"""Tickets by the API: opened or joined (S-07), read with their version, listed, and their history (S-70)."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Body, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from clock import utc_now
from db import clocks, customers, events, intake, tickets
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_TAKE_REPORTS, require_role
from domain.commands import LARGEST_ID
from domain.exceptions import InvalidInputError, NotFoundError
from domain.intake import CustomerDetails, Report
from domain.lifecycle import TicketState
from domain.tickets import Priority
from web.api import shapes
from web.api.asked import (
    Cursor,
    Known,
    Limit,
    Number,
    OnceKey,
    id_of,
    may_read_contact,
    naming,
    note_contact_view,
    once_key,
    place_of,
    seen_by,
    write_cursor,
)
from web.api.customers import require_words
from web.api.examples import REPORT_OF_KNOWN, REPORT_OF_NEW
from web.api.problems import JSON_BODY, documented
from web.api.versions import IfNoneMatch, is_known, version_tag

router = APIRouter(prefix="/tickets", tags=["tickets"])

_SHOWN = {"headers": {"ETag": {"schema": {"type": "string"}, "description": "Names what you see, for If-Match."}}}
_KNOWN = {"description": "It is as you know it.", "headers": _SHOWN["headers"]}


class NewTicket(BaseModel):
    """Who reports, and what: a customer by id, or by details, with which they are found or added."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: Annotated[int, Field(ge=1, le=LARGEST_ID)] | None = None
    customer: CustomerDetails | None = None
    report: Report

    @model_validator(mode="after")
    def _one_customer(self) -> Self:
        if (self.customer_id is None) == (self.customer is None):
            raise ValueError("give either customer_id or customer")
        return self


@router.post("", status_code=201, responses={200: {"model": shapes.Opened}, **documented(409, *JSON_BODY)})
def open_ticket(
    caller: Known,
    once: OnceKey,
    new: Annotated[NewTicket, Body(examples=[REPORT_OF_NEW, REPORT_OF_KNOWN])],
    response: Response,
) -> shapes.Opened:
    """Open a ticket; 200 when it joined an open one about the same fault, or was opened with this key before."""
    require_role(caller.actor, MAY_TAKE_REPORTS, "taking reports")
    standard, now = get_standard(), utc_now()
    if new.customer is not None:
        require_words(new.customer, "body.customer.language")
    with transaction() as connection:
        if new.customer is not None:
            with naming("customer."):
                customer_id = intake.find_or_add_customer(connection, new.customer, standard=standard, now=now)
        else:
            try:
                customer_id = customers.get(connection, new.customer_id or 0)["id"]
            except NotFoundError as error:
                raise InvalidInputError("customer_id", str(error)) from error
        with naming("report."):
            opened = intake.open_ticket(
                connection,
                customer_id,
                new.report,
                caller.actor,
                standard=standard,
                now=now,
                idempotency_key=once_key(caller.actor, once),
            )
    if opened.joined or opened.was_repeated:
        response.status_code = 200
    return shapes.Opened(
        number=opened.number, customer_id=customer_id, joined=opened.joined, was_repeated=opened.was_repeated
    )


@router.get("")
def list_tickets(
    caller: Known,
    state: Annotated[list[TicketState] | None, Query(description="Only these; may be given several times.")] = None,
    priority: Priority | None = None,
    assignee: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="The id of a member of staff.")] = None,
    customer: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="The id of a customer.")] = None,
    opened_since: Annotated[AwareDatetime | None, Query(description="With its zone; write + as %2B.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> shapes.Page[shapes.TicketLine]:
    """Tickets, the newest first, closed ones too. Tickets opened while you walk are not in your way."""
    with transaction() as connection:
        rows = tickets.list_newest(
            connection,
            states=state or (),
            priority=priority,
            assignee_id=assignee,
            customer_id=customer,
            opened_since=opened_since,
            before_id=place_of(cursor),
            limit=limit + 1,
        )
    further = write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    return shapes.Page(
        items=[shapes.ticket_line(seen_by(caller, row), open_=may_read_contact(caller)) for row in rows[:limit]],
        next_cursor=further,
    )


@router.get("/{number}", response_model=shapes.Ticket, responses={200: _SHOWN, 304: _KNOWN, **documented(404)})
def get_ticket(caller: Known, number: Number, if_none_match: IfNoneMatch = None) -> Response:
    """One ticket; its ETag goes into If-Match of the command that you give next, and into If-None-Match when you look
    again."""
    with transaction() as connection:
        row = tickets.get(connection, id_of(number))
        running = clocks.of_ticket(connection, row["id"], row["round"])
        plans = tickets.plans_of(connection, row["id"])
        note_contact_view(connection, caller, [row["customer_id"]], ticket_id=row["id"])
    said = [seen_by(caller, plan) for plan in plans]
    ticket = shapes.ticket(seen_by(caller, row), running, said, caller.actor, open_=may_read_contact(caller))
    shown = ticket.model_dump_json().encode()
    etag = {"ETag": version_tag(row, shown)}
    if is_known(if_none_match, etag["ETag"]):
        return Response(status_code=304, headers=etag)
    return Response(shown, headers=etag, media_type="application/json")


@router.get("/{number}/events", responses=documented(404))
def list_events(caller: Known, number: Number, cursor: Cursor = None, limit: Limit = 50) -> shapes.Page[shapes.Event]:
    """What happened to a ticket, oldest first."""
    with transaction() as connection:
        ticket = tickets.get(connection, id_of(number))
        rows = events.list_after(connection, ticket["id"], seq=place_of(cursor) or 0, limit=limit + 1)
    further = write_cursor(rows[limit - 1]["seq"]) if len(rows) > limit else None
    hidden = {"wants_anonymity": ticket["wants_anonymity"]}
    found = [
        shapes.Event.model_validate(seen_by(caller, row | {"facts": seen_by(caller, row["facts"], **hidden)}))
        for row in rows[:limit]
    ]
    return shapes.Page(items=found, next_cursor=further)
