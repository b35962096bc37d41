"""This file varies the samples: with what may be missing left out, the longest, the most hostile that people write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.links import PATHS, Subject, sign
from domain.messages import MESSAGES, LinkPurpose, MessageKind
from templates.samples import sample_context, sample_recipient, sample_script, sample_today

# Entries of a context that people write; everything else is a moment, a figure, or a word of our own.
_PEOPLE_WRITE = frozenset(
    {
        "assignee_name",
        "code",
        "comment",
        "cons",
        "contingency",
        "customer_name",
        "measure",
        "note",
        "pros",
        "provider",
        "question",
        "reason",
        "steps",
        "step",
        "subject",
        "summary",
        "supervisor_name",
        "team_name",
        "title",
        "usage_advice",
        "visitor_name",
        "word",
    }
)
_MAY_BE_MISSING: Mapping[str, Any] = {
    **dict.fromkeys(("assignee_name", "supervisor_name", "visitor_name")),
    **dict.fromkeys(("respond_by", "resolve_by", "due_at", "proposed_at", "overall")),
    **dict.fromkeys(("usage_advice", "comment", "code"), ""),
}

# The limits of what a command takes; a subject and a name are shorter.
_LONGEST = 2000
_LONG_NAME = 200

# What must never reach a mail as it is.
HOSTILE_MARKUP = ("<b>Zoë</b>", "<script>alert(1)</script>")
HOSTILE_NAME = '<b>Zoë</b> "O\'Hara" & {{ 97 * 131 }} \u202egro.elpmaxe\u202c'
HOSTILE_TEXT = (
    "<script>alert(1)</script><b>bold</b> {{ 97 * 131 }} {% raw %} & \"'\r\nBcc: victim@example.com\r\n"
    "\u202erighttoleft\u202c 🙂 \x07 "
    + "Donaudampfschifffahrtsgesellschaftskapitän" * 4
    + " https://example.com/?a=1&b=2"
)


@dataclass(frozen=True)
class Case:
    """One way in which a message may be asked for; ``name`` completes "with …"."""

    name: str
    context: dict[str, Any]
    recipient_name: str
    link: str | None
    unsubscribe_link: str | None = None


def sample_link(purpose: LinkPurpose) -> str:
    """A link as customers get it: as long as a real one, good for nothing."""
    token = sign(purpose, Subject(1024, 1), key="a sample opens nothing", expires_at=datetime(2027, 1, 1, tzinfo=UTC))
    return f"https://care.example.com/{PATHS[purpose]}/{token.ljust(60, '0')}"


def sample(kind: MessageKind, *, language: str) -> Case:
    """What is said every day."""
    purpose, is_subscribed = MESSAGES[kind].link, MESSAGES[kind].subscription is not None
    return Case(
        "the sample's data",
        sample_context(kind, language=language),
        sample_recipient(kind, language=language),
        sample_link(purpose) if purpose else None,
        sample_link(LinkPurpose.UNSUBSCRIBE) if is_subscribed else None,
    )


def bare(kind: MessageKind, *, language: str) -> Case:
    """Nobody assigned, nothing promised, no name, no link, an empty week."""
    full = sample_context(kind, language=language)
    context = full | {"digest": _empty_week(full["digest"])} if "digest" in full else _without(full)
    if "plan" in context:
        context["plan"] |= {"appointment_at": None, "options": []}
    return Case("all left out that may be missing", context, "", None)


def longest(kind: MessageKind, *, language: str, letter: str) -> Case:
    """All that people write as long as it can be, in one word of this letter; forty pieces of news at once."""
    case = sample(kind, language=language)
    if "updates" in case.context:
        news = [of for of in MessageKind if MESSAGES[of].merges]
        news = (news * 40)[:40]
        case.context["updates"] = [{"kind": of.value, "context": sample_context(of, language=language)} for of in news]
    context = _rewritten(case.context, name=letter * _LONG_NAME, text=letter * _LONGEST)
    return Case(f"the longest data ({letter}…)", context, letter * _LONG_NAME, case.link, case.unsubscribe_link)


def hostile(kind: MessageKind, *, language: str) -> Case:
    """Markup, template marks, line breaks, control characters, very long words."""
    case = sample(kind, language=language)
    context = _rewritten(case.context, name=HOSTILE_NAME, text=HOSTILE_TEXT)
    return Case("hostile data", context, HOSTILE_NAME, case.link, case.unsubscribe_link)


def checked_cases(kind: MessageKind, *, language: str) -> tuple[Case, ...]:
    """The cases in which every template has to hold.

    The longest data come in Latin and in Chinese letters: one Chinese name makes an English SMS twice as dear.
    """
    long = [longest(kind, language=language, letter=letter) for letter in ("W", "长")]
    return (sample(kind, language=language), bare(kind, language=language), *long, hostile(kind, language=language))


def script_cases(language: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """The values with which every script has to hold, each with its name: all of them, and as few as a ticket has."""
    full = sample_script(language=language)
    known = {"customer_name", "description", "is_safety_risk", "staff_name", "state", "subject", "ticket_number"}
    few = {name: value if name in known else None for name, value in full.items()}
    few |= {"is_safety_risk": False, "state": "closed"}
    return (("the sample's data", full), ("all left out that may be missing", few))


def today_cases() -> tuple[tuple[str, dict[str, Any]], ...]:
    """The values with which the overview has to hold, each with its name: a bad day, and one on which nothing is."""
    bad = sample_today()
    nothing = _empty_week(bad["today"]) | {"messages": {}}
    nothing |= dict.fromkeys(("messages_wait_since", "events_pending_since"))
    return (("the sample's data", bad), ("nothing at all", bad | {"today": nothing, "flows": []}))


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _MAY_BE_MISSING.get(key, _without(inner)) for key, inner in value.items()}
    return value


def _empty_week(value: Any) -> Any:
    """A digest of nothing: counts are 0, shares and means unknown, lists empty but for the trend's periods."""
    if isinstance(value, list):
        return []
    if not isinstance(value, Mapping):
        return None if isinstance(value, float) else 0 if isinstance(value, int) else value
    return {key: _emptied(key, inner) for key, inner in value.items()}


def _emptied(key: str, value: Any) -> Any:
    match key:
        case "target" | "targets":
            return value
        case "headline":
            return {"kind": "nothing", "values": {}}
        case "trend":
            return [_empty_week(period) for period in value]
        case _:
            return _empty_week(value)


def _rewritten(value: Any, *, name: str, text: str, key: str = "") -> Any:
    if key == "reasons":  # figures: what they measure is no text of people, as an action's measure is
        return value
    if isinstance(value, Mapping):
        if key in ("by_region", "by_team"):  # here the names are keys
            return {f"{name} {number}": item for number, item in enumerate(value.values(), 1)}
        return {inner: _rewritten(item, name=name, text=text, key=inner) for inner, item in value.items()}
    if isinstance(value, list):
        return [_rewritten(item, name=name, text=text, key=key) for item in value]
    if key not in _PEOPLE_WRITE or not isinstance(value, str):
        return value
    return name if key.endswith("_name") else text
