"""The standard script for the step at hand, filled with the ticket's data, in the customer's language (S-06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.dossiers import Dossier
from domain.lifecycle import CommandName
from domain.next_step import Script
from domain.sla import ClockKind
from templates.render import language_for, languages, render_script
from web.language import house

C = CommandName


@dataclass(frozen=True, slots=True)
class Said:
    """One part of the script."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A script in one language, and the languages it can be had in."""

    language: str
    offered: tuple[str, ...]
    parts: list[Said]


def promised_at(dossier: Dossier) -> datetime | None:
    """By when the customer was told that it is done: the newest word counts."""
    moment = next((row["due_at"] for row in dossier.promises if row["kind"] == ClockKind.RESOLUTION), None)
    expected: datetime | None = dossier.ticket["expected_at"]
    return expected or moment


def speak(
    dossier: Dossier,
    scripts: Sequence[Script],
    *,
    language: str,
    staff_name: str,
    now: datetime,
    call: Mapping[str, Any] | None = None,
) -> Spoken:
    """The words of these scripts; ``call`` is the callback they are for."""
    ticket, language = dossier.ticket, language_for(language)
    plan = dossier.plans[-1] if dossier.plans else None
    delay = dossier.last(C.REPORT_DELAY)
    values = {
        **{name: ticket[name] for name in ("customer_name", "subject", "description", "is_safety_risk", "state")},
        **{name: ticket[name] for name in ("order_number", "product_model", "serial_number", "wish")},
        "ticket_number": ticket["number"],
        "staff_name": staff_name,
        "understood": dossier.said(C.FIRST_CONTACT, "summary"),
        "question": dossier.said(C.ASK_CUSTOMER, "question"),
        "objection": plan["objection"] if plan else None,
        "plan": plan,
        "delay": delay["payload"] if delay else None,
        "summary": dossier.said(C.COMPLETE, "summary"),
        "usage_advice": dossier.said(C.COMPLETE, "usage_advice"),
        "promised_at": promised_at(dossier),
        "overall": call["overall"] if call else None,
        "comment": call["comment"] if call else None,
    }
    frame = house(language) | {"time_zone": ticket["customer_time_zone"]}
    parts = [
        Said(script.value, render_script(script.value, language=language, now=now, **frame, **values))
        for script in scripts
    ]
    return Spoken(language, languages(), parts)
