"""The life of a ticket, readable by a service manager: states, commands, who may give them, what each one owes.

Two tables say it all: STATES (what a state means) and COMMANDS (from where to where, by whom, with which notice).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from domain.exceptions import IllegalTransitionError, NotPermittedError
from domain.messages import MessageKind
from domain.people import LEADS, Actor, Role


class TicketState(StrEnum):
    """Where a ticket stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    DIAGNOSING = "diagnosing"
    PLAN_PROPOSED = "plan_proposed"
    IN_WORK = "in_work"
    WAITING_CUSTOMER = "waiting_customer"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class CommandName(StrEnum):
    """What may be done to a ticket."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    ESCALATE_TIER = "escalate_tier"
    FIRST_CONTACT = "first_contact"
    CHANGE_CATEGORY = "change_category"
    CHANGE_PRIORITY = "change_priority"
    ASK_CUSTOMER = "ask_customer"
    RECORD_REPLY = "record_reply"
    PROPOSE_PLAN = "propose_plan"
    AGREE_PLAN = "agree_plan"
    OBJECT_TO_PLAN = "object_to_plan"
    LOG_STEP = "log_step"
    REPORT_DELAY = "report_delay"
    REQUEST_SUPPORT = "request_support"
    ADD_NOTE = "add_note"
    REPORT_AGAIN = "report_again"
    COMPLETE = "complete"
    REPORT_NOT_FIXED = "report_not_fixed"
    CONFIRM_COMPLETION = "confirm_completion"
    CLOSE = "close"
    REOPEN = "reopen"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class StateTraits:
    """What a state means: whether the resolution clock runs, whether somebody has the ticket, whether it is over."""

    clock_runs: bool
    has_assignee: bool = True
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class CommandTraits:
    """``to`` None: the state stays. ``needs_follow_up``: Aftercare has something to do next (ticket_lifecycle)."""

    sources: frozenset[TicketState]
    to: TicketState | None
    by: frozenset[Role]
    tells_customer: MessageKind | None = None
    tells_assignee: MessageKind | None = None
    needs_follow_up: bool = False


S = TicketState
C = CommandName

STATES: Mapping[TicketState, StateTraits] = MappingProxyType(
    {
        S.NEW: StateTraits(clock_runs=True, has_assignee=False),
        S.ACKNOWLEDGED: StateTraits(clock_runs=True, has_assignee=False),
        S.ASSIGNED: StateTraits(clock_runs=True),
        S.DIAGNOSING: StateTraits(clock_runs=True),
        # The customer decides; until then nothing may be executed (S-22).
        S.PLAN_PROPOSED: StateTraits(clock_runs=False),
        S.IN_WORK: StateTraits(clock_runs=True),
        S.WAITING_CUSTOMER: StateTraits(clock_runs=False),
        S.COMPLETED: StateTraits(clock_runs=False),
        S.CLOSED: StateTraits(clock_runs=False, is_over=True),
        S.CANCELLED: StateTraits(clock_runs=False, has_assignee=False, is_over=True),
    }
)

_OPEN = frozenset(state for state, traits in STATES.items() if not traits.is_over)
_HELD = frozenset({S.ASSIGNED, S.DIAGNOSING, S.PLAN_PROPOSED, S.IN_WORK, S.WAITING_CUSTOMER})
_AT_WORK = frozenset({S.DIAGNOSING, S.IN_WORK})

_SYSTEM = frozenset({Role.SYSTEM})
_SERVICE = frozenset({Role.AGENT, Role.ENGINEER}) | LEADS
_CUSTOMER = frozenset({Role.CUSTOMER})

K = MessageKind

COMMANDS: Mapping[CommandName, CommandTraits] = MappingProxyType(
    {
        C.ACKNOWLEDGE: CommandTraits(frozenset({S.NEW}), S.ACKNOWLEDGED, _SYSTEM | _SERVICE, K.TICKET_RECEIVED),
        # Who leads gives tickets to anybody; the others take a free one or hand on their own (domain.assignment).
        C.ASSIGN: CommandTraits(
            _HELD | {S.ACKNOWLEDGED}, None, _SYSTEM | _SERVICE, K.TICKET_ASSIGNED, K.STAFF_ASSIGNED
        ),
        C.ESCALATE_TIER: CommandTraits(_HELD, None, _SYSTEM | LEADS, K.TICKET_TRANSFERRED, K.STAFF_ASSIGNED),
        C.FIRST_CONTACT: CommandTraits(frozenset({S.ASSIGNED}), S.DIAGNOSING, _SERVICE, K.FIRST_CONTACT_MADE),
        C.CHANGE_CATEGORY: CommandTraits(_OPEN, None, _SERVICE),
        C.CHANGE_PRIORITY: CommandTraits(_OPEN, None, _SYSTEM | _SERVICE, needs_follow_up=True),
        C.ASK_CUSTOMER: CommandTraits(_AT_WORK, S.WAITING_CUSTOMER, _SERVICE, K.QUESTION_ASKED),
        C.RECORD_REPLY: CommandTraits(
            frozenset({S.WAITING_CUSTOMER}), None, _CUSTOMER | _SERVICE, None, K.STAFF_CUSTOMER_ANSWERED
        ),
        C.PROPOSE_PLAN: CommandTraits(_AT_WORK | {S.PLAN_PROPOSED}, S.PLAN_PROPOSED, _SERVICE, K.PLAN_PROPOSED),
        C.AGREE_PLAN: CommandTraits(
            frozenset({S.PLAN_PROPOSED}), S.IN_WORK, _CUSTOMER | _SERVICE, None, K.STAFF_CUSTOMER_ANSWERED
        ),
        C.OBJECT_TO_PLAN: CommandTraits(
            frozenset({S.PLAN_PROPOSED}), S.DIAGNOSING, _CUSTOMER | _SERVICE, None, K.STAFF_CUSTOMER_ANSWERED
        ),
        C.LOG_STEP: CommandTraits(_AT_WORK, None, _SERVICE, K.PROGRESS_STEP),
        C.REPORT_DELAY: CommandTraits(_HELD, None, _SERVICE, K.DELAY_REPORTED),
        C.REQUEST_SUPPORT: CommandTraits(_HELD, None, _SERVICE),
        C.ADD_NOTE: CommandTraits(frozenset(TicketState), None, frozenset(Role)),
        C.REPORT_AGAIN: CommandTraits(_OPEN, None, _CUSTOMER | _SERVICE, K.TICKET_JOINED, K.STAFF_CUSTOMER_ANSWERED),
        C.COMPLETE: CommandTraits(_AT_WORK, S.COMPLETED, _SERVICE, K.WORK_COMPLETED),
        C.REPORT_NOT_FIXED: CommandTraits(
            frozenset({S.COMPLETED}), S.IN_WORK, _CUSTOMER | _SERVICE, K.TICKET_REOPENED, K.STAFF_CUSTOMER_ANSWERED
        ),
        C.CONFIRM_COMPLETION: CommandTraits(frozenset({S.COMPLETED}), S.CLOSED, _CUSTOMER | _SERVICE),
        C.CLOSE: CommandTraits(frozenset({S.COMPLETED}), S.CLOSED, _SYSTEM, K.TICKET_CLOSED),
        C.REOPEN: CommandTraits(
            frozenset({S.CLOSED}), S.ASSIGNED, _CUSTOMER | _SERVICE, K.TICKET_REOPENED, K.STAFF_CUSTOMER_ANSWERED, True
        ),
        C.CANCEL: CommandTraits(_OPEN - {S.COMPLETED}, S.CANCELLED, _CUSTOMER | _SERVICE, K.TICKET_CANCELLED),
    }
)

# Commands without a fixed destination: the state decides where they lead.
_LEADS_TO: Mapping[tuple[TicketState, CommandName], TicketState] = MappingProxyType(
    {(S.ACKNOWLEDGED, C.ASSIGN): S.ASSIGNED}
)


def next_state(state: TicketState, command: CommandName, *, resume_state: TicketState | None = None) -> TicketState:
    """Where ``command`` leads from ``state``.

    ``resume_state`` is where a ticket that waits for its customer goes on. Raises IllegalTransitionError, which
    names the commands that are possible.
    """
    traits = COMMANDS[command]
    if state not in traits.sources:
        possible = ", ".join(c.value for c, t in COMMANDS.items() if state in t.sources)
        raise IllegalTransitionError(
            f"'{command.value}' is not possible while the ticket is '{state.value}'; possible now: {possible}"
        )
    if command is C.RECORD_REPLY:
        return resume_state or S.DIAGNOSING
    return traits.to or _LEADS_TO.get((state, command), state)


def require_permission(actor: Actor, command: CommandName) -> None:
    """Raise NotPermittedError, which names the roles that may, unless the actor's role may give the command (S-72)."""
    if actor.role not in COMMANDS[command].by:
        allowed = ", ".join(sorted(role.value for role in COMMANDS[command].by))
        raise NotPermittedError(f"'{command.value}' is not for the role '{actor.role.value}'; it is for: {allowed}")


def replay(history: Iterable[tuple[CommandName, TicketState]]) -> TicketState:
    """The state to which a ticket's commands lead, in order, from NEW.

    Each pair is a command and the state that its event recorded. Raises IllegalTransitionError when the record
    contradicts the tables.
    """
    state, before_waiting = S.NEW, S.DIAGNOSING
    for command, recorded in history:
        following = next_state(state, command, resume_state=before_waiting)
        if following is not recorded:
            raise IllegalTransitionError(
                f"'{command.value}' leads from '{state.value}' to '{following.value}', "
                f"the record says '{recorded.value}'"
            )
        if command is C.ASK_CUSTOMER:
            before_waiting = state
        state = following
    return state
