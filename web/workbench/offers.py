"""Which forms a ticket's page offers: only commands that are legal now and that this member of staff may give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from db.dossiers import Dossier
from domain.assignment import may_give, next_tier
from domain.field_work import AwaitedPart, awaited_parts
from domain.lifecycle import COMMANDS, CommandName, TicketState
from domain.next_step import COMMANDS_OF, NextStep, next_step
from domain.people import Actor, Role, Tier
from domain.standard import Standard
from web.workbench.forms import FORMS, TAKE, Choice
from web.workbench.orders import OPTION_ROWS
from web.workbench.spoken import promised_at

C = CommandName
_MAY_HOLD = frozenset({Role.AGENT, Role.ENGINEER, Role.SUPERVISOR})
_MOST_PEOPLE = 60


def offered(dossier: Dossier, actor: Actor, *, standard: Standard, now: datetime) -> list[str]:
    """The names of the forms, in the order in which they are shown."""
    ticket = dossier.ticket
    state, holder = TicketState(ticket["state"]), ticket["assignee_id"]
    found = []
    for name, form in FORMS.items():
        traits = COMMANDS[form.command]
        if state not in traits.sources or actor.role not in traits.by:
            continue
        if name == TAKE and (holder == actor.id or not (holder is None or may_give(actor, held_by=holder))):
            continue
        if name == C.ASSIGN and not may_give(actor, held_by=holder):
            continue
        if name == C.ESCALATE_TIER and next_tier(Tier(ticket["tier"])) is None:
            continue
        if name == C.REOPEN and now - ticket["closed_at"] > standard.completion.reopen_within:
            continue
        found.append(str(name))
    return found


def at_hand(dossier: Dossier, awaited: Sequence[AwaitedPart], *, now: datetime) -> NextStep:
    """The step at hand."""
    plan = dossier.plans[-1] if dossier.plans else None
    promise = promised_at(dossier)
    is_endangered = any(part.endangers for part in awaited) or (promise is not None and promise <= now)
    return next_step(
        TicketState(dossier.ticket["state"]),
        was_objected=plan is not None and plan["state"] == "objected",
        is_agreed=plan is not None and plan["state"] == "agreed",
        is_endangered=is_endangered,
    )


def parts_on_their_way(dossier: Dossier, *, now: datetime) -> list[AwaitedPart]:
    """The parts that are awaited (S-34)."""
    steps = [event["payload"] for event in dossier.history if event["kind"] == C.LOG_STEP]
    return awaited_parts(steps, promised_at=promised_at(dossier), now=now)


def first_forms(step: NextStep, names: Sequence[str]) -> list[str]:
    """Of the forms on offer, those that carry the step at hand out."""
    wanted = [TAKE, C.ASSIGN] if step is NextStep.ASSIGN else list(COMMANDS_OF[step])
    return [name for name in wanted if name in names]


def choices(dossier: Dossier, name: str) -> Mapping[str, tuple[Choice, ...]]:
    """What only the ticket decides: who may take it, which options its plan has."""
    plan = dossier.plans[-1] if dossier.plans else None
    options = [option["title"] for option in plan["options"]] if plan else []
    people = _people(dossier, climbs=name == C.ESCALATE_TIER)
    holder = str(dossier.ticket["assignee_id"])
    return {
        "assignee_id": tuple(choice for choice in people if choice[0] != holder),
        "owner_id": people,
        "option": tuple((str(position), title) for position, title in enumerate(options, 1)),
    }


def _people(dossier: Dossier, *, climbs: bool) -> tuple[Choice, ...]:
    """Those who may hold it, the same tier and region and the least load first."""
    ticket = dossier.ticket
    tier = int(ticket["tier"]) + int(climbs)

    def rank(person: Mapping[str, Any]) -> tuple[Any, ...]:
        is_near = person["region"] in (ticket["region"], None)
        return person["tier"] != tier, not is_near, person["load"], person["name"]

    able = [
        person
        for person in dossier.people.values()
        if person["is_active"] and Role(person["role"]) in _MAY_HOLD and (not climbs or person["tier"] >= tier)
    ]
    return tuple(
        (str(person["id"]), f"{person['name']} · {person['team_name']} · {person['load']}")
        for person in sorted(able, key=rank)[:_MOST_PEOPLE]
    )


def known(
    dossier: Dossier, name: str, awaited: Sequence[AwaitedPart], *, zone: ZoneInfo, now: datetime
) -> dict[str, list[str]]:
    """What a form may begin with: the plan that was objected to, the priority as it is, the part that is late."""
    ticket = dossier.ticket
    if name == C.CHANGE_PRIORITY:
        return {"impact": [ticket["impact"]], "is_safety_risk": ["1"] if ticket["is_safety_risk"] else []}
    if name == C.CHANGE_CATEGORY:
        return {"category": [ticket["category"]]}
    if name == C.CONFIRM_COMPLETION:
        return {"signed_by": [ticket["customer_name"]]}
    if name == C.AGREE_PLAN:
        return {"agreed_by_phone_with": [ticket["customer_name"]]}
    if name == C.REPORT_DELAY:
        late = [part.expected_at for part in awaited if part.endangers and part.expected_at > now]
        return {"expected_at": [_local(max(late), zone)]} if late else {}
    if name == C.PROPOSE_PLAN and dossier.plans:
        return _former_plan(dossier.plans[-1], zone, now)
    return {}


def _former_plan(plan: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> dict[str, list[str]]:
    begun = {"kind": [plan["kind"]], "steps": ["\n".join(plan["steps"])], "owner_id": [str(plan["owner_id"])]}
    for name in ("deadline_at", "appointment_at"):
        if plan[name] is not None and plan[name] > now:
            begun[name] = [_local(plan[name], zone)]
    for row, option in enumerate(plan["options"][:OPTION_ROWS], 1):
        begun |= {f"option_{name}_{row}": [option[name]] for name in ("title", "pros", "cons")}
    return begun


def _local(moment: datetime, zone: ZoneInfo) -> str:
    """As a browser's field for a local time takes it."""
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}"
