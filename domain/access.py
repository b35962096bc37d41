"""Which roles may read and record what, beside the commands (S-71, S-72)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from domain.exceptions import NotPermittedError
from domain.people import LEADS, Actor, Role
from domain.satisfaction import DIMENSIONS, STAGES, CallbackKind

_SERVICE = frozenset({Role.AGENT, Role.ENGINEER, Role.SUPERVISOR, Role.MANAGER})

# Who talks to customers reads how to reach them; everybody else sees it masked (S-71).
MAY_READ_CONTACT = _SERVICE
# What people wrote or photographed is read by who serves them and by who judges the service; whoever only runs the
# system does without.
MAY_READ_WORDS = _SERVICE | {Role.QUALITY_INSPECTOR}
MAY_READ_REPORTS = frozenset({Role.SUPERVISOR, Role.MANAGER, Role.QUALITY_INSPECTOR, Role.ADMINISTRATOR})
MAY_READ_FEEDBACK = MAY_IMPORT_ANSWERS = LEADS | {Role.QUALITY_INSPECTOR}
MAY_RUN_THE_SYSTEM = frozenset({Role.ADMINISTRATOR})
# Who answers a customer's request for a copy or for erasure; and who may ask who looked.
MAY_ANSWER_FOR_DATA = LEADS
MAY_READ_VIEWS = LEADS | {Role.ADMINISTRATOR}
MAY_TAKE_REPORTS = _SERVICE
# Not the engineer: nobody records what customers say of their own work.
MAY_RECORD_ANSWERS = frozenset({Role.AGENT, Role.SUPERVISOR, Role.MANAGER})

# Whose call it is: an unhappy customer is called by who can change something (S-42, S-43).
MAY_CALL = {
    CallbackKind.LOW_SCORE: LEADS,
    CallbackKind.PHONE_SURVEY: LEADS | {Role.AGENT},
    CallbackKind.FOLLOW_UP_VISIT: LEADS | {Role.AGENT, Role.ENGINEER},
}

MAY_READ_BOARD = LEADS
# Who draws and scores handled tickets; who reads everybody's scores and not only their own (S-56).
MAY_SCORE = frozenset({Role.QUALITY_INSPECTOR})
MAY_READ_SCORES = LEADS
# Who sees to it that messages arrive.
MAY_READ_OUTBOX = LEADS | {Role.ADMINISTRATOR}
# Who looks for causes and decides what is to change (S-53, S-54).
MAY_IMPROVE = LEADS | {Role.QUALITY_INSPECTOR}
# Who leads a team reads its appraisal; who leads all, everybody's (S-57).
MAY_READ_APPRAISAL = LEADS
# Who sees which customers may be lost, and cares for them (S-58).
MAY_CARE = LEADS
# Who goes through cases and keeps what was concluded (S-44).
MAY_REVIEW = LEADS | {Role.QUALITY_INSPECTOR}
MAY_TAKE_TICKETS = _SERVICE
# Who writes down what helped, and who decides that others are told (S-62).
MAY_WRITE_ARTICLES = MAY_READ_WORDS
MAY_PUBLISH = MAY_IMPROVE


# What a customer says of the service, in surveys and on the phone.
_FEEDBACK = frozenset(
    {
        *DIMENSIONS,
        *STAGES,
        *(f"{stage}_improvement" for stage in STAGES),
        *("best_point", "most_wanted", "solved_in_one_visit", "called_afterwards", "comment", "reason", "suggestion"),
    }
)


def shown_feedback(row: Mapping[str, Any], role: Role, *, wants_anonymity: bool) -> dict[str, Any]:
    """A row with feedback as this role may see it (S-02).

    Of who asked to stay anonymous in feedback, whoever serves them knows the name and so not what they said, whoever
    judges the service knows what they said and so not the name (``contact.shown_name``); who calls back knows both.
    """
    if not wants_anonymity or role in LEADS or role not in MAY_READ_CONTACT:
        return dict(row)
    return {name: None if name in _FEEDBACK else value for name, value in row.items()}


# Where rows keep what people said, and what is shown in its place.
_SAID: Mapping[str, Any] = {
    "subject": "",
    "description": "",
    "usage_context": None,
    "wish": None,
    "objection": None,
    "payload": {},
    "facts": {},
    "comment": None,
    "best_point": None,
    "most_wanted": None,
    "booking_improvement": None,
    "on_site_improvement": None,
    "follow_up_improvement": None,
    "confirmation_improvement": None,
    "reason": None,
    "suggestion": None,
}


def shown_words(row: Mapping[str, Any], role: Role) -> Mapping[str, Any]:
    """The row as this role may see it: what people said is left out for who need not read it (S-72)."""
    return row if role in MAY_READ_WORDS else {name: _SAID.get(name, value) for name, value in row.items()}


def require_role(actor: Actor, allowed: Collection[Role], deed: str) -> None:
    """Raise NotPermittedError, which names the roles that may, unless the actor's role is one of them."""
    if actor.role not in allowed:
        roles = ", ".join(sorted(role.value for role in allowed))
        raise NotPermittedError(f"{deed} is not for the role '{actor.role.value}'; it is for: {roles}")
