"""The page of one ticket: everything that is known of it, what to do next, and the forms to do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from db.dossiers import Dossier
from domain.access import MAY_READ_CONTACT
from domain.contact import mask_email, mask_phone
from domain.faults import Fault
from domain.lifecycle import STATES, TicketState
from domain.next_step import scripts_of
from domain.people import Actor
from domain.satisfaction import DIMENSIONS
from domain.standard import Standard
from templates.languages import region_name, word
from web.workbench import offers
from web.workbench.forms import FORMS, Filling, ShownForm, show
from web.workbench.spoken import speak
from web.workbench.telling import Told, event_name, tell

# A page that loads at once on a phone; the rest of a long history is one tap away.
_NEWEST = 40


@dataclass(frozen=True)
class Reader:
    """Who reads the page, in which language and time zone."""

    actor: Actor
    name: str
    language: str
    time_zone: str


@dataclass(frozen=True)
class Attempt:
    """A form that came and was not applied: what was typed, what is wrong, or that the ticket has changed since.

    ``has_seen``: the number of events its page had shown. ``news_after``: tell what happened after that many.
    """

    form: str = ""
    typed: Mapping[str, Sequence[str]] | None = None
    faults: Mapping[str, Fault] = field(default_factory=dict)
    has_seen: int | None = None
    news_after: int | None = None
    refused: str = ""


def page_of(
    dossier: Dossier,
    reader: Reader,
    *,
    standard: Standard,
    now: datetime,
    attempt: Attempt | None = None,
    script_language: str | None = None,
    shows_contact: bool = False,
    shows_all: bool = False,
    done: str = "",
) -> dict[str, Any]:
    """What the page's template is given."""
    attempt = attempt or Attempt()
    dossier = dossier.seen_by(reader.actor.role)
    ticket, language = dossier.ticket, reader.language
    names = offers.offered(dossier, reader.actor, standard=standard, now=now)
    awaited = offers.parts_on_their_way(dossier, now=now)
    step = offers.at_hand(dossier, awaited, now=now)
    first = offers.first_forms(step, names)
    shown = {name: _form(dossier, name, reader, attempt, awaited, now=now) for name in names}
    history = tell(dossier, language=language)
    return {
        "ticket": ticket,
        "step": step.value,
        "is_over": STATES[TicketState(ticket["state"])].is_over,
        "awaited": awaited,
        "first": [shown[name] for name in first],
        "others": [shown[name] for name in names if name not in first],
        "tried": attempt.form,
        "has_seen": attempt.has_seen,
        "once": uuid4().hex,
        "promises": in_order(dossier.promises),
        "region": region_name(language, ticket["region"]) if ticket["region"] else "",
        "contact": _contact(ticket, reader, is_open=shows_contact),
        "plans": [plan | {"owner_name": dossier.name(plan["owner_id"])} for plan in dossier.plans],
        "surveys": dossier.surveys,
        "calls": dossier.calls,
        "dimensions": DIMENSIONS,
        "low_score": standard.callback.low_score,
        "history": history if shows_all else history[:_NEWEST],
        "older": 0 if shows_all else max(0, len(history) - _NEWEST),
        "messages": dossier.messages if shows_all else dossier.messages[-_NEWEST:],
        "spoken": speak(
            dossier,
            scripts_of(step),
            language=script_language or ticket["customer_language"],
            staff_name=reader.name,
            now=now,
        ),
        "news": _news(dossier, attempt, language),
        "refused": attempt.refused,
        "left_over": _left_over(attempt, names, language),
        "done": event_name(done, language) if done in FORMS else "",
    }


def _form(
    dossier: Dossier, name: str, reader: Reader, attempt: Attempt, awaited: Sequence[Any], *, now: datetime
) -> ShownForm:
    is_tried = name == attempt.form
    return show(
        name,
        Filling(
            reader.language,
            offers.choices(dossier, name),
            offers.known(dossier, name, awaited, zone=ZoneInfo(reader.time_zone), now=now),
            attempt.typed if is_tried else None,
            attempt.faults if is_tried else {},
        ),
    )


def in_order(promises: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What runs and is due first stands on top; then what is paused, then what is over."""

    def place(promise: Mapping[str, Any]) -> tuple[bool, bool, datetime]:
        return promise["stopped_at"] is not None, promise["due_at"] is None, promise["due_at"] or promise["started_at"]

    return sorted(promises, key=place)


def _contact(ticket: Mapping[str, Any], reader: Reader, *, is_open: bool) -> dict[str, Any]:
    """How the customer is reached: masked until somebody who needs it asks (S-71)."""
    may_open = reader.actor.role in MAY_READ_CONTACT
    is_open = is_open and may_open
    phone, email = ticket["customer_phone"], ticket["customer_email"]
    return {
        "phone": phone if is_open else mask_phone(phone),
        "email": email if is_open else mask_email(email),
        "is_open": is_open,
        "may_open": may_open,
    }


def _news(dossier: Dossier, attempt: Attempt, language: str) -> list[Told]:
    """What happened since the form was shown, for somebody whose form was not applied because of it."""
    return [] if attempt.news_after is None else tell(dossier, language=language, after=attempt.news_after)


def _left_over(attempt: Attempt, names: Sequence[str], language: str) -> list[tuple[str, str]]:
    """What was typed into a form that the ticket does not offer any more: nobody should have to write it twice."""
    if attempt.typed is None or attempt.form in names or attempt.form not in FORMS:
        return []
    asked = [inner for f in FORMS[attempt.form].fields for inner in (f.fields or (f,)) if inner.widget != "photo"]
    return [
        (word(language, "ask", f.words or f.name).format(row=f.row), "\n".join(attempt.typed[f.name]))
        for f in asked
        if any(attempt.typed.get(f.name, ()))
    ]
