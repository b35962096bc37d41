"""A ticket's history as staff read it: each event with who, when, and what was said, ready for the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.dossiers import Dossier
from domain.people import STAFF_ROLES, Role
from templates.languages import labels

# How the values of events are shown; everything else is text. The word after the colon is the labels' section.
_SHOWN: Mapping[str, str] = {
    "kind": "label:plan_kind",
    "impact": "label:impact",
    "category": "label:category",
    "clock": "label:clock",
    "department": "label:department",
    "support": "labels:department",
    "verified": "labels:verified",
    "visit": "labels:conduct",
    "deadline_at": "moment",
    "appointment_at": "moment",
    "expected_at": "moment",
    "agreed_at": "moment",
    "due_at": "moment",
    "assignee_id": "person",
    "owner_id": "person",
    "told": "people",
    "reason": "grounds",
    "did": "label:intervention",
    "parts": "parts",
    "steps": "list",
    "options": "options",
    "guidance_only": "flag",
    "is_safety_risk": "flag",
    "is_internal": "flag",
    "in_time": "flag",
    "on_paper": "flag",
    "served_by": "person",
}
# What else an event records: ids and counts, which say nothing to people, or what its words say already.
_SKIPPED = frozenset(
    {
        "callback_id",
        "category_reason",
        "completion_no",
        "erased",
        "from",
        "message_id",
        "priority_reason",
        "reached_at",
        "redacted",
        "review_id",
        "round",
        "score_id",
        "share",
        "supervisor_id",
        "survey_id",
        "tested",
        "tier",
        "to",
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing an event was told: what it is called, how it is shown (``label:section``, ``moment``, …), the value."""

    title: str
    shown: str
    value: Any


@dataclass(frozen=True, slots=True)
class Told:
    """One event."""

    seq: int
    at: Any
    what: str
    who: str
    role: str
    lines: list[Line]
    photos: Sequence[Mapping[str, Any]]


def tell(dossier: Dossier, *, language: str, after: int = 0) -> list[Told]:
    """The events after this place in the history, newest first."""
    return [
        Told(
            event["seq"],
            event["at"],
            event_name(event["kind"], language),
            _who(dossier, event),
            event["actor_role"],
            list(_lines(dossier, event, language)),
            dossier.photos.get(event["id"], []),
        )
        for event in reversed(dossier.history)
        if event["seq"] > after
    ]


def event_name(kind: str, language: str) -> str:
    """What happened, in the reader's words; an event that the words do not know yet keeps its own name."""
    return known_word(language, kind, "event", "command", "alarm")


def known_word(language: str, name: str, *sections: str) -> str:
    """The first of these sections that has the word, else the name itself.

    Asking for a label that is missing would read the files again.
    """
    known = labels(language)
    return next((str(known[section][name]) for section in sections if name in known.get(section, {})), name)


def _who(dossier: Dossier, event: Mapping[str, Any]) -> str:
    role, person = Role(event["actor_role"]), event["actor_id"]
    if role is Role.CUSTOMER:
        return str(dossier.ticket["customer_name"]) if person == dossier.ticket["customer_id"] else ""
    return dossier.name(person) if role in STAFF_ROLES else ""


def _lines(dossier: Dossier, event: Mapping[str, Any], language: str) -> Iterator[Line]:
    for name, value in (event["payload"] | event["facts"]).items():
        is_empty = value in (None, "", [], False) and name != "visit"  # a visit that kept to nothing is worth a word
        if name in _SKIPPED or is_empty:
            continue
        shown = _SHOWN.get(name, "text")
        if name == "kind" and event["kind"].startswith("callback"):
            shown = "label:callback_kind"
        if shown == "person":
            value = dossier.name(value) or value
        elif shown == "people":
            ids = value if isinstance(value, list) else [value]
            value = [dossier.name(person) or str(person) for person in ids]
        yield Line(known_word(language, name, "told"), shown, value)
    facts = event["facts"]
    if "to" in facts and "from" in facts:
        yield Line(known_word(language, "priority", "told"), "change", (facts["from"], facts["to"]))
