"""What the pages of the callback queue are given: who is to be called by when, and the form for what it brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from db.dossiers import Dossier
from domain.access import MAY_CALL, MAY_READ_CONTACT, MAY_RECORD_ANSWERS, shown_feedback, shown_words
from domain.contact import mask_email, mask_phone, shown_name
from domain.faults import Fault
from domain.next_step import scripts_of_call
from domain.satisfaction import DIMENSIONS, CallbackKind, CallbackState
from templates.languages import word
from web.workbench.desk import Reader
from web.workbench.forms import Field, Filling, ShownForm, show_fields
from web.workbench.spoken import speak

RESULT = (Field("reason", words="callback_reason"), Field("suggestion", words="callback_suggestion", is_needed=False))
_SCORES = tuple(str(score) for score in range(1, 6))
ANSWER = (
    *(Field(name, "radios", f"score_{name}", choices=_SCORES) for name in DIMENSIONS),
    Field("comment", words="survey_comment", is_needed=False),
)
_FIELDS = {"result": RESULT, "answer": ANSWER}


def queue_of(rows: Sequence[Mapping[str, Any]], reader: Reader, *, now: datetime) -> dict[str, Any]:
    """The queue: what is due first comes first; numbers are masked, the call's own page opens them."""
    calls = [
        seen | {"is_late": row["due_at"] <= now, "is_mine": row["assigned_to"] == reader.actor.id, **_masked(row)}
        for row in rows
        for seen in [_seen(row, reader)]
    ]
    return {"calls": calls, "late": sum(call["is_late"] for call in calls)}


def _seen(row: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """A call as the reader may see it: whom, and what was said (S-02, S-72)."""
    role = reader.actor.role
    seen = shown_feedback(row, role, wants_anonymity=row["wants_anonymity"])
    seen["customer_name"] = shown_name(row, to_servers=role in MAY_READ_CONTACT)
    return dict(shown_words(seen, role))


def call_of(
    call: Mapping[str, Any],
    dossier: Dossier,
    reader: Reader,
    *,
    now: datetime,
    form: str = "",
    typed: Mapping[str, Sequence[str]] | None = None,
    faults: Mapping[str, Fault] | None = None,
    refused: str = "",
    script_language: str | None = None,
    shows_contact: bool = False,
) -> dict[str, Any]:
    """One call: the ticket, the scores, whom to ring, what to say, and the form."""
    kind, role = CallbackKind(call["kind"]), reader.actor.role
    is_open = call["state"] == CallbackState.OPEN
    names = ["result"] if role in MAY_CALL[kind] else []
    if kind is CallbackKind.PHONE_SURVEY and role in MAY_RECORD_ANSWERS:
        names = ["answer", *names]
    may_open = role in MAY_READ_CONTACT
    sees_contact = shows_contact and may_open
    call, dossier = _seen(call, reader), dossier.seen_by(role)
    was_lost = not is_open and refused == "not_possible"
    return {
        "call": call,
        "ticket": dossier.ticket,
        "dimensions": DIMENSIONS,
        "is_open": is_open,
        "is_late": is_open and call["due_at"] <= now,
        "tried": form,
        "forms": [_form(name, reader, form, typed, faults or {}) for name in names] if is_open else [],
        "was_lost": was_lost,
        "refused": word(reader.language, "refusal", refused) if refused else "",
        "left_over": [] if form in names and is_open else _left_over(form, typed or {}, reader.language),
        "contact": {"is_open": sees_contact, "may_open": may_open, **(_open(call) if sees_contact else _masked(call))},
        "spoken": speak(
            dossier,
            scripts_of_call(kind),
            language=script_language or dossier.ticket["customer_language"],
            staff_name=reader.name,
            now=now,
            call=call,
        ),
    }


def _form(
    name: str,
    reader: Reader,
    tried: str,
    typed: Mapping[str, Sequence[str]] | None,
    faults: Mapping[str, Fault],
) -> ShownForm:
    is_tried = name == tried
    filling = Filling(reader.language, typed=typed if is_tried else None, faults=faults if is_tried else {})
    return ShownForm(
        name,
        word(reader.language, "action", f"callback_{name}"),
        word(reader.language, "button", f"callback_{name}"),
        False,
        show_fields(name, _FIELDS[name], filling),
    )


def _left_over(form: str, typed: Mapping[str, Sequence[str]], language: str) -> list[tuple[str, str]]:
    return [
        (word(language, "ask", field.words or field.name), "\n".join(typed[field.name]))
        for field in _FIELDS.get(form, ())
        if any(typed.get(field.name, ()))
    ]


def _masked(row: Mapping[str, Any]) -> dict[str, str]:
    return {"phone": mask_phone(row["customer_phone"]), "email": mask_email(row["customer_email"])}


def _open(row: Mapping[str, Any]) -> dict[str, str]:
    return {"phone": row["customer_phone"] or "", "email": row["customer_email"] or ""}
