"""A ticket on the workbench: its page, and each form on it as one command, given once, never over another's head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from clock import utc_now
from db import attachments, clocks, commands, contact_views, dossiers, quality, reviews, tickets
from db.held import hold
from db.rows import Row
from db.session import transaction
from db.standards import get_standard
from domain.access import MAY_READ_CONTACT, MAY_WRITE_ARTICLES
from domain.commands import Assign, Command
from domain.exceptions import (
    ChangedMeanwhileError,
    IdempotencyKeyReusedError,
    IllegalTransitionError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
)
from domain.faults import Fault
from domain.lifecycle import COMMANDS, STATES, CommandName, TicketState
from domain.tickets import ticket_id
from settings import get_settings
from templates.languages import language_for, word
from web.workbench.desk import Attempt, in_order, page_of
from web.workbench.door import Member, StaffMember
from web.workbench.forms import FORMS, TAKE
from web.workbench.frame import show, show_part
from web.workbench.orders import read_order
from web.workbench.photos import read_photos
from web.workbench.shown import read_form, reader_of
from web.workbench.typed import FormError, Typed, faults_of

router = APIRouter(prefix="/workbench/tickets")
Number = Annotated[str, Path(pattern=r"^(TK-)?0{0,20}[1-9][0-9]{0,9}$", max_length=40)]


@router.get("/{number}")
def show_ticket(member: Member, number: Number, script: str = "", whole: str = "", done: str = "") -> Response:
    """Everything that is known of a ticket, what to do next, and the forms to do it."""
    return _page(member, number, script_language=script or None, shows_all=bool(whole), done=done)


@router.get("/{number}/promises.html")
def show_promises(request: Request, member: Member, number: Number) -> Response:
    """What its clocks say, without the rest of the page."""
    with transaction() as connection:
        ticket = tickets.get(connection, ticket_id(number))
        running = clocks.of_ticket(connection, ticket["id"], ticket["round"])
    return show_part(request, member, "promises", now=utc_now(), ticket=ticket, promises=in_order(running))


@router.post("/{number}/contact")
def show_contact(member: Member, number: Number) -> Response:
    """The same page with the customer's phone number and address; that somebody looked is recorded (S-71)."""
    return _page(member, number, shows_contact=True)


@router.post("/{number}/{action}")
async def act(request: Request, member: Member, number: Number, action: str) -> Response:
    """Give the command of a form. What cannot be applied comes back with all that was typed."""
    if action not in FORMS:
        raise NotFoundError("there is no such action")
    typed = await read_form(request, member)
    return await run_in_threadpool(_act, member, number, action, typed)


def _act(member: StaffMember, number: str, action: str, typed: Typed) -> Response:
    seen = typed.number("seen")
    attempt, status = Attempt(action, typed.values), 422
    try:
        applied = _give(member, number, action, typed, seen)
    except FormError as error:
        # The form that comes back has seen no more than before: what changed meanwhile is still to be told.
        attempt = replace(attempt, faults=_with_photos(error.faults, typed), has_seen=seen)
    except ChangedMeanwhileError:
        attempt, status = replace(attempt, news_after=seen or 0, faults=_with_photos({}, typed)), 409
    except IdempotencyKeyReusedError:
        attempt, status = replace(attempt, faults=_with_photos({"form": Fault("already_used")}, typed)), 409
    except IllegalTransitionError:
        attempt, status = replace(attempt, refused=word(reader_of(member).language, "refusal", "not_possible")), 409
    except NotPermittedError:
        attempt, status = replace(attempt, refused=word(reader_of(member).language, "refusal", "not_permitted")), 403
    else:
        return RedirectResponse(f"/workbench/tickets/{applied.number}?done={action}", status_code=303)
    return _page(member, number, attempt=attempt, status=status)


def _give(member: StaffMember, number: str, action: str, typed: Typed, seen: int | None) -> commands.Applied:
    """Apply the command of a form. Raises FormError, or a DomainError; then nothing is stored."""
    standard, now = get_standard(), utc_now()
    photos = read_photos(typed)
    with transaction() as connection:
        held = hold(connection, ticket_id(number))
        key = f"work:{member.id}:{action}:{typed.once()}"
        # Whoever taps twice has the old number of events at hand, and gets the first answer again.
        if commands.find_by_key(connection, key) is None and seen != held.row["event_count"]:
            raise ChangedMeanwhileError("the ticket has changed since the page was shown")
        command = _command(member, action, typed, held.row)
        state = TicketState(held.row["state"])
        try:
            applied = commands.apply_to(held, command, member.actor, standard=standard, now=now, idempotency_key=key)
        except InvalidInputError as error:
            raise FormError(_renamed(faults_of(error))) from error
        except NotFoundError as error:  # the ticket is there: it is whom the command names
            raise FormError({"assignee_id": Fault("wrong_person")}) from error
        except IllegalTransitionError as error:
            if command.name is CommandName.COMPLETE and state in COMMANDS[command.name].sources:
                raise FormError({"how": Fault("needs_consent")}) from error
            raise
        if not applied.was_repeated:
            for photo in photos:
                attachments.add(connection, held.id, applied.event_id, photo, now=now)
    return applied


def _command(member: StaffMember, action: str, typed: Typed, ticket: Mapping[str, Any]) -> Command:
    if action == TAKE:
        return Assign(assignee_id=member.id, reason=word(reader_of(member).language, "work", "taken"))
    return read_order(CommandName(action), typed, customer_language=language_for(ticket["customer_language"]))


def _renamed(faults: Mapping[str, Fault]) -> dict[str, Fault]:
    """What the command calls ``tested`` is one of two answers to ``how``."""
    return {("how" if name == "tested" else name): fault for name, fault in faults.items()}


def _with_photos(faults: Mapping[str, Fault], typed: Typed) -> dict[str, Fault]:
    return {"photo": Fault("photos_again"), **faults} if typed.files else dict(faults)


def _page(
    member: StaffMember,
    number: str,
    *,
    attempt: Attempt | None = None,
    shows_contact: bool = False,
    status: int = 200,
    **how: Any,
) -> Response:
    reader, now = reader_of(member), utc_now()
    with transaction() as connection:
        dossier = dossiers.read(connection, ticket_id(number))
        judged = {
            "scores": quality.scores(connection, member.actor, ticket_id=dossier.ticket["id"]),
            "reviews": reviews.of_ticket(connection, dossier.ticket["id"]),
        }
        if shows_contact and member.role in MAY_READ_CONTACT:
            ticket = dossier.ticket
            contact_views.note(
                connection,
                member.actor,
                [ticket["customer_id"]],
                ticket_id=ticket["id"],
                where="workbench ticket",
                now=now,
            )
        similar = _similar(connection, dossier) if member.role in MAY_WRITE_ARTICLES else None
    context = page_of(
        dossier, reader, standard=get_standard(), now=now, attempt=attempt, shows_contact=shows_contact, **how
    )
    runs_url = get_settings().runs_url(dossier.ticket["number"])
    told = {**judged, **context}
    return show(member, "ticket", now=now, status=status, runs_url=runs_url, similar=similar, **told)


def _similar(connection: Connection, dossier: dossiers.Dossier) -> list[Row]:
    """The articles that helped with the ticket, and, while it is open, those that may (S-62)."""
    from db import article_search  # the segmenter takes its time, and few pages need it

    ticket = dossier.ticket
    is_over = STATES[TicketState(ticket["state"])].is_over
    asked = "" if is_over else f"{ticket['subject']} {ticket['product_model'] or ''}"
    return article_search.find_for_ticket(connection, ticket["id"], asked)
