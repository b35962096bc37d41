"""The forms of a ticket: their fields as data, and as the page shows them with what was typed and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.commands import PlanKind
from domain.faults import Fault
from domain.field_work import Conduct, PartUse, Verified
from domain.lifecycle import CommandName
from domain.tickets import Category, Impact
from templates.languages import word
from web.workbench.orders import FREQUENT_STEPS, OPTION_ROWS, PART_ROWS

C = CommandName
TAKE = "take"
Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``widget`` is how it is shown, ``words`` its entry in the labels' [ask], if it is not the name.

    ``section``: the labels of its choices. A group holds fields and is folded until one of them has something in it.
    """

    name: str
    widget: str = "area"
    words: str = ""
    most: int = 2000
    is_needed: bool = True
    section: str = ""
    choices: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    row: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one action; the command that it gives."""

    command: CommandName
    fields: tuple[Field, ...] = ()
    takes_photos: bool = False


def _short(name: str, words: str = "", **more: Any) -> Field:
    return Field(name, "line", words, most=200, **more)


def _moment(name: str, words: str = "", **more: Any) -> Field:
    return Field(name, "moment", words, **more)


def _option(row: int) -> tuple[Field, ...]:
    return (
        _short(f"option_title_{row}", "option_title", is_needed=False, row=row),
        Field(f"option_pros_{row}", "line", "option_pros", most=500, is_needed=False, row=row),
        Field(f"option_cons_{row}", "line", "option_cons", most=500, is_needed=False, row=row),
    )


def _part(row: int) -> tuple[Field, ...]:
    uses = tuple(use.value for use in PartUse)
    return (
        _short(f"part_name_{row}", "part_name", is_needed=False, row=row),
        Field(f"part_quantity_{row}", "number", "part_quantity", is_needed=False, row=row),
        Field(f"part_use_{row}", "select", "part_use", section="part_use", choices=uses, is_needed=False, row=row),
        _moment(f"part_expected_at_{row}", "part_expected_at", is_needed=False, row=row),
    )


_PERSON = (Field("assignee_id", "people"), _short("reason", "reason_for_person"))
_PHOTO = Field("photo", "photo", is_needed=False)
_VISIT = Field(
    "visit",
    "group",
    is_needed=False,
    fields=(
        Field("is_visit", "tick", is_needed=False),
        Field("conduct", "ticks", section="conduct", choices=tuple(c.value for c in Conduct), is_needed=False),
    ),
)

FORMS: Mapping[str, Form] = {
    C.ACKNOWLEDGE: Form(C.ACKNOWLEDGE),
    TAKE: Form(C.ASSIGN),
    C.ASSIGN: Form(C.ASSIGN, _PERSON),
    C.ESCALATE_TIER: Form(C.ESCALATE_TIER, _PERSON),
    C.FIRST_CONTACT: Form(
        C.FIRST_CONTACT,
        (
            Field("summary", words="first_contact_summary"),
            Field("verified", "ticks", section="verified", choices=tuple(v.value for v in Verified), is_needed=False),
        ),
    ),
    C.ASK_CUSTOMER: Form(C.ASK_CUSTOMER, (Field("question"),)),
    C.RECORD_REPLY: Form(C.RECORD_REPLY, (Field("reply"),)),
    C.PROPOSE_PLAN: Form(
        C.PROPOSE_PLAN,
        (
            Field("kind", "select", "plan_kind", section="plan_kind", choices=tuple(k.value for k in PlanKind)),
            Field("steps", most=4000),
            _moment("deadline_at"),
            _moment("appointment_at", is_needed=False),
            Field("owner_id", "people", is_needed=False),
            Field(
                "options",
                "group",
                is_needed=False,
                fields=tuple(f for row in range(1, OPTION_ROWS + 1) for f in _option(row)),
            ),
        ),
    ),
    C.AGREE_PLAN: Form(
        C.AGREE_PLAN,
        (Field("option", "options"), _short("agreed_by_phone_with"), _moment("agreed_at", is_needed=False)),
    ),
    C.OBJECT_TO_PLAN: Form(C.OBJECT_TO_PLAN, (Field("reason", words="objection"),)),
    C.LOG_STEP: Form(
        C.LOG_STEP,
        (
            Field("step", is_needed=False),  # a tap on one of the frequent steps says enough
            Field("is_internal", "tick", is_needed=False),
            _PHOTO,
            _VISIT,
            Field(
                "parts",
                "group",
                is_needed=False,
                fields=tuple(f for row in range(1, PART_ROWS + 1) for f in _part(row)),
            ),
        ),
        takes_photos=True,
    ),
    C.REPORT_DELAY: Form(
        C.REPORT_DELAY,
        (Field("reason", words="reason_of_delay"), _moment("expected_at"), Field("contingency")),
    ),
    C.REQUEST_SUPPORT: Form(
        C.REQUEST_SUPPORT,
        (
            Field("department", "select", section="department", choices=("technical_support", "parts_supply")),
            Field("request"),
        ),
    ),
    C.COMPLETE: Form(
        C.COMPLETE,
        (
            Field("summary", words="completion_summary"),
            Field("how", "radios", section="completion", choices=("tested", "guidance_only")),
            Field("usage_advice", most=1000, is_needed=False),
            _PHOTO,
        ),
        takes_photos=True,
    ),
    C.CONFIRM_COMPLETION: Form(C.CONFIRM_COMPLETION, (_short("signed_by"), _PHOTO), takes_photos=True),
    C.REPORT_NOT_FIXED: Form(C.REPORT_NOT_FIXED, (Field("reason", words="reason_not_fixed"),)),
    C.REOPEN: Form(C.REOPEN, (Field("reason", words="reason_to_reopen"),)),
    C.CHANGE_PRIORITY: Form(
        C.CHANGE_PRIORITY,
        (
            Field("impact", "select", section="impact", choices=tuple(i.value for i in Impact)),
            Field("is_safety_risk", "tick", is_needed=False),
            _short("reason", "reason_of_change"),
        ),
    ),
    C.CHANGE_CATEGORY: Form(
        C.CHANGE_CATEGORY,
        (
            Field("category", "select", section="category", choices=tuple(c.value for c in Category)),
            _short("reason", "reason_of_change"),
        ),
    ),
    C.REPORT_AGAIN: Form(C.REPORT_AGAIN, (Field("description"),)),
    C.ADD_NOTE: Form(C.ADD_NOTE, (Field("note"),)),
    C.CANCEL: Form(C.CANCEL, (Field("reason", words="reason_to_cancel"),)),
}


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field as the page shows it."""

    id: str
    name: str
    widget: str
    label: str
    hint: str
    values: tuple[str, ...]
    choices: tuple[Choice, ...]
    most: int
    is_needed: bool
    fault: str
    fields: tuple[ShownField, ...] = ()
    is_open: bool = False

    @property
    def value(self) -> str:
        """The value of a field that has one."""
        return self.values[0] if self.values else ""


@dataclass(frozen=True, slots=True)
class ShownForm:
    """A form as the page shows it; ``buttons``: steps that are logged with one tap."""

    name: str
    title: str
    button: str
    takes_photos: bool
    fields: tuple[ShownField, ...]
    fault: str = ""
    buttons: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Filling:
    """What goes into a form: choices that the ticket decides, what is known before, what was typed, what is wrong."""

    language: str
    choices: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    typed: Mapping[str, Sequence[str]] | None = None
    faults: Mapping[str, Fault] = field(default_factory=dict)


def show(name: str, filling: Filling) -> ShownForm:
    """The form of that name, filled."""
    form, language = FORMS[name], filling.language
    fields = show_fields(name, form.fields, filling)
    places = {place.name for f in fields for place in (f, *f.fields) if place.widget != "group"}
    # What no field can show, because a browser would not send it, is still said.
    own = next((fault for place, fault in filling.faults.items() if place not in places), None)
    steps = FREQUENT_STEPS if form.command is C.LOG_STEP else ()
    return ShownForm(
        name,
        word(language, "action", name),
        word(language, "button", name),
        form.takes_photos,
        fields,
        say(own, language) if own else "",
        tuple((step, word(language, "frequent_step", step)) for step in steps),
    )


def show_fields(form: str, fields: Sequence[Field], filling: Filling) -> tuple[ShownField, ...]:
    """Fields of a form, filled; those that have nothing to choose from are left out."""
    return tuple(shown for field in fields if (shown := _show(form, field, filling)) is not None)


def say(fault: Fault, language: str) -> str:
    """A fault in the reader's words."""
    return word(language, "fault", fault.kind).format(most=fault.most)


def _show(form: str, asked: Field, filling: Filling) -> ShownField | None:
    choices = filling.choices.get(asked.name, ())
    if asked.widget in ("options", "people") and not choices:
        return None
    if asked.section:
        choices = tuple((choice, word(filling.language, asked.section, choice)) for choice in asked.choices)
    elif asked.choices:
        choices = tuple((choice, choice) for choice in asked.choices)
    source = filling.known if filling.typed is None else filling.typed
    values = tuple(source.get(asked.name, ()))
    fault = filling.faults.get(asked.name)
    inner = show_fields(form, asked.fields, filling)
    label = word(filling.language, "ask", asked.words or asked.name)
    return ShownField(
        id=f"{form}-{asked.name}",
        name=asked.name,
        widget=asked.widget,
        label=label.format(row=asked.row) if asked.row else label,
        hint=_hint(asked, filling.language),
        values=values,
        choices=choices,
        most=asked.most,
        is_needed=asked.is_needed,
        fault=say(fault, filling.language) if fault else "",
        fields=inner,
        is_open=any((f.value and f.widget != "select") or f.fault for f in inner),
    )


_HINTS = frozenset(
    {
        *("steps", "step", "first_contact_summary", "completion_summary", "photo", "agreed_at", "owner_id"),
        *("evidence", "whys", "told_customers"),
    }
)


def _hint(asked: Field, language: str) -> str:
    name = asked.words or asked.name
    return word(language, "ask", f"{name}_hint") if name in _HINTS else ""
