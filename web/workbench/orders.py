"""From forms to commands: what each form says, as the command is told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.commands import Command, build_command
from domain.exceptions import InvalidInputError
from domain.field_work import PartUse
from domain.lifecycle import CommandName
from templates.languages import word
from web.workbench.typed import FormError, Typed, faults_of

C = CommandName
OPTION_ROWS = 4
PART_ROWS = 3
# The steps that are logged with one tap, in the order of the work (S-30); their words are the labels' [frequent_step].
FREQUENT_STEPS = ("set_out", "inspected", "part_ordered", "part_sent", "part_arrived", "repaired")
VISITS = frozenset({"inspected", "repaired"})

Rows = dict[tuple[str, int], int]


def read_order(name: CommandName, typed: Typed, *, customer_language: str) -> Command:
    """The command that a form gives. Raises FormError with every field that is wrong."""
    rows: Rows = {}
    values = _READERS[name](typed, customer_language, rows)
    try:
        command = build_command(name, {key: value for key, value in values.items() if value is not None})
    except InvalidInputError as error:
        # What the form itself refused is said in the form's own words.
        raise FormError(faults_of(error, rows) | typed.faults) from error
    typed.require_usable()
    return command


def _texts(*names: str) -> Callable[[Typed, str, Rows], dict[str, Any]]:
    def read(typed: Typed, _language: str, _rows: Rows) -> dict[str, Any]:
        return {name: typed.text(name) for name in names}

    return read


def _person(typed: Typed, _language: str, _rows: Rows) -> dict[str, Any]:
    return {"assignee_id": typed.number("assignee_id"), "reason": typed.text("reason")}


def _first_contact(typed: Typed, _language: str, _rows: Rows) -> dict[str, Any]:
    return {"summary": typed.text("summary"), "verified": typed.texts("verified")}


def _priority(typed: Typed, _language: str, _rows: Rows) -> dict[str, Any]:
    return {
        "impact": typed.text("impact"),
        "is_safety_risk": typed.is_ticked("is_safety_risk"),
        "reason": typed.text("reason"),
    }


def _plan(typed: Typed, _language: str, rows: Rows) -> dict[str, Any]:
    deadline_at = typed.moment_ahead("deadline_at")
    appointment_at = typed.moment_ahead("appointment_at", is_needed=False)
    if deadline_at is not None and appointment_at is not None and appointment_at > deadline_at:
        typed.refuse("appointment_at", "after_deadline")
        appointment_at = None
    return {
        "kind": typed.text("kind"),
        "steps": typed.lines("steps"),
        "deadline_at": deadline_at or typed.now,
        "appointment_at": appointment_at,
        "owner_id": typed.number("owner_id"),
        "options": _options(typed, rows),
    }


def _options(typed: Typed, rows: Rows) -> list[dict[str, str]]:
    options: list[dict[str, str]] = []
    for row in range(1, OPTION_ROWS + 1):
        said = {name: typed.text(f"option_{name}_{row}") for name in ("title", "pros", "cons")}
        if any(said.values()):
            rows["options", len(options)] = row
            options.append(said)
    return options


def _agreement(typed: Typed, _language: str, _rows: Rows) -> dict[str, Any]:
    agreed_at = typed.moment("agreed_at")
    if agreed_at is not None and agreed_at > typed.now:
        typed.refuse("agreed_at", "ahead")
        agreed_at = None
    # Who is called at the customer's is the one thing a form by staff always says (S-22).
    person = typed.text("agreed_by_phone_with")
    if not person:
        typed.refuse("agreed_by_phone_with", "missing")
    return {"option": typed.number("option"), "agreed_by_phone_with": person or None, "agreed_at": agreed_at}


def _step(typed: Typed, language: str, rows: Rows) -> dict[str, Any]:
    said, frequent = typed.text("step"), typed.text("frequent")
    if frequent in FREQUENT_STEPS:
        # The customer reads it: the words of their language.
        title = word(language, "frequent_step", frequent)
        said = f"{title}{word(language, 'fact', 'colon')}{said}" if said else title
    visit = typed.texts("conduct") if typed.is_ticked("is_visit") or typed.texts("conduct") else None
    return {
        "step": said,
        "is_internal": typed.is_ticked("is_internal"),
        "visit": visit,
        "parts": _parts(typed, rows),
    }


def _parts(typed: Typed, rows: Rows) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for row in range(1, PART_ROWS + 1):
        name, use = typed.text(f"part_name_{row}"), typed.text(f"part_use_{row}") or PartUse.USED.value
        if not name:
            continue
        part: dict[str, Any] = {"name": name, "use": use}
        part["quantity"] = typed.number(f"part_quantity_{row}", kind="no_number") or 1
        if use == PartUse.AWAITED:
            part["expected_at"] = typed.moment_ahead(f"part_expected_at_{row}") or typed.now
        rows["parts", len(parts)] = row
        parts.append(part)
    return parts


def _delay(typed: Typed, _language: str, _rows: Rows) -> dict[str, Any]:
    return {
        "reason": typed.text("reason"),
        "expected_at": typed.moment_ahead("expected_at") or typed.now,
        "contingency": typed.text("contingency"),
    }


def _completion(typed: Typed, _language: str, _rows: Rows) -> dict[str, Any]:
    how = typed.text("how")
    if how not in ("tested", "guidance_only"):
        typed.refuse("how", "not_tested")
    return {
        "summary": typed.text("summary"),
        "usage_advice": typed.text("usage_advice"),
        "tested": how != "guidance_only",
        "guidance_only": how == "guidance_only",
    }


_READERS: Mapping[CommandName, Callable[[Typed, str, Rows], dict[str, Any]]] = {
    C.ACKNOWLEDGE: _texts(),
    C.ASSIGN: _person,
    C.ESCALATE_TIER: _person,
    C.FIRST_CONTACT: _first_contact,
    C.CHANGE_CATEGORY: _texts("category", "reason"),
    C.CHANGE_PRIORITY: _priority,
    C.ASK_CUSTOMER: _texts("question"),
    C.RECORD_REPLY: _texts("reply"),
    C.PROPOSE_PLAN: _plan,
    C.AGREE_PLAN: _agreement,
    C.OBJECT_TO_PLAN: _texts("reason"),
    C.LOG_STEP: _step,
    C.REPORT_DELAY: _delay,
    C.REQUEST_SUPPORT: _texts("department", "request"),
    C.ADD_NOTE: _texts("note"),
    C.REPORT_AGAIN: _texts("description"),
    C.COMPLETE: _completion,
    C.REPORT_NOT_FIXED: _texts("reason"),
    C.CONFIRM_COMPLETION: _texts("signed_by"),
    C.REOPEN: _texts("reason"),
    C.CANCEL: _texts("reason"),
}
GIVEN_BY_FORM = frozenset(_READERS)
