"""The forms of root causes and improvement actions: their fields, and what was typed read into what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from domain.exceptions import InvalidInputError
from domain.improvement import MOST_EVIDENCE, NewAction, Outcome, RootCause, Stage
from domain.people import Department
from domain.tickets import Category, ticket_id
from templates.languages import word
from web.workbench.forms import Field, Filling, ShownForm, show_fields
from web.workbench.typed import FormError, Typed, faults_in

Said = TypeVar("Said", bound=BaseModel)
CAUSE, ACTION, DONE, DROPPED = "cause", "action", "done", "dropped"
_SCOPE = (
    Field("category", "pick", section="category", choices=tuple(c.value for c in Category), is_needed=False),
    Field("product_model", "line", most=200, is_needed=False),
    Field("region", "pick", is_needed=False),
    Field("stage", "pick", section="stage", choices=tuple(s.value for s in Stage), is_needed=False),
)
_FIELDS: Mapping[str, tuple[Field, ...]] = {
    CAUSE: (
        Field("tickets", words="evidence", most=4000),
        Field("problem", "line", most=200),
        Field("whys", most=3000),
        Field("cause", words="root_cause"),
    ),
    ACTION: (
        Field("measure"),
        Field(
            "department",
            "select",
            words="answering_department",
            section="department",
            choices=tuple(d.value for d in Department),
        ),
        Field("responsible_id", "people"),
        Field("due_on", "date"),
        Field("expected_effect"),
        Field("scope", "group", is_needed=False, fields=_SCOPE),
    ),
    DONE: (Field("note", words="what_was_done"), Field("told_customers", most=300, is_needed=False)),
    DROPPED: (Field("note", words="why_dropped"),),
}


def show_form(name: str, filling: Filling) -> ShownForm:
    """The form of that name, filled."""
    return ShownForm(
        name,
        word(filling.language, "action", f"improve_{name}"),
        word(filling.language, "button", f"improve_{name}"),
        False,
        show_fields(name, _FIELDS[name], filling),
    )


def read_cause(typed: Typed) -> tuple[RootCause, list[int]]:
    """The record, and the tickets it rests on. Raises FormError."""
    ids = read_numbers(typed)
    said = {"problem": typed.text("problem"), "whys": typed.lines("whys"), "cause": typed.text("cause")}
    return _read(RootCause, typed, said), ids


def read_numbers(typed: Typed) -> list[int]:
    """Ticket numbers, however they are set apart; what is wrong with them is noted."""
    ids: set[int] = set()
    for number in re.split(r"[\s,;，；、]+", typed.text("tickets")):
        try:
            ids |= {ticket_id(number)} if number else set()
        except InvalidInputError:
            typed.refuse("tickets", "no_ticket")
    if not ids:
        typed.refuse("tickets", "missing")
    elif len(ids) > MOST_EVIDENCE:
        typed.refuse("tickets", "too_many", MOST_EVIDENCE)
    return sorted(ids)


def read_action(typed: Typed) -> NewAction:
    """The action. Raises FormError."""
    names = ("measure", "department", "expected_effect", "category", "product_model", "region", "stage")
    said: dict[str, object] = {name: typed.text(name) for name in names}
    for name in ("category", "stage"):
        said[name] = said[name] or None
    try:
        said["due_on"] = date.fromisoformat(typed.text("due_on"))
    except ValueError:
        typed.refuse("due_on", "no_day")
    said["responsible_id"] = typed.number("responsible_id")
    return _read(NewAction, typed, said)


def read_outcome(typed: Typed) -> Outcome:
    """How an action ended. Raises FormError."""
    return _read(Outcome, typed, {"note": typed.text("note"), "told_customers": typed.text("told_customers")})


def _read(what: type[Said], typed: Typed, said: Mapping[str, object]) -> Said:
    try:
        read = what.model_validate(said)
    except ValidationError as error:
        # What the form itself refused is said in the form's own words.
        raise FormError(faults_in(error) | typed.faults) from error
    typed.require_usable()
    return read
