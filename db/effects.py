"""What each command does to a ticket beside its state: one small function per command, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from db import clocks, outbox, plans, staff, surveys
from db.notices import iso
from db.work import Work
from domain.assignment import SUPPORT_BY_PRIORITY, next_tier, require_may_assign
from domain.commands import (
    AgreePlan,
    AskCustomer,
    Assign,
    Cancel,
    ChangeCategory,
    ChangePriority,
    Command,
    Complete,
    EscalateTier,
    FirstContact,
    LogStep,
    ObjectToPlan,
    ProposePlan,
    RecordReply,
    Reopen,
    ReportAgain,
    ReportDelay,
    ReportNotFixed,
    RequestSupport,
    require_soon,
)
from domain.exceptions import IllegalTransitionError, InvalidInputError, NotFoundError
from domain.lifecycle import CommandName, TicketState
from domain.messages import MessageKind
from domain.people import Department, Tier
from domain.sla import ClockKind
from domain.tickets import Channel, Priority
from domain.triage import priority_for


def _nothing(_work: Work, _command: Command) -> None:
    """The change of state is all."""


def _acknowledge(work: Work, _command: Command) -> None:
    due = {row["kind"]: row["due_at"] for row in work.held.clocks}
    work.notice_context = {"assign_by": iso(due.get(ClockKind.ASSIGNMENT))}


def _hand_over(work: Work, person: Mapping[str, Any], tier: Tier, reason: str) -> None:
    work.facts = {"from": work.ticket["assignee_id"], "tier": int(tier)}
    work.change(assignee_id=person["id"], tier=int(tier))
    work.ticket.update(assignee_name=person["name"], assignee_language=person["language"])
    work.notice_context = {"reason": reason, "tier": int(tier)}


def _assign(work: Work, command: Assign) -> None:
    require_may_assign(work.actor, held_by=work.ticket["assignee_id"], to=command.assignee_id)
    is_first = work.ticket["assignee_id"] is None
    person = staff.get(work.connection, command.assignee_id)
    _hand_over(work, person, Tier(person["tier"]), command.reason)
    work.tell_customer(MessageKind.TICKET_ASSIGNED if is_first else MessageKind.TICKET_TRANSFERRED)
    if is_first:
        _open_support(work)


def _open_support(work: Work) -> None:
    """S-12: an urgent ticket calls in the other departments at the same time."""
    departments = SUPPORT_BY_PRIORITY[Priority(work.ticket["priority"])]
    if departments:
        work.facts["support"] = [department.value for department in departments]
        for department in departments:
            _call_in(work, department, request="")


def _call_in(work: Work, department: Department, *, request: str) -> bool:
    """Tell a department's people that they are needed; False when there is nobody."""
    languages = staff.languages(work.connection)
    contacts = staff.department_contacts(work.connection, department)
    extra = {"department": department.value, "request": request}
    work.staff_notices += [(who, languages[who], MessageKind.STAFF_SUPPORT_REQUESTED, extra) for who in contacts]
    return bool(contacts)


def _request_support(work: Work, command: RequestSupport) -> None:
    if not _call_in(work, command.department, request=command.request):
        raise InvalidInputError("department", "nobody of this department can be asked; see 'aftercare staff list'")


def _escalate_tier(work: Work, command: EscalateTier) -> None:
    tier = next_tier(Tier(work.ticket["tier"]))
    if tier is None:
        raise IllegalTransitionError("the ticket is with technical support already; there is no higher tier")
    person = staff.get(work.connection, command.assignee_id)
    if person["tier"] < tier:
        problem = f"is of tier {person['tier']}; the ticket climbs to tier {int(tier)}: choose somebody of that tier"
        raise InvalidInputError("assignee_id", problem)
    _hand_over(work, person, tier, command.reason)


def _change_category(work: Work, command: ChangeCategory) -> None:
    work.facts = {"from": work.ticket["category"]}
    work.change(category=command.category.value, category_reason=command.reason)


def _change_priority(work: Work, command: ChangePriority) -> None:
    suggestion = priority_for(command.impact, is_safety_risk=command.is_safety_risk)
    work.facts = {"from": work.ticket["priority"], "to": suggestion.value.value}
    work.change(
        impact=command.impact.value,
        is_safety_risk=command.is_safety_risk,
        priority=suggestion.value.value,
        priority_reason=command.reason,
    )
    if work.facts["from"] != work.facts["to"]:
        if suggestion.value is Priority.P1:
            outbox.hasten(work.connection, work.ticket["id"])
        if work.ticket["assignee_id"] is not None:
            _open_support(work)


def _ask_customer(work: Work, command: AskCustomer) -> None:
    work.notice_context = {"question": command.question}


def _first_contact(work: Work, command: FirstContact) -> None:
    work.notice_context = {"summary": command.summary}


def _answered(work: Work, name: CommandName, comment: str) -> None:
    work.notice_context = {"answer": name.value, "comment": comment, "proposed_at": None}


def _record_reply(work: Work, command: RecordReply) -> None:
    _answered(work, command.name, command.reply)


def _propose_plan(work: Work, command: ProposePlan) -> None:
    require_soon("deadline_at", command.deadline_at, now=work.now)
    revision = work.ticket["plan_revision"] + 1
    owner = command.owner_id or work.actor_staff_id or work.ticket["assignee_id"]
    if command.owner_id is not None:
        try:
            staff.get(work.connection, command.owner_id)
        except NotFoundError as error:
            raise InvalidInputError("owner_id", str(error)) from error
    plan = plans.propose(work.connection, work.ticket["id"], revision, command, owner_id=owner, now=work.now)
    work.change(plan_revision=revision)
    work.facts = {"revision": revision}
    work.notice_context = {"plan": plan}
    work.tell_customer(MessageKind.PLAN_PROPOSED if revision == 1 else MessageKind.PLAN_REVISED)


def _agree_plan(work: Work, command: AgreePlan) -> None:
    if work.actor_staff_id is not None and command.agreed_by_phone_with is None:
        raise InvalidInputError("agreed_by_phone_with", "say with whom it was agreed by phone (S-22)")
    if command.agreed_at is not None and command.agreed_at > work.now:
        raise InvalidInputError("agreed_at", "lies ahead; say when it was agreed")
    revision, appointment_at = plans.agree(work.connection, work.ticket["id"], command, now=work.now)
    work.facts = {"revision": revision}
    _answered(work, command.name, command.agreed_by_phone_with or "")
    if appointment_at is not None and appointment_at > work.now:
        work.notice_context |= {"appointment_at": iso(appointment_at), "plan_revision": revision}
        work.tell_customer(MessageKind.APPOINTMENT_CONFIRMED)
        if (remind_at := appointment_at - work.standard.appointment.remind_before) > work.now:
            work.later_notices.append((MessageKind.APPOINTMENT_REMINDER, remind_at))


def _object_to_plan(work: Work, command: ObjectToPlan) -> None:
    work.facts = {"revision": plans.object_to(work.connection, work.ticket["id"], command.reason, now=work.now)}
    _answered(work, command.name, command.reason)
    if command.proposed_at is not None:
        require_soon("proposed_at", command.proposed_at, now=work.now)
        work.notice_context["proposed_at"] = iso(command.proposed_at)


def _log_step(work: Work, command: LogStep) -> None:
    for position, part in enumerate(command.parts):
        if part.expected_at is not None:
            require_soon(f"parts.{position}.expected_at", part.expected_at, now=work.now)
    work.notice_context = {"step": command.step}
    if command.is_internal:
        work.tell_customer(None)


def _report_delay(work: Work, command: ReportDelay) -> None:
    require_soon("expected_at", command.expected_at, now=work.now)
    work.change(expected_at=command.expected_at)
    work.notice_context = {
        "reason": command.reason,
        "expected_at": iso(command.expected_at),
        "contingency": command.contingency,
    }


def _report_again(work: Work, command: ReportAgain) -> None:
    _answered(work, command.name, command.description)


def _complete(work: Work, command: Complete) -> None:
    is_agreed = plans.is_agreed(work.connection, work.ticket["id"], work.ticket["plan_revision"])
    has_plan = work.ticket["state"] == TicketState.IN_WORK and is_agreed
    if not has_plan and not command.guidance_only:
        raise IllegalTransitionError(
            "nothing may be executed before the customer agrees (S-22): propose a plan, or complete it as guidance_only"
        )
    if has_plan and not command.tested:
        raise InvalidInputError("tested", "the agreed work must be tested before it is called done (S-35)")
    number = work.ticket["completion_no"] + 1
    work.change(completion_no=number, expected_at=None)
    work.facts = {"completion_no": number}
    surveys.schedule_after_completion(work.connection, work.ticket, number, standard=work.standard, now=work.now)
    work.notice_context = {
        "summary": command.summary,
        "usage_advice": command.usage_advice,
        "close_at": iso(work.now + work.standard.completion.close_without_answer_after),
        "completion_no": number,
    }


def _report_not_fixed(work: Work, command: ReportNotFixed) -> None:
    surveys.cancel_open(work.connection, work.ticket["id"])
    _answered(work, command.name, command.reason)


def _reopen(work: Work, command: Reopen) -> None:
    if (closed_for := work.now - work.ticket["closed_at"]) > work.standard.completion.reopen_within:
        raise IllegalTransitionError(
            f"the ticket was closed {closed_for.days} days ago; report the problem anew, it becomes a ticket of its own"
        )
    surveys.cancel_open(work.connection, work.ticket["id"])
    round_no = work.ticket["round"] + 1
    started = clocks.started(
        (ClockKind.RESPONSE, ClockKind.RESOLUTION),
        priority=Priority(work.ticket["priority"]),
        channel=Channel(work.ticket["channel"]),
        round_no=round_no,
        standard=work.standard,
        now=work.now,
    )
    clocks.add(work.connection, work.ticket["id"], started)
    work.change(round=round_no)
    work.held.forget_clocks()
    work.facts = {"round": round_no}
    _answered(work, command.name, command.reason)


def _cancel(work: Work, command: Cancel) -> None:
    plans.withdraw(work.connection, work.ticket["id"], now=work.now)
    work.notice_context = {"reason": command.reason}


Effect = Callable[[Work, Any], None]

EFFECTS: Mapping[CommandName, Effect] = {
    CommandName.ACKNOWLEDGE: _acknowledge,
    CommandName.ASSIGN: _assign,
    CommandName.ESCALATE_TIER: _escalate_tier,
    CommandName.FIRST_CONTACT: _first_contact,
    CommandName.CHANGE_CATEGORY: _change_category,
    CommandName.CHANGE_PRIORITY: _change_priority,
    CommandName.ASK_CUSTOMER: _ask_customer,
    CommandName.RECORD_REPLY: _record_reply,
    CommandName.PROPOSE_PLAN: _propose_plan,
    CommandName.AGREE_PLAN: _agree_plan,
    CommandName.OBJECT_TO_PLAN: _object_to_plan,
    CommandName.LOG_STEP: _log_step,
    CommandName.REPORT_DELAY: _report_delay,
    CommandName.REQUEST_SUPPORT: _request_support,
    CommandName.ADD_NOTE: _nothing,
    CommandName.REPORT_AGAIN: _report_again,
    CommandName.COMPLETE: _complete,
    CommandName.REPORT_NOT_FIXED: _report_not_fixed,
    CommandName.CONFIRM_COMPLETION: _nothing,
    CommandName.CLOSE: _nothing,
    CommandName.REOPEN: _reopen,
    CommandName.CANCEL: _cancel,
}
